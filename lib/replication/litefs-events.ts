// Subscribes to LiteFS's events (https://fly.io/docs/litefs/events, `http/server.go` of v0.5.14).
// LiteFS's HTTP API has no authentication: never expose it outside the private network.

import { type IncomingMessage, request } from "node:http";

/** `hostname` is the primary's if another node is primary; empty if no primary is known. */
export type LitefsEvent =
  | {
      readonly type: "init" | "primaryChange";
      readonly data: { readonly isPrimary: boolean; readonly hostname?: string };
    }
  | {
      readonly type: "tx";
      readonly db: string;
      readonly data: {
        readonly txID: string;
        readonly postApplyChecksum: string;
        readonly timestamp: string;
      };
    };

const MAX_LINE_LENGTH = 65_536;
/** For the response's head; afterwards, LiteFS is silent until something happens. */
const RESPONSE_TIMEOUT_MS = 5_000;

function openEventStream(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // No agent: the stream would occupy a pooled connection.
    const sent = request(url, { agent: false, signal }, (response) => {
      response.socket.setTimeout(0);
      resolve(response);
    });
    sent.setTimeout(RESPONSE_TIMEOUT_MS, () =>
      sent.destroy(new Error("LiteFS did not respond to GET /events")),
    );
    sent.once("error", reject);
    sent.end();
  });
}

/**
 * Calls `on` with each event of the node at `url`, `init` first. Resolves when the stream ends,
 * which LiteFS does to a listener that is 1,024 events behind. Rejects if it breaks, is refused, or
 * `signal` aborts.
 */
export async function subscribeLitefsEvents(
  url: string,
  on: (event: LitefsEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await openEventStream(`${url}/events`, signal);
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`LiteFS responded with ${response.statusCode} to GET /events`);
  }
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_LENGTH) throw new Error("LiteFS sent an event that is too long");
    for (const line of lines) if (line) on(JSON.parse(line) as LitefsEvent);
  }
}
