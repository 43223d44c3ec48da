// Delays one direction of a connection, and holds it back while the link is cut.

import { Duplex } from "node:stream";

export interface PipeState {
  /** One-way latency in milliseconds. */
  delayMs: number;
  /** If false, nothing moves and nothing is lost, as if packets were dropped and retransmitted. */
  isOpen: boolean;
}

/** Maximum bytes in flight; beyond it, backpressure as with a full TCP window. */
const IN_FLIGHT_BYTES = 4 * 1024 * 1024;

export class Pipe extends Duplex {
  readonly #state: () => PipeState;
  /** In order of arrival; null is the end of the stream, delayed like the bytes. */
  readonly #queue: { dueMs: number; bytes: Buffer | null }[] = [];
  #inFlight = 0;
  #canPush = true;
  #accept: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `state` is called for each chunk. Call applyState() after it changes. */
  constructor(state: () => PipeState) {
    super({ allowHalfOpen: true });
    this.#state = state;
  }

  applyState(): void {
    this.#deliver();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#queue.push({ dueMs: performance.now() + this.#state().delayMs, bytes: chunk });
    this.#inFlight += chunk.length;
    if (this.#inFlight < IN_FLIGHT_BYTES) done();
    else this.#accept = done;
    this.#deliver();
  }

  override _final(done: () => void): void {
    this.#queue.push({ dueMs: performance.now() + this.#state().delayMs, bytes: null });
    this.#deliver();
    done();
  }

  override _read(): void {
    this.#canPush = true;
    this.#deliver();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    done(error);
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.destroyed || !this.#state().isOpen) return;
    for (let next = this.#queue[0]; this.#canPush && next; next = this.#queue[0]) {
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), Math.ceil(waitMs));
        return;
      }
      this.#queue.shift();
      this.#inFlight -= next.bytes?.length ?? 0;
      // push() may call _read() synchronously, which sets #canPush again.
      this.#canPush = false;
      if (this.push(next.bytes)) this.#canPush = true;
      if (this.#accept && this.#inFlight < IN_FLIGHT_BYTES) {
        const accept = this.#accept;
        this.#accept = undefined;
        accept();
      }
    }
  }
}
