// Records one MediaStream: delivers chunks, measures time without pauses and loudness, and enforces
// the time limit.

import { closeMicrophone, createMediaRecorder } from "./microphone.ts";
import { type LevelMeter, startLevelMeter } from "./level-meter.ts";

/** How often the recorder delivers a chunk. A crashed tab loses at most this much audio. */
const CHUNK_MS = 1_000;
const LEVEL_INTERVAL_MS = 100;
const TICK_INTERVAL_MS = 200;

type EndReason = "stopped" | "time" | "microphone";

interface RecordingListeners {
  /** Called with the chunks in order. Any prefix of them is a playable file. */
  onChunk(chunk: Blob): void;
  /** Called about 20 times a second with 0–100, including during pauses. */
  onLevel(level: number): void;
  /** Called a few times a second during the recording. */
  onTime(elapsedMs: number): void;
  /** Called once, after the last chunk. */
  onEnd(reason: EndReason): void;
}

/** Records a stream until stop(), the time limit or the loss of the microphone. */
export class RecordingSession {
  readonly type: string;
  readonly startedAtMs = Date.now();
  /** The peak of each tenth of a second so far, 0–100. */
  readonly levels: number[] = [];
  readonly #recorder: MediaRecorder;
  readonly #meter: LevelMeter;
  readonly #stream: MediaStream;
  readonly #maxMs: number;
  readonly #listeners: RecordingListeners;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Milliseconds recorded before the last pause or resume. */
  #previousMs = 0;
  /** When recording last resumed, by performance.now(); null during a pause. */
  #resumedAtMs: number | null = null;
  #reason: EndReason | null = null;
  #resolveEnded: () => void = () => {};
  /** Resolves after onEnd. */
  readonly ended = new Promise<void>((resolve) => (this.#resolveEnded = resolve));

  /** Starts immediately and closes the stream at the end. Throws the errors of MediaRecorder. */
  constructor(stream: MediaStream, maxMs: number, listeners: RecordingListeners) {
    this.#stream = stream;
    this.#maxMs = maxMs;
    this.#listeners = listeners;
    this.#recorder = createMediaRecorder(stream);
    this.#recorder.ondataavailable = ({ data }) => {
      if (data.size > 0) listeners.onChunk(data);
      // Browsers throttle timers in background tabs, but not audio.
      this.#tick();
    };
    this.#recorder.onstop = () => {
      this.#close();
      listeners.onEnd(this.#reason ?? "microphone");
      this.#resolveEnded();
    };
    this.#recorder.onerror = () => this.#end("microphone");
    for (const track of stream.getAudioTracks()) track.onended = () => this.#end("microphone");
    this.#recorder.start(CHUNK_MS);
    this.type = this.#recorder.mimeType || "audio/webm";
    this.#meter = startLevelMeter(stream, (level) => this.#addLevel(level));
    this.#startClock();
  }

  get elapsedMs(): number {
    const currentMs = this.#resumedAtMs === null ? 0 : performance.now() - this.#resumedAtMs;
    return Math.min(this.#maxMs, this.#previousMs + Math.max(0, currentMs));
  }

  get isPaused(): boolean {
    return this.#resumedAtMs === null;
  }

  pause(): void {
    if (this.#recorder.state !== "recording") return;
    this.#stopClock();
    this.#recorder.pause();
    // Muting instead of closing: resuming must not ask for permission again.
    for (const track of this.#stream.getAudioTracks()) track.enabled = false;
    // Stores the last partial chunk now, in case the tab is closed during the pause.
    this.#recorder.requestData();
    this.#listeners.onTime(this.elapsedMs);
  }

  resume(): void {
    if (this.#recorder.state !== "paused") return;
    for (const track of this.#stream.getAudioTracks()) track.enabled = true;
    this.#recorder.resume();
    this.#startClock();
  }

  stop(): void {
    this.#end("stopped");
  }

  #startClock(): void {
    this.#resumedAtMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_INTERVAL_MS);
  }

  #stopClock(): void {
    this.#previousMs = this.elapsedMs;
    this.#resumedAtMs = null;
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (this.isPaused) return;
    if (this.elapsedMs >= this.#maxMs) return this.#end("time");
    this.#listeners.onTime(this.elapsedMs);
  }

  #addLevel(level: number): void {
    if (!this.isPaused) {
      const slot = Math.min(
        Math.floor(this.elapsedMs / LEVEL_INTERVAL_MS),
        Math.ceil(this.#maxMs / LEVEL_INTERVAL_MS),
      );
      while (this.levels.length < slot) this.levels.push(this.levels.at(-1) ?? level);
      this.levels[slot] = Math.max(this.levels[slot] ?? 0, level);
    }
    this.#listeners.onLevel(this.isPaused ? 0 : level);
  }

  #end(reason: EndReason): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#stopClock();
    // A recorder stops by itself when its track ends.
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  #close(): void {
    this.#stopClock();
    this.#meter.close();
    for (const track of this.#stream.getAudioTracks()) track.onended = null;
    closeMicrophone(this.#stream);
  }
}
