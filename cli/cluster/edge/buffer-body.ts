// The body of a request as far as the proxy keeps it: whole if it is small enough to be sent twice.

import type { IncomingMessage } from "node:http";
import type { BufferedBody } from "./forward.ts";

/** "Requests larger than 1MB cannot be replayed" (Fly's docs on fly-replay). */
export const MAX_REPLAY_BYTES = 1024 * 1024;

/** Reads until the end or 1 MB. `rest` is what is still to come: with it the body can be sent once only. Throws if the client goes. */
export function bufferBody(request: IncomingMessage): Promise<BufferedBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (rest: IncomingMessage | null) => {
      request.off("data", read).off("end", end).off("error", reject).off("close", gone);
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
    const gone = () => reject(new Error("the client went away"));
    request.on("data", read).on("end", end).on("error", reject).on("close", gone);
  });
}
