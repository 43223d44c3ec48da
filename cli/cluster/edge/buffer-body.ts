// Buffers a request body up to the size that can be replayed.

import type { IncomingMessage } from "node:http";
import type { BufferedBody } from "./forward.ts";

/** "Requests larger than 1MB cannot be replayed" (Fly's docs on fly-replay). */
export const MAX_REPLAY_BYTES = 1024 * 1024;

/**
 * Reads up to 1 MB. A body with a `rest` can be sent only once. Rejects if the client disconnects.
 */
export function bufferBody(request: IncomingMessage): Promise<BufferedBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (rest: IncomingMessage | null) => {
      request.off("data", read).off("end", end).off("error", reject).off("close", close);
      resolve({ start: Buffer.concat(chunks), rest });
    };
    const read = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= MAX_REPLAY_BYTES) return;
      request.pause();
      finish(request);
    };
    const end = () => finish(null);
    const close = () => reject(new Error("the client disconnected"));
    request.on("data", read).on("end", end).on("error", reject).on("close", close);
  });
}
