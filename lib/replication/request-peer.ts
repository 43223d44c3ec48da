// Calls of this instance to another one, on the private network: signed, bounded in time and size.

import { requestInternal } from "#lib/core/internal-request.ts";
import { INTERNAL_HEADER, signInternalRequest } from "#lib/core/internal-request-signature.ts";
import { type Peer, peerSiteUrl } from "./peers.ts";

const MAX_RESPONSE_BYTES = 65_536;

/** What the answer of a peer must be to count. */
export class PeerError extends Error {
  /** The peer's status; null where it did not answer. */
  readonly status: number | null;

  constructor(peer: Peer, status: number | null, cause?: unknown) {
    super(
      status === null ? `${peer.instance} did not answer` : `${peer.instance} answered ${status}`,
      { cause },
    );
    this.name = "PeerError";
    this.status = status;
  }
}

interface PeerRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** What the signature is about; the same text as the handler's. */
  readonly signatureSubject: string;
  readonly body?: unknown;
  /** The bound of the whole call. */
  readonly timeoutMs: number;
}

/** The JSON that `peer` answers. Throws PeerError for any status but 200, and when there is no whole answer in time. */
export async function requestPeer(
  peer: Peer,
  { method, path, signatureSubject, body, timeoutMs }: PeerRequest,
): Promise<unknown> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    [INTERNAL_HEADER]: signInternalRequest(signatureSubject),
    accept: "application/json",
    ...(sent !== undefined && {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(sent)),
    }),
  };
  try {
    const answer = await requestInternal(peerSiteUrl(peer) + path, {
      method,
      headers,
      body: sent,
      timeoutMs,
      maxBytes: MAX_RESPONSE_BYTES,
    });
    // A replay among the headers is no answer either: nothing between two instances obeys it.
    if (answer.status !== 200 || answer.headers["fly-replay"] !== undefined)
      throw new PeerError(peer, answer.status);
    return JSON.parse(answer.body) as unknown;
  } catch (error) {
    throw error instanceof PeerError ? error : new PeerError(peer, null, error);
  }
}
