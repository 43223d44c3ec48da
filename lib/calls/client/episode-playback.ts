// Plays the tracks of an episode in order in an audio element, and remembers the place.

import {
  type Program,
  type Track,
  findPlace,
  readListening,
  rememberListening,
  rememberPlace,
} from "./listening.ts";
import { readPlaybackSpeed, subscribeToSpeed } from "./playback-speed.ts";

/** How often the place is stored while it plays. */
const REMEMBER_EVERY_S = 5;

export interface PlaybackState {
  readonly program: Program;
  readonly track: Track;
  readonly index: number;
  readonly isPlaying: boolean;
  readonly hasFailed: boolean;
  readonly positionMs: number;
  /** 0 if unknown. */
  readonly lengthMs: number;
}

/** Returns the index of the last track with a stored place; 0 without one. */
const findStart = (tracks: readonly Track[]): number =>
  Math.max(
    0,
    tracks.findLastIndex(({ src }) => findPlace(src) > 0),
  );

/** A store for useSyncExternalStore; its state is null while nothing is open. */
export class EpisodePlayback {
  readonly audio: HTMLAudioElement;
  readonly #listeners = new Set<() => void>();
  #state: PlaybackState | null = null;
  #rememberedS = 0;
  #isLeaving = false;

  constructor(audio: HTMLAudioElement) {
    this.audio = audio;
  }

  getState = (): PlaybackState | null => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Starts listening to the element; returns a function that stops it. */
  connect = (): (() => void) => {
    const { audio } = this;
    const handlers: Record<string, () => void> = {
      play: () => this.#onPlay(),
      pause: () => this.#pause(),
      timeupdate: () => this.#move(),
      durationchange: () => this.#update({ lengthMs: this.#lengthMs() }),
      ended: () => this.#end(),
      error: () => this.#update({ hasFailed: true, isPlaying: false }),
    };
    // Leaving the page also pauses, but the next page should keep playing.
    const onHide = () => {
      this.#remember();
      this.#isLeaving = true;
    };
    const onShow = () => {
      const isBack = this.#isLeaving;
      this.#isLeaving = false;
      if (isBack) this.restore();
    };
    const stopSpeed = subscribeToSpeed(this.#applySpeed);
    for (const [type, handler] of Object.entries(handlers)) audio.addEventListener(type, handler);
    addEventListener("pagehide", onHide);
    addEventListener("pageshow", onShow);
    return () => {
      stopSpeed();
      for (const [type, handler] of Object.entries(handlers))
        audio.removeEventListener(type, handler);
      removeEventListener("pagehide", onHide);
      removeEventListener("pageshow", onShow);
    };
  };

  /** Plays `program`, from `seconds` or from where the listener stopped. A second call toggles. */
  start(program: Program, seconds?: number): void {
    const openIndex = program.tracks.findIndex(({ src }) => src === this.#state?.track.src);
    const index = program.index ?? (openIndex >= 0 ? openIndex : findStart(program.tracks));
    if (index === openIndex && seconds === undefined) return this.toggle();
    this.#remember();
    this.#open(program, index, seconds);
    this.#play();
  }

  /**
   * Opens what the tab played on the previous page, at its place there; the browser may keep it
   * paused. Closes the player if it was closed there.
   */
  restore(): void {
    const listening = readListening();
    if (!listening) return this.#reset();
    this.#open(listening.program, listening.index);
    if (listening.isPlaying) this.#play();
  }

  toggle = (): void => {
    if (this.audio.paused || this.audio.error) this.#play();
    else this.audio.pause();
  };

  seek = (ms: number): void => {
    const lengthMs = this.#lengthMs();
    this.audio.currentTime = Math.max(0, lengthMs > 0 ? Math.min(ms, lengthMs) : ms) / 1_000;
    this.#move();
  };

  close = (): void => {
    this.#remember();
    this.#reset();
  };

  #reset(): void {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.#set(null);
  }

  #open(program: Program, index: number, seconds?: number): void {
    const track = program.tracks[index];
    if (!track) return;
    const isSame = this.#state?.track.src === track.src;
    if (!isSame) this.audio.src = track.src;
    const startS = seconds ?? findPlace(track.src);
    this.audio.currentTime = startS;
    this.#applySpeed();
    this.#rememberedS = startS;
    this.#set({
      program,
      track,
      index,
      isPlaying: false,
      hasFailed: false,
      positionMs: startS * 1_000,
      lengthMs: track.durationMs ?? 0,
    });
  }

  #play(): void {
    if (this.audio.error) {
      // After an error, the element doesn't play until it is reloaded.
      const { currentTime } = this.audio;
      this.audio.load();
      this.audio.currentTime = currentTime;
    }
    this.audio.play().catch((error: unknown) => {
      // AbortError: paused before it started. NotAllowedError: the browser waits for a press.
      const name = error instanceof DOMException ? error.name : "";
      if (name !== "AbortError" && name !== "NotAllowedError") this.#update({ hasFailed: true });
      else this.#update({ isPlaying: !this.audio.paused });
    });
  }

  #onPlay(): void {
    for (const other of document.querySelectorAll("audio")) if (other !== this.audio) other.pause();
    this.#update({ isPlaying: true, hasFailed: false });
  }

  #pause(): void {
    this.#remember();
    this.#update({ isPlaying: false });
  }

  #move(): void {
    const { currentTime } = this.audio;
    if (Math.abs(currentTime - this.#rememberedS) >= REMEMBER_EVERY_S) this.#remember();
    this.#update({ positionMs: currentTime * 1_000 });
  }

  #end(): void {
    const state = this.#state;
    if (!state) return;
    rememberPlace(state.track.src, 0);
    this.#update({ isPlaying: false, positionMs: 0 });
    if (state.index + 1 >= state.program.tracks.length) return;
    this.#open(state.program, state.index + 1);
    this.#play();
  }

  #remember(): void {
    const { audio } = this;
    // At the end, the place is forgotten; before the file is loaded, it is unknown.
    if (!this.#state || audio.ended || audio.readyState === 0) return;
    this.#rememberedS = audio.currentTime;
    rememberPlace(this.#state.track.src, audio.currentTime);
  }

  #applySpeed = (): void => {
    this.audio.defaultPlaybackRate = readPlaybackSpeed();
    this.audio.playbackRate = this.audio.defaultPlaybackRate;
  };

  #lengthMs(): number {
    const { duration } = this.audio;
    return this.#state?.track.durationMs ?? (Number.isFinite(duration) ? duration * 1_000 : 0);
  }

  #update(change: Partial<PlaybackState>): void {
    if (this.#state) this.#set({ ...this.#state, ...change });
  }

  #set(state: PlaybackState | null): void {
    this.#state = state;
    if (!this.#isLeaving)
      rememberListening(
        state && { program: state.program, index: state.index, isPlaying: state.isPlaying },
      );
    for (const listener of this.#listeners) listener();
  }
}
