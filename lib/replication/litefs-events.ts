// LiteFS' own HTTP interface (https://fly.io/docs/litefs/events, `http/server.go` of v0.5.14). It knows no password:
// never let it be reached from outside the private network.

import { type IncomingMessage, request } from "node:http";

/** isPrimary/hostname of `init` and `primaryChange`: hostname is another node's, and empty where none is known. */
export type LitefsEvent =
  | {
      readonly type: "init" | "primaryChange";
      readonly data: { readonly isPrimary: boolean; readonly hostname?: string };
    }
  | {
      readonly type: "tx";
      readonly db: string;
      readonly data: { readonly txID: string; readonly timestamp: string };
    };

const MAX_LINE_LENGTH = 65_536;

function openEventStream(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // No agent: these are few, and none may wait behind another's stream.
    const sent = request(url, { agent: false, signal }, resolve);
    sent.once("error", reject);
    sent.end();
  });
}

/**
 * GET /events of the node at `url`: calls `on` with each event, the first of which is `init`. Resolves when the stream ends,
 * rejects when it breaks, is refused or `signal` aborts. LiteFS ends the stream of a listener that is 1,024 events behind.
 */
export async function subscribeLitefsEvents(
  url: string,
  on: (event: LitefsEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await openEventStream(`${url}/events`, signal);
  if (response.statusCode !== 200)
    throw new Error(`LiteFS answered ${response.statusCode} to GET /events`);
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_LENGTH) throw new Error("LiteFS sent an event that is too long");
    for (const line of lines) if (line) on(JSON.parse(line) as LitefsEvent);
  }
}
