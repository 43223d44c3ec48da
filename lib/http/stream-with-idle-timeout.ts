// A body that is made as the reader takes it, and given up when the reader takes nothing: what it holds is never held for long.

import { MINUTE_MS } from "#lib/core/clock.ts";

/** How long a reader may take nothing. A player that comes back later asks for the rest. */
export const IDLE_TIMEOUT_MS = MINUTE_MS;

interface PullSource {
  /** The next piece; null after the last. Not asked before a reader wants it, and for one at a time. */
  nextChunk(): Uint8Array | null | Promise<Uint8Array | null>;
  /** Exactly once, however it ends: let go of everything here. */
  onEnd(): void;
  /** Before onEnd, when nothing was taken for IDLE_MS: the connection is to be closed, since a write that waits for its reader waits for ever. */
  onIdleTimeout?(): void;
}

/** What `next` gives, piece by piece. Errors with what `next` throws, and when nobody has taken a piece for a minute. */
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
          const piece = await nextChunk();
          // Given up while the piece was made.
          if (isOver) return;
          if (piece) return controller.enqueue(piece);
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
