// One direction of a connection: bytes come out as they went in, later by the way's length, and not at all while it is cut.

import { Duplex } from "node:stream";

export interface PipeState {
  /** One way, in milliseconds. */
  delayMs: number;
  /** False: nothing moves, nothing is lost, nobody is told. As packets that are dropped and sent again. */
  isOpen: boolean;
}

/** What is on its way at most; who writes more waits, as with a full TCP window. */
const IN_FLIGHT_BYTES = 4 * 1024 * 1024;

export class Pipe extends Duplex {
  readonly #state: () => PipeState;
  /** In order of arrival; null is the end of the stream, which travels as the bytes do. */
  readonly #underWay: { dueMs: number; bytes: Buffer | null }[] = [];
  #inFlight = 0;
  #isWanted = true;
  #accept: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `state` is asked at each chunk; call `changed()` after it turned. */
  constructor(state: () => PipeState) {
    super({ allowHalfOpen: true });
    this.#state = state;
  }

  applyState(): void {
    this.#deliver();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#underWay.push({ dueMs: performance.now() + this.#state().delayMs, bytes: chunk });
    this.#inFlight += chunk.length;
    if (this.#inFlight < IN_FLIGHT_BYTES) done();
    else this.#accept = done;
    this.#deliver();
  }

  override _final(done: () => void): void {
    this.#underWay.push({ dueMs: performance.now() + this.#state().delayMs, bytes: null });
    this.#deliver();
    done();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#deliver();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#underWay.length = 0;
    done(error);
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.destroyed || !this.#state().isOpen) return;
    for (let next = this.#underWay[0]; next && this.#isWanted; next = this.#underWay[0]) {
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), Math.ceil(waitMs));
        return;
      }
      this.#underWay.shift();
      this.#inFlight -= next.bytes?.length ?? 0;
      // Whoever reads may ask for more while it takes this: that must not be forgotten.
      this.#isWanted = false;
      if (this.push(next.bytes)) this.#isWanted = true;
      if (this.#accept && this.#inFlight < IN_FLIGHT_BYTES) {
        const accept = this.#accept;
        this.#accept = undefined;
        accept();
      }
    }
  }
}
