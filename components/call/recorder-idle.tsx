"use client";
// Before there is a recording: start one, look at the microphone, choose a file.

import { useId, useRef } from "react";
import { formatPosition, formatPositionSpoken } from "#lib/calls/client/format-time.ts";
import type { useRecorder } from "./use-recorder.ts";
import { LiveWaveform } from "./waveform.tsx";

type RecorderControls = ReturnType<typeof useRecorder>;
export type WrapAction = (action: () => unknown) => () => void;

export function RecorderIdle({
  recorder,
  act,
  maxMs,
  maxBytes,
}: {
  recorder: RecorderControls;
  act: WrapAction;
  maxMs: number;
  maxBytes: number;
}) {
  const { phase, onLevel, microphone } = recorder;
  const file = useRef<HTMLInputElement>(null);
  return (
    <>
      <p className="recorder-clock figures">
        <span>{formatPosition(0)}</span> <small>of {formatPosition(maxMs)}</small>
      </p>
      {phase === "checking" && (
        <>
          <LiveWaveform onLevel={onLevel} />
          <p className="recorder-state">
            Say something: the bars should move. Nothing is recorded yet.
          </p>
        </>
      )}
      <MicrophoneChoice recorder={recorder} />
      {phase === "asking" ? (
        <>
          <p className="recorder-state" role="status">
            The browser asks whether this site may use the microphone. Allow it to go on.
          </p>
          <div className="recorder-actions">
            <button type="button" className="button" data-first="" onClick={act(recorder.giveUp)}>
              Give up
            </button>
          </div>
        </>
      ) : phase === "reading" ? (
        <p className="recorder-state" role="status">
          Looking at the file…
        </p>
      ) : (
        <>
          <div className="recorder-actions">
            <button
              type="button"
              className="button button-record"
              data-first=""
              onClick={act(recorder.start)}
            >
              <span className="recorder-dot" aria-hidden="true" />
              Start recording
            </button>
            {phase === "checking" ? (
              <button type="button" className="button" onClick={act(recorder.giveUp)}>
                Switch it off
              </button>
            ) : (
              <button
                type="button"
                className="button"
                onClick={act(() => recorder.lookAt(microphone))}
              >
                Try the microphone
              </button>
            )}
          </div>
          {phase === "idle" && (
            <p className="recorder-else">
              Recorded it elsewhere? M4A, MP3, WebM, Ogg, WAV or FLAC, at most{" "}
              {formatPositionSpoken(maxMs)} and {Math.floor(maxBytes / 1_000_000)} MB:{" "}
              <button type="button" className="recorder-link" onClick={() => file.current?.click()}>
                Choose a file
              </button>
              {/* No name: the file goes by the upload, not with the form. */}
              <input
                ref={file}
                type="file"
                accept="audio/*,.webm,.m4a,.mp3,.ogg,.opus,.wav,.flac"
                hidden
                tabIndex={-1}
                aria-label="A recording from your device"
                onChange={({ currentTarget }) => {
                  const [chosen] = currentTarget.files ?? [];
                  // The same file again must be a change again.
                  currentTarget.value = "";
                  if (chosen) act(() => recorder.takeFile(chosen))();
                }}
              />
            </p>
          )}
        </>
      )}
    </>
  );
}

/** Shown once their names are known, which is after the first permission. */
function MicrophoneChoice({
  recorder: { microphones, microphone, choose, phase },
}: {
  recorder: RecorderControls;
}) {
  const id = useId();
  if (microphones.length < 2 || phase === "asking" || phase === "reading") return null;
  return (
    <div className="form-field recorder-microphone">
      <label htmlFor={id}>Microphone</label>
      <select
        id={id}
        className="field"
        value={microphone}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        <option value="">The usual one</option>
        {microphones
          .filter((one) => one.id !== "default" && one.id !== "communications")
          .map((one) => (
            <option key={one.id} value={one.id}>
              {one.label}
            </option>
          ))}
      </select>
    </div>
  );
}
