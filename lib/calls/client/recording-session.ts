// One recording: the browser's recorder, the time without pauses, the loudness, and the hard stop.

import { closeMicrophone, createMediaRecorder } from "./microphone.ts";
import { type LevelMeter, startLevelMeter } from "./level-meter.ts";

/** How often the recorder hands over what it has: this much can be lost when a tab dies. */
const CHUNK_MS = 1_000;
const LEVEL_INTERVAL_MS = 100;
const TICK_INTERVAL_MS = 200;

interface RecordingListeners {
  /** A piece of the audio, in order. Together they are the file; without the last ones it still plays. */
  onChunk(piece: Blob): void;
  /** About twenty times a second, also in pauses. */
  onLevel(level: number): void;
  /** A few times a second while it records. */
  onTime(elapsedMs: number): void;
  /** Once: by stop(), at the end of the time, or since the microphone went away. All pieces were handed over. */
  onEnd(reason: "stopped" | "time" | "microphone"): void;
}

export class RecordingSession {
  readonly type: string;
  readonly startedAtMs = Date.now();
  /** The loudest of each tenth of a second so far. */
  readonly levels: number[] = [];
  readonly #recorder: MediaRecorder;
  readonly #meter: LevelMeter;
  readonly #stream: MediaStream;
  readonly #maxMs: number;
  readonly #listeners: RecordingListeners;
  #timer: ReturnType<typeof setInterval> | undefined;
  #beforeMs = 0;
  #sinceMs: number | null = null;
  #reason: "stopped" | "time" | "microphone" | null = null;
  #resolveEnded: () => void = () => {};
  /** Resolves after onEnd. */
  readonly ended = new Promise<void>((resolve) => (this.#resolveEnded = resolve));

  /** Begins at once. The stream is closed when it ends. Throws what MediaRecorder throws. */
  constructor(stream: MediaStream, maxMs: number, listeners: RecordingListeners) {
    this.#stream = stream;
    this.#maxMs = maxMs;
    this.#listeners = listeners;
    this.#recorder = createMediaRecorder(stream);
    this.#recorder.ondataavailable = ({ data }) => {
      if (data.size > 0) listeners.onChunk(data);
      // Timers sleep in tabs behind others; audio does not.
      this.#look();
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
    this.#meter = startLevelMeter(stream, (level) => this.#hear(level));
    this.#count();
  }

  get elapsedMs(): number {
    return (
      this.#beforeMs + (this.#sinceMs === null ? 0 : Math.max(0, performance.now() - this.#sinceMs))
    );
  }

  get isPaused(): boolean {
    return this.#sinceMs === null;
  }

  pause(): void {
    if (this.#recorder.state !== "recording") return;
    this.#hold();
    this.#recorder.pause();
    // Silence for the recorder and for whatever else could listen; going on must not ask again.
    for (const track of this.#stream.getAudioTracks()) track.enabled = false;
    // What was said so far is handed over now, not with the next second that may never come.
    this.#recorder.requestData();
    this.#listeners.onTime(this.elapsedMs);
  }

  resume(): void {
    if (this.#recorder.state !== "paused") return;
    for (const track of this.#stream.getAudioTracks()) track.enabled = true;
    this.#recorder.resume();
    this.#count();
  }

  stop(): void {
    this.#end("stopped");
  }

  #count(): void {
    this.#sinceMs = performance.now();
    this.#timer = setInterval(() => this.#look(), TICK_INTERVAL_MS);
  }

  #hold(): void {
    this.#beforeMs = this.elapsedMs;
    this.#sinceMs = null;
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#sinceMs === null) return;
    if (this.elapsedMs >= this.#maxMs) return this.#end("time");
    this.#listeners.onTime(this.elapsedMs);
  }

  #hear(level: number): void {
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

  #end(reason: "stopped" | "time" | "microphone"): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#hold();
    this.#beforeMs = Math.min(this.#beforeMs, this.#maxMs);
    // A recorder whose track ended stops by itself.
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  #close(): void {
    this.#hold();
    this.#meter.close();
    for (const track of this.#stream.getAudioTracks()) track.onended = null;
    closeMicrophone(this.#stream);
  }
}
