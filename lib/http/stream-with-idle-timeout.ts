// Streams a body with backpressure, and releases its resources if the reader stalls.

import { MINUTE_MS } from "#lib/core/clock.ts";

/** How long a reader may stall. A media player that resumes later requests the rest. */
export const IDLE_TIMEOUT_MS = MINUTE_MS;

interface PullSource {
  /** Returns the next chunk; null after the last. Called on demand, one call at a time. */
  nextChunk(): Uint8Array | null | Promise<Uint8Array | null>;
  /** Called exactly once, however the stream ends: release everything here. */
  onEnd(): void;
  /**
   * Called on idle timeout, before `onEnd`. Destroy the connection: a blocked write never returns.
   */
  onIdleTimeout?(): void;
}

/**
 * Returns a stream of the chunks of `nextChunk`. It errors if `nextChunk` throws or the reader
 * stalls for IDLE_TIMEOUT_MS.
 */
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
          controller.error(new Error("The client read nothing for a minute."));
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
          // Canceled in the meantime.
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
