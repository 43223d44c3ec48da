"use client";
// Shows the recorder before a recording: start, test the microphone, or choose a file.

import { useId, useRef } from "react";
import type { RecorderController } from "#lib/calls/client/recorder-controller.ts";
import type { RecorderState } from "#lib/calls/client/recorder-types.ts";
import { formatDuration } from "#lib/core/format.ts";
import { LiveWaveform } from "./waveform.tsx";

/** Wraps a click handler so that the focus moves to the buttons of the next phase. */
export type WrapAction = (action: () => unknown) => () => void;

export function RecorderIdle({
  state: { phase, microphones, microphoneId },
  controller,
  act,
  maxMs,
  maxBytes,
}: {
  state: RecorderState;
  controller: RecorderController;
  act: WrapAction;
  maxMs: number;
  maxBytes: number;
}) {
  return (
    <>
      <p className="recorder-clock figures">
        <span>{formatDuration(0, "position")}</span>{" "}
        <small>of {formatDuration(maxMs, "position")}</small>
      </p>
      {phase === "testing-microphone" && (
        <>
          <LiveWaveform subscribe={controller.subscribeToLevel} />
          <p className="recorder-state">Say something. The bars should move.</p>
        </>
      )}
      {microphones.length > 1 && (phase === "idle" || phase === "testing-microphone") && (
        <MicrophoneField
          microphones={microphones}
          value={microphoneId}
          onChange={(id) => controller.selectMicrophone(id)}
        />
      )}
      {phase === "requesting-permission" && (
        <>
          <p className="recorder-state" role="status">
            Allow this site to use your microphone.
          </p>
          <div className="recorder-actions">
            <button
              type="button"
              className="button"
              data-first=""
              onClick={act(() => controller.cancel())}
            >
              Cancel
            </button>
          </div>
        </>
      )}
      {phase === "reading" && (
        <p className="recorder-state" role="status">
          Reading the file…
        </p>
      )}
      {(phase === "idle" || phase === "testing-microphone") && (
        <div className="recorder-actions">
          <button
            type="button"
            className="button button-record"
            data-first=""
            onClick={act(() => controller.start())}
          >
            <span className="recorder-dot" aria-hidden="true" />
            Start recording
          </button>
          {phase === "testing-microphone" ? (
            <button type="button" className="button" onClick={act(() => controller.cancel())}>
              Stop test
            </button>
          ) : (
            <button
              type="button"
              className="button"
              onClick={act(() => controller.testMicrophone())}
            >
              Test microphone
            </button>
          )}
        </div>
      )}
      {phase === "idle" && (
        <FilePicker
          maxMs={maxMs}
          maxBytes={maxBytes}
          onSelect={(file) => act(() => controller.selectFile(file))()}
        />
      )}
    </>
  );
}

function FilePicker({
  maxMs,
  maxBytes,
  onSelect,
}: {
  maxMs: number;
  maxBytes: number;
  onSelect: (file: File) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <p className="recorder-else">
      Or upload M4A, MP3, WebM, Ogg, WAV or FLAC, up to {formatDuration(maxMs, "spoken-position")}{" "}
      and {Math.floor(maxBytes / 1_000_000)}&nbsp;MB:{" "}
      <button type="button" className="recorder-link" onClick={() => input.current?.click()}>
        Choose a file
      </button>
      {/* Unnamed, since the file is uploaded before the form is sent. */}
      <input
        ref={input}
        type="file"
        accept="audio/*,.webm,.m4a,.mp3,.ogg,.opus,.wav,.flac"
        hidden
        tabIndex={-1}
        aria-label="A recording from your device"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          // Choosing the same file again must fire another change event.
          currentTarget.value = "";
          if (file) onSelect(file);
        }}
      />
    </p>
  );
}

function MicrophoneField({
  microphones,
  value,
  onChange,
}: {
  microphones: RecorderState["microphones"];
  value: string;
  onChange: (id: string) => void;
}) {
  const fieldId = useId();
  return (
    <div className="form-field recorder-microphone">
      <label htmlFor={fieldId}>Microphone</label>
      <select
        id={fieldId}
        className="field"
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        <option value="">Default microphone</option>
        {microphones
          .filter(({ id }) => id !== "default" && id !== "communications")
          .map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
      </select>
    </div>
  );
}
