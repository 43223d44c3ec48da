// Streams a body with backpressure, and releases its resources if the reader stalls.

import { MINUTE_MS } from "#lib/core/clock.ts";

/** How long a reader may stall. A media player that resumes later requests the rest. */
export const IDLE_TIMEOUT_MS = MINUTE_MS;

interface PullSource {
  /** Returns the next chunk; null after the last. Called on demand, one call at a time. */
  nextChunk(): Uint8Array | null | Promise<Uint8Array | null>;
  /** Called exactly once, however the stream ends: release everything here. */
  onEnd(): void;
  /** The stream's maximum duration, which bounds slow readers too. Default: unlimited. */
  readonly maxDurationMs?: number;
  /**
   * Called on a timeout, before `onEnd`. Destroy the connection: a blocked write never returns.
   */
  onTimeout?(): void;
}

/**
 * Returns a stream of the chunks of `nextChunk`. It errors if `nextChunk` throws or the reader
 * stalls for IDLE_TIMEOUT_MS, or is not done after `maxDurationMs`.
 */
export function streamWithIdleTimeout({
  nextChunk,
  onEnd,
  maxDurationMs,
  onTimeout,
}: PullSource): ReadableStream<Uint8Array> {
  let idleTimer: NodeJS.Timeout;
  let deadline: NodeJS.Timeout | undefined;
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(idleTimer);
    clearTimeout(deadline);
    onEnd();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const failAfter = (ms: number, message: string) =>
          setTimeout(() => {
            controller.error(new Error(message));
            try {
              onTimeout?.();
            } finally {
              end();
            }
          }, ms).unref();
        idleTimer = failAfter(IDLE_TIMEOUT_MS, "The client read nothing for a minute.");
        if (maxDurationMs !== undefined)
          deadline = failAfter(maxDurationMs, "The client read too slowly.");
      },
      async pull(controller) {
        idleTimer.refresh();
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
