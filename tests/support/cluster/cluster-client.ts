// A browser without scripts that comes in at whatever region it is told: keeps its cookies, sends forms as HTML says, from an address of its own.

import { createHash, createHmac, hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, request as send } from "node:http";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { sealData, unsealData } from "iron-session";
import { type Form, parseForms } from "#tests/support/no-js-browser.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";

const DAY_MS = 86_400_000;
const BUSY_MS = 10_000;

export interface ClientResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** From the first byte sent to the last received. */
  readonly ms: number;
}

export interface ClientRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly timeoutMs?: number;
}

let addressCount = 0;
/** An address of this machine that no visitor had before, each in a network of its own: limits count by both. */
const nextAddress = () => `127.${1 + (((addressCount += 1) >> 8) % 70)}.${addressCount & 255}.7`;

export class ClusterClient {
  readonly cookies = new Map<string, string>();
  readonly #cluster: Cluster;
  readonly #agent: Agent;

  constructor(cluster: Cluster, cookies: Readonly<Record<string, string>> = {}) {
    this.#cluster = cluster;
    this.#agent = new Agent({ keepAlive: true, localAddress: nextAddress() });
    for (const [name, value] of Object.entries(cookies)) this.cookies.set(name, value);
  }

  /** One request through the edge of `region`; follows no redirect. Rejects when the answer is not whole within `timeoutMs` (30 s). */
  request(
    region: string,
    path: string,
    { method = "GET", headers = {}, body, timeoutMs = 30_000 }: ClientRequest = {},
  ): Promise<ClientResponse> {
    const { host, port } = new URL(this.#cluster.getEdgeUrl(region));
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      const sent = send(
        {
          host: "127.0.0.1",
          port,
          path,
          method,
          agent: this.#agent,
          signal: AbortSignal.timeout(timeoutMs),
          headers: {
            host,
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ...(this.cookies.size > 0 && {
              cookie: [...this.cookies].map((pair) => pair.join("=")).join("; "),
            }),
            ...(body !== undefined && {
              origin: `http://${host}`,
              "sec-fetch-site": "same-origin",
              "content-length": String(Buffer.byteLength(body)),
            }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            this.#keep(response.headers["set-cookie"] ?? []);
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
              ms: performance.now() - startedMs,
            });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }

  /** Sends `form` of the page at `path`, with `values` in place of what stands in it. */
  async submitForm(
    region: string,
    path: string,
    form: Form,
    values: Readonly<Record<string, string>>,
    options: ClientRequest = {},
  ): Promise<ClientResponse> {
    const data = new FormData();
    for (const [name, value] of form.fields)
      if (!Object.hasOwn(values, name)) data.append(name, value);
    for (const [name, value] of Object.entries(values)) data.append(name, value);
    const whole = new Response(data);
    return this.request(region, path, {
      ...options,
      method: "POST",
      body: Buffer.from(await whole.arrayBuffer()),
      headers: { ...options.headers, "content-type": whole.headers.get("content-type")! },
    });
  }

  /** The form with fields of these names, out of the page at `path`. */
  async findForm(region: string, path: string, names: readonly string[]): Promise<Form> {
    const { status, text } = await this.request(region, path);
    const form = parseForms(text).find(({ fields, editableNames: open }) =>
      names.every((name) => open.includes(name) || fields.some(([hidden]) => hidden === name)),
    );
    if (!form) throw new Error(`${path} (${status}) has no form with ${names.join(", ")}.`);
    return form;
  }

  /** The transaction that the site told this visitor to wait for; null where it told none. */
  readTxid(): number | null {
    const value = this.cookies.get("txid");
    return value ? Number.parseInt(value.split(".")[0]!, 36) : null;
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "" || /;\s*max-age=0\b/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

/** The secret of all nodes of a cluster. */
export function readClusterSecret(cluster: Cluster): string {
  const [node] = cluster.nodes.values();
  return readFileSync(join(dirname(node!.folder), "secret"), "utf8");
}

/** As lib/core/signature.ts signs, with the cluster's secret. */
export function signWithClusterSecret(cluster: Cluster, label: string, text: string): string {
  const key = Buffer.from(hkdfSync("sha256", readClusterSecret(cluster), "", label, 32));
  return createHmac("sha256", key).update(text).digest("base64url");
}

export interface SeededMember {
  readonly id: string;
  readonly email: string;
  /** The value of the cookie of a session that runs. */
  readonly session: string;
}

/** Adds members with a session each to the primary's database, in one transaction; on all nodes when this resolves. */
export async function seedMembers(cluster: Cluster, count: number): Promise<SeededMember[]> {
  const primary = await cluster.waitForPrimary();
  const password = readClusterSecret(cluster);
  const nowMs = Date.now();
  const ids = Array.from({ length: count }, () => ({
    id: randomUUID(),
    sessionId: randomBytes(32).toString("base64url"),
  }));
  const db = new Database(primary.databaseFile, { timeout: BUSY_MS });
  try {
    const addUser = db.prepare(
      `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "role", "team") VALUES (?, ?, ?, ?, 'Seeded', 'MEMBER', ?)`,
    );
    const addSession = db.prepare(
      `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
    );
    db.transaction(() => {
      ids.forEach(({ id, sessionId }, i) => {
        addUser.run(id, nowMs, nowMs, `${id}@example.com`, ["RED", "BLUE", "YELLOW"][i % 3]);
        addSession.run(
          createHash("sha256").update(sessionId).digest("hex"),
          nowMs,
          id,
          nowMs + 365 * DAY_MS,
        );
      });
    }).immediate();
  } finally {
    db.close();
  }
  await cluster.waitUntilInSync();
  return Promise.all(
    ids.map(async ({ id, sessionId }) => ({
      id,
      email: `${id}@example.com`,
      session: await sealData(
        { id: sessionId, sealedAtMs: nowMs },
        { password, ttl: (365 * DAY_MS) / 1000 },
      ),
    })),
  );
}

/** What stands for the session of this cookie in the database. */
export async function readSessionKey(cluster: Cluster, cookie: string): Promise<string> {
  const { id } = await unsealData<{ id: string }>(cookie, { password: readClusterSecret(cluster) });
  return createHash("sha256").update(id).digest("hex");
}

/** The rows of a query on one node's copy, read beside its site. */
export function queryNode<Row>(node: ClusterNode, text: string): Row[] {
  const db = new Database(node.databaseFile, { readonly: true, timeout: BUSY_MS });
  try {
    return db.prepare(text).all() as Row[];
  } finally {
    db.close();
  }
}

/** A dwell token for `slug`, made a day's half ago, as lib/reading/dwell-token.ts makes them. */
export function makeDwellToken(cluster: Cluster, slug: string): string {
  const text = `${encodeURIComponent(slug)}.${(Date.now() - DAY_MS / 2).toString(36)}.${randomBytes(16).toString("base64url")}`;
  return `${text}.${signWithClusterSecret(cluster, "lectern dwell token v1", text)}`;
}

/** The body of a beacon that says that a post was read. */
export const makeReadBeacon = (cluster: Cluster, slug: string): ClientRequest => ({
  method: "POST",
  body: JSON.stringify({ token: makeDwellToken(cluster, slug), slug }),
  headers: { "content-type": "application/json" },
});

/** What a node counted, by name and labels as they stand in its metrics. */
export async function readMetrics(
  cluster: Cluster,
  node: ClusterNode,
): Promise<Map<string, number>> {
  const minute = Math.floor(Date.now() / 60_000);
  const headers = {
    "x-lectern-internal": `${minute}.${signWithClusterSecret(cluster, "internal-call", `${minute}\0metrics`)}`,
  };
  const response = await fetch(`${node.url}/metrics`, {
    headers,
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${node.name} answered ${response.status} to GET /metrics.`);
  return new Map(
    (await response.text()).split("\n").flatMap((line) => {
      const [, name, value] = /^([^#\s]\S*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return name ? [[name, Number(value)] as const] : [];
    }),
  );
}

/** Any one of them. */
export const pickRandom = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)]!;

/** The value below which `share` of all lie, 0 without any. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
