"use client";
// Plays episodes at the bottom of the page, and keeps playing while the listener reads other pages.

import { type KeyboardEvent, useEffect, useState, useSyncExternalStore } from "react";
import { usePathname, useSearchParams } from "next/navigation";
import { EpisodePlayback, type PlaybackState } from "#lib/calls/client/episode-playback.ts";
import type { Program } from "#lib/calls/client/listening.ts";
import {
  readPlaybackSpeed,
  setPlaybackSpeed,
  stepSpeed,
  subscribeToSpeed,
} from "#lib/calls/client/playback-speed.ts";
import { formatDuration } from "#lib/core/format.ts";
import { findBrowserMessages } from "#lib/core/messages/browser/find-browser-messages.ts";
import { findPlayControl } from "./find-play-control.ts";
import { markPlayButtons } from "./mark-play-buttons.ts";
import { PlayPauseIcon } from "./play-pause-icon.tsx";
import { SpeedSelect } from "./speed-select.tsx";
import { useMediaSession } from "./use-media-session.ts";
import { useReadingNavigation } from "./use-reading-navigation.ts";
import "./sticky-player.css";

const BACK_MS = 15_000;
const FORWARD_MS = 30_000;

export interface StickyPlayerProps {
  readonly audio: HTMLAudioElement;
  /** What the listener pressed to load the player. */
  readonly pressed: Element | null;
}

/** Plays what `element` names: a play button, or a transcript's timestamp, which names its button. */
function startFrom(playback: EpisodePlayback, element: Element): void {
  const link = element.closest<HTMLAnchorElement>("a[data-plays]");
  const button = link
    ? document.getElementById(link.dataset.plays!)
    : element.closest<HTMLElement>("[data-play]");
  if (!button?.dataset.play) return;
  const seconds = link ? Number(/#t=([\d.]+)/.exec(link.href)?.[1] ?? 0) : undefined;
  playback.start(JSON.parse(button.dataset.play) as Program, seconds);
}

export function StickyPlayer({ audio, pressed }: StickyPlayerProps) {
  const [playback] = useState(() => new EpisodePlayback(audio));
  const state = useSyncExternalStore(playback.subscribe, playback.getState, playback.getState);
  const address = `${usePathname()}?${useSearchParams().toString()}`;
  useEffect(() => {
    // In the document, other players can find and pause it.
    document.body.append(audio);
    const stop = playback.connect();
    if (pressed) startFrom(playback, pressed);
    else playback.restore();
    const onClick = (event: MouseEvent) => {
      const element = findPlayControl(event);
      if (!element) return;
      event.preventDefault();
      startFrom(playback, element);
    };
    document.addEventListener("click", onClick);
    return () => {
      stop();
      audio.remove();
      document.removeEventListener("click", onClick);
    };
  }, [audio, playback, pressed]);
  const src = state?.track.src ?? null;
  const isPlaying = state?.isPlaying ?? false;
  useEffect(() => markPlayButtons(src, isPlaying), [src, isPlaying, address]);
  useReadingNavigation(state !== null);
  useMediaSession(state, playback, { backMs: BACK_MS, forwardMs: FORWARD_MS });
  return state && <PlayerBar state={state} playback={playback} />;
}

function PlayerBar({ state, playback }: { state: PlaybackState; playback: EpisodePlayback }) {
  const { program, track, isPlaying, hasFailed, positionMs, lengthMs } = state;
  const messages = findBrowserMessages().player;
  const speed = useSyncExternalStore(subscribeToSpeed, readPlaybackSpeed, () => 1);
  const skip = (ms: number) => playback.seek(positionMs + ms);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || target instanceof HTMLSelectElement) return;
    const isPressable = target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement;
    if (key === " " && !isPressable) playback.toggle();
    else if (key === "ArrowLeft") skip(-BACK_MS);
    else if (key === "ArrowRight") skip(FORWARD_MS);
    else if (key === "<" || key === ">") setPlaybackSpeed(stepSpeed(speed, key === ">"));
    else return;
    event.preventDefault();
  };
  const spoken = (ms: number) =>
    messages.duration(Math.floor(ms / 60_000), Math.floor(ms / 1_000) % 60);
  return (
    <section className="sticky-player" aria-label={messages.name} onKeyDown={onKeyDown}>
      <button
        type="button"
        className="player-play"
        data-playing={isPlaying ? "" : undefined}
        aria-label={isPlaying ? messages.pause : messages.play}
        onClick={playback.toggle}
      >
        <PlayPauseIcon />
      </button>
      <p className="sticky-player-title">
        <a href={program.href}>{program.title}</a>
        <span>{track.label}</span>
      </p>
      <button
        type="button"
        className="player-jump"
        title={messages.back}
        onClick={() => skip(-BACK_MS)}
      >
        −15 s
      </button>
      <input
        className="player-seek"
        type="range"
        aria-label={messages.position}
        aria-valuetext={messages.positionOf(spoken(positionMs), spoken(lengthMs))}
        min={0}
        max={Math.max(1, Math.round(lengthMs / 1_000))}
        value={Math.round(positionMs / 1_000)}
        disabled={lengthMs === 0}
        onChange={({ currentTarget }) => playback.seek(Number(currentTarget.value) * 1_000)}
      />
      <span className="player-time figures">
        {formatDuration(positionMs, "position")}
        {lengthMs > 0 && ` / ${formatDuration(lengthMs)}`}
      </span>
      <button
        type="button"
        className="player-jump"
        title={messages.forward}
        onClick={() => skip(FORWARD_MS)}
      >
        +30 s
      </button>
      <SpeedSelect className="player-speed" aria-label={messages.speed} speed={speed} />
      <button
        type="button"
        className="player-close"
        aria-label={messages.close}
        onClick={() => {
          playback.close();
          // The focused button disappears with the player.
          document.getElementById("main")?.focus({ preventScroll: true });
        }}
      >
        ×
      </button>
      {hasFailed && (
        <p className="player-failed" role="alert">
          {messages.failed}{" "}
          <a href={track.src} download>
            {messages.download}
          </a>
        </p>
      )}
    </section>
  );
}
