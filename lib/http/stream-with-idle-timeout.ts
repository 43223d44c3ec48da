// Streams a body with backpressure, and ends it when the reader stalls: what it holds is released.

import { MINUTE_MS } from "#lib/core/clock.ts";

/** How long a reader may stall. A player that comes back later requests the rest. */
export const IDLE_TIMEOUT_MS = MINUTE_MS;

interface PullSource {
  /** Returns the next chunk; null after the last. Called one at a time, when the reader wants it. */
  nextChunk(): Uint8Array | null | Promise<Uint8Array | null>;
  /** Called exactly once, however the stream ends: release everything here. */
  onEnd(): void;
  /** Called on idle timeout, before `onEnd`. Destroy the connection: a blocked write never returns. */
  onIdleTimeout?(): void;
}

/** Streams what `nextChunk` returns. Errors with what it throws, or when the reader stalls for a minute. */
export function streamWithIdleTimeout({
  nextChunk,
  onEnd,
  onIdleTimeout,
}: PullSource): ReadableStream<Uint8Array> {
  let timer: NodeJS.Timeout;
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    onEnd();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        timer = setTimeout(() => {
          controller.error(new Error("The reader took nothing for a minute."));
          try {
            onIdleTimeout?.();
          } finally {
            end();
          }
        }, IDLE_TIMEOUT_MS);
        timer.unref();
      },
      async pull(controller) {
        timer.refresh();
        try {
          const chunk = await nextChunk();
          // Cancelled meanwhile.
          if (isOver) return;
          if (chunk) return controller.enqueue(chunk);
          end();
          controller.close();
        } catch (error) {
          end();
          throw error;
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
