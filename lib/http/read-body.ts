// Reads a request body with limits on size and time, against slow POST (slow-body, Slowloris-like)
// attacks.

import { AppError, isAppError } from "#lib/core/errors.ts";
import { ByteBuffer } from "./byte-buffer.ts";

/** Enough for a small body on a slow network. Node's limit for a whole request is minutes. */
export const BODY_TIMEOUT_MS = 10_000;

/**
 * Maximum bytes to discard of a body that is too large, so that its connection can serve the next
 * request.
 */
const MAX_DRAIN_BYTES = 2_097_152;

/**
 * Returns the raw body. Throws AppError(too_large) once more than `maxBytes` are announced or
 * received, AppError(timeout) if the body is incomplete after `timeoutMs`, and AppError(invalid) if
 * it ends early.
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
    () => late.reject(new AppError("timeout", "The body took too long.")),
    timeoutMs,
  );
  const readAll = async () => {
    const body = new ByteBuffer();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return body.bytes;
      if (body.bytes.length + value.byteLength > maxBytes) throw tooLarge();
      body.append(value);
    }
  };
  try {
    // One race, because each would stay in memory until the deadline.
    return await Promise.race([readAll(), late.promise]);
  } catch (error) {
    // Not awaited, because a client that never ends its body would block this forever.
    void (isAppError(error, "too_large") ? drainBody(reader) : reader.cancel()).catch(() => {});
    throw error instanceof AppError
      ? error
      : new AppError("invalid", "The body ended early.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Discards the rest up to a limit, then cancels. Many clients read the response only after sending
 * the whole body.
 */
async function drainBody(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), BODY_TIMEOUT_MS);
  try {
    for (let remaining = MAX_DRAIN_BYTES; remaining > 0;) {
      const { done, value } = await reader.read();
      if (done) return;
      remaining -= value.byteLength;
    }
    await reader.cancel();
  } finally {
    clearTimeout(timer);
  }
}
