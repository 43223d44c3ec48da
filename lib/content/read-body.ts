// The body of a request, and never more of it than was asked for.

import { AppError } from "../base/errors.ts";

/**
 * The raw bytes of the body. Throws AppError: too_large as soon as more than `maxBytes` are announced or have come
 * (the rest is not read), invalid when the client ends it early.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new AppError("too_large", `The body is larger than ${maxBytes} bytes.`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge();
  if (!request.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(chunks);
      size += value.byteLength;
      if (size > maxBytes) throw tooLarge();
      chunks.push(value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error instanceof AppError ? error : new AppError("invalid", "The body ended early.", { cause: error });
  }
}
