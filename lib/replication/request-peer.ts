// Sends signed requests to another instance on the private network, with limits on time and size.

import { requestInternal } from "#lib/core/internal-request.ts";
import { INTERNAL_HEADER, signInternalRequest } from "#lib/core/internal-request-signature.ts";
import { type Peer, peerSiteUrl } from "./peers.ts";

const MAX_RESPONSE_BYTES = 65_536;

/** Thrown if a peer does not respond with 200 and JSON. */
export class PeerError extends Error {
  /** HTTP status; null if there was no valid response. */
  readonly status: number | null;

  constructor(peer: Peer, status: number | null, cause?: unknown) {
    super(
      status === null
        ? `${peer.instance} did not respond`
        : `${peer.instance} responded with ${status}`,
      { cause },
    );
    this.name = "PeerError";
    this.status = status;
  }
}

interface PeerRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Signed; must equal the subject that the handler expects. */
  readonly signatureSubject: string;
  readonly body?: unknown;
  /** Deadline for the whole request. */
  readonly timeoutMs: number;
}

/**
 * Returns the parsed JSON body. Throws PeerError for any status but 200, for invalid JSON, and on
 * timeout.
 */
export async function requestPeer(
  peer: Peer,
  { method, path, signatureSubject, body, timeoutMs }: PeerRequest,
): Promise<unknown> {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    [INTERNAL_HEADER]: signInternalRequest(signatureSubject),
    accept: "application/json",
    ...(json !== undefined && {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(json)),
    }),
  };
  try {
    const response = await requestInternal(peerSiteUrl(peer) + path, {
      method,
      headers,
      body: json,
      timeoutMs,
      maxBytes: MAX_RESPONSE_BYTES,
    });
    // There is no proxy between instances that would act on a replay.
    if (response.status !== 200 || response.headers["fly-replay"] !== undefined)
      throw new PeerError(peer, response.status);
    return JSON.parse(response.body) as unknown;
  } catch (error) {
    throw error instanceof PeerError ? error : new PeerError(peer, null, error);
  }
}
