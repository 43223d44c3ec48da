// The body of a request, never more of it than was asked for, and never waited for longer than that.

import { AppError, isAppError } from "#lib/core/errors.ts";

/** Long enough for a small body over a slow line; a server's own limit for a whole request is minutes. */
export const BODY_TIMEOUT_MS = 10_000;

/** Of a body that is too large: let through and forgotten, so that its connection can take the next request. */
const MAX_DRAIN_BYTES = 2_097_152;

/**
 * The raw bytes of the body. Throws AppError: too_large as soon as more than `maxBytes` are announced or have come,
 * invalid when it isn't complete after `timeoutMs` or the client ends it early. What comes after it threw is forgotten, or not read.
 */
export async function readBody(
  request: Request,
  { maxBytes, timeoutMs = BODY_TIMEOUT_MS }: { maxBytes: number; timeoutMs?: number },
): Promise<Uint8Array> {
  const tooLarge = () => new AppError("too_large", `The body is larger than ${maxBytes} bytes.`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge();
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new AppError("invalid", "The body took too long.")),
    timeoutMs,
  );
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) return Buffer.concat(chunks);
      size += value.byteLength;
      if (size > maxBytes) throw tooLarge();
      chunks.push(value);
    }
  } catch (error) {
    // Not waited for: whoever doesn't end a body may not end this either.
    void (isAppError(error, "too_large") ? drainBody(reader) : reader.cancel()).catch(() => {});
    throw error instanceof AppError
      ? error
      : new AppError("invalid", "The body ended early.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Reads on for a while, and then cancels: a client that is still sending hears the answer only when it is through. */
async function drainBody(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), BODY_TIMEOUT_MS);
  try {
    for (let left = MAX_DRAIN_BYTES; left > 0;) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
    await reader.cancel();
  } finally {
    clearTimeout(timer);
  }
}
