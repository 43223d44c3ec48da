"use client";
// Controls an <audio> element: play, pause, seek, position, failure.

import { type ComponentProps, type RefObject, useRef, useState } from "react";

interface AudioPlayback {
  readonly audio: RefObject<HTMLAudioElement | null>;
  /** Spread these on the <audio> element. */
  readonly audioProps: ComponentProps<"audio">;
  readonly isPlaying: boolean;
  readonly hasFailed: boolean;
  readonly positionMs: number;
  /** 0 if unknown. */
  readonly lengthMs: number;
  toggle(): void;
  seek(ms: number): void;
}

/**
 * `durationMs` is the measured length, since MediaRecorder writes none into its files. null falls
 * back to the browser's value.
 */
export function useAudioPlayback(durationMs: number | null): AudioPlayback {
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const [positionMs, setPositionMs] = useState(0);
  const [browserMs, setBrowserMs] = useState(0);
  const lengthMs = durationMs ?? browserMs;
  const clamp = (ms: number) => Math.max(0, lengthMs > 0 ? Math.min(ms, lengthMs) : ms);

  const toggle = () => {
    const element = audio.current;
    if (!element) return;
    if (element.error) {
      // After an error, the element doesn't play until it is reloaded.
      element.load();
      element.currentTime = positionMs / 1_000;
    }
    if (!element.paused) return element.pause();
    setFailed(false);
    element.play().catch((error: unknown) => {
      // AbortError: paused before playback started.
      if (!(error instanceof DOMException) || error.name !== "AbortError") setFailed(true);
    });
  };
  const seek = (ms: number) => {
    const targetMs = clamp(ms);
    setPositionMs(targetMs);
    if (audio.current) audio.current.currentTime = targetMs / 1_000;
  };
  const audioProps: ComponentProps<"audio"> = {
    ref: audio,
    onPlay: () => setPlaying(true),
    onPause: () => setPlaying(false),
    onEnded: () => setPositionMs(0),
    onTimeUpdate: ({ currentTarget }) => setPositionMs(clamp(currentTarget.currentTime * 1_000)),
    onDurationChange: ({ currentTarget: { duration } }) =>
      setBrowserMs(Number.isFinite(duration) ? duration * 1_000 : 0),
    onError: ({ currentTarget }) => currentTarget.hasAttribute("src") && setFailed(true),
  };
  return { audio, audioProps, isPlaying, hasFailed, positionMs, lengthMs, toggle, seek };
}
