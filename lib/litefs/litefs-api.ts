// LiteFS' own HTTP interface (https://fly.io/docs/litefs/events, `http/server.go` of v0.5.14). It knows no password:
// never let it be reached from outside the private network.

import { type IncomingMessage, request } from "node:http";

export interface LitefsInfo {
  readonly clusterID: string;
  readonly isPrimary: boolean;
  readonly candidate: boolean;
  /** The primary's name, this node's own where it is primary; undefined where none is known. */
  readonly primary?: { readonly hostname?: string };
}

/** isPrimary/hostname of `init` and `primaryChange`: hostname is another node's, and empty where none is known. */
export type LitefsEvent =
  | { readonly type: "init" | "primaryChange"; readonly data: { readonly isPrimary: boolean; readonly hostname?: string } }
  | { readonly type: "tx"; readonly db: string; readonly data: { readonly txID: string; readonly timestamp: string } };

const MAX_LINE = 65_536;
const MAX_BODY = 1_048_576;

function open(method: "GET" | "POST", url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // No agent: these are few, and none may wait behind another's stream.
    const sent = request(url, { method, agent: false, signal }, resolve);
    sent.once("error", reject);
    sent.end();
  });
}

async function text(method: "GET" | "POST", url: string, timeoutMs: number): Promise<string> {
  const response = await open(method, url, AbortSignal.timeout(timeoutMs));
  let body = "";
  for await (const chunk of response) if (body.length < MAX_BODY) body += String(chunk);
  if (response.statusCode !== 200) throw new Error(`LiteFS answered ${response.statusCode} to ${method} ${new URL(url).pathname}: ${body.trim().slice(0, 300)}`);
  return body;
}

/** GET /info of the node at `url`. Throws when it does not answer within `timeoutMs`. */
export async function litefsInfo(url: string, timeoutMs: number): Promise<LitefsInfo> {
  return JSON.parse(await text("GET", `${url}/info`, timeoutMs)) as LitefsInfo;
}

/** The newest transaction that the node at `url` has of `database` (its /debug/vars); 0 without it. Throws when it does not answer within `timeoutMs`. */
export async function litefsTxid(url: string, database: string, timeoutMs: number): Promise<number> {
  const { store } = JSON.parse(await text("GET", `${url}/debug/vars`, timeoutMs)) as { store?: { dbs?: Record<string, { txid: string }> } };
  return Number.parseInt(store?.dbs?.[database]?.txid ?? "0", 16);
}

/** POST /promote: the candidate at `url` asks the primary for the lease, and has it when this returns. Throws when it does not get it. */
export async function litefsPromote(url: string, timeoutMs: number): Promise<void> {
  await text("POST", `${url}/promote`, timeoutMs);
}

/**
 * GET /events of the node at `url`: calls `on` with each event, the first of which is `init`. Resolves when the stream ends,
 * rejects when it breaks, is refused or `signal` aborts. LiteFS ends the stream of a listener that is 1,024 events behind.
 */
export async function litefsEvents(url: string, on: (event: LitefsEvent) => void, signal: AbortSignal): Promise<void> {
  const response = await open("GET", `${url}/events`, signal);
  if (response.statusCode !== 200) throw new Error(`LiteFS answered ${response.statusCode} to GET /events`);
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE) throw new Error("LiteFS sent an event that is too long");
    for (const line of lines) if (line) on(JSON.parse(line) as LitefsEvent);
  }
}
