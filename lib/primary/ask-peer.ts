// Calls of this instance to another one, on the private network: signed, bounded in time and size.

import { request } from "node:http";
import { env } from "../base/env.ts";
import { INTERNAL_HEADER, signInternal } from "../base/internal-call.ts";
import type { Peer } from "../litefs/peers.ts";

const MAX_BYTES = 65_536;

/** What the answer of a peer must be to count. */
export class PeerError extends Error {
  /** The peer's status; null where it did not answer. */
  readonly status: number | null;

  constructor(peer: Peer, status: number | null, cause?: unknown) {
    super(status === null ? `${peer.instance} did not answer` : `${peer.instance} answered ${status}`, { cause });
    this.name = "PeerError";
    this.status = status;
  }
}

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** What the signature is about; the same text as the handler's. */
  readonly about: string;
  readonly body?: unknown;
  /** The bound of the whole call. */
  readonly timeoutMs: number;
}

/** The JSON that `peer` answers. Throws PeerError for any status but 200, and when there is no whole answer in time. */
export async function askPeer(peer: Peer, { method, path, about, body, timeoutMs }: Call): Promise<unknown> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const host = peer.host.replace(/^\[|\]$/g, "");
  try {
    return await new Promise<unknown>((resolve, reject) => {
      const call = request(
        {
          host,
          port: env.PORT,
          method,
          path,
          // No agent: these are few, and a connection kept for a peer that died would be the first to be tried.
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
          headers: { [INTERNAL_HEADER]: signInternal(about), accept: "application/json", ...(sent !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(sent) }) },
        },
        (response) => {
          // A replay among the headers is no answer either: nothing between two instances obeys it.
          if (response.statusCode !== 200 || response.headers["fly-replay"] !== undefined) {
            response.resume();
            return reject(new PeerError(peer, response.statusCode ?? null));
          }
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            text += chunk;
            if (text.length > MAX_BYTES) call.destroy(new Error("the answer is too long"));
          });
          response.once("error", reject);
          response.once("end", () => {
            try {
              resolve(JSON.parse(text));
            } catch (error) {
              reject(error as Error);
            }
          });
        },
      );
      call.once("error", reject);
      call.end(sent);
    });
  } catch (error) {
    throw error instanceof PeerError ? error : new PeerError(peer, null, error);
  }
}
