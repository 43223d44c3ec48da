// Writes to a source site at a steady rate over several connections, and records what was
// acknowledged.

import { seededRandom } from "#tests/support/random.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import pg from "pg";
import {
  TRANSACTION_KINDS,
  type TransactionKind,
  type TransactionKindName,
  type Lane,
  IdPool,
  type SourceTransaction,
} from "./source-transactions.ts";
import {
  type RowChange,
  type RowImage,
  type WritableLedger,
  type SourceTable,
  type Ledger,
  createLedger,
} from "./source-ledger.ts";

export interface SourceWriter {
  /** The current state. */
  readonly ledger: Ledger;
  /** Finishes open transactions within 15 s and disconnects. */
  stop(): Promise<Ledger>;
}

const CONNECT_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 15_000;
/** The maximum delay that the writer makes up for. */
const BEHIND_MS = 1_000;
/** Existing rows per table that a connection uses. */
const LOAD = { User: 400, Session: 400, Call: 40, PostRead: 800 };

const COLUMNS: Record<SourceTable, string> = {
  User: `"id", "createdAt", "updatedAt", "email", "firstName", "discordId", "convertKitId", "role", "team"`,
  Session: `"id", "createdAt", "userId", "expirationDate"`,
  Call: `"id", "createdAt", "updatedAt", "title", "description", "keywords", "userId", md5("base64") AS "base64"`,
  PostRead: `"id", "createdAt", "userId", "clientId", "postSlug"`,
};

interface OpenLane extends Lane {
  client: pg.Client | null;
}

/**
 * Starts `perSecond` transactions over `connections`; `mix` overrides weights of TRANSACTION_KINDS.
 * It must be the only writer. Counts refusals and lost connections, and keeps trying.
 */
export async function startSourceWriter(
  url: string,
  {
    perSecond = 500,
    connections = 8,
    seed = 1,
    mix = {},
  }: {
    perSecond?: number;
    connections?: number;
    seed?: number;
    mix?: Partial<Record<TransactionKindName, number>>;
  } = {},
): Promise<SourceWriter> {
  const ledger = createLedger();
  const kinds = Object.entries({ ...TRANSACTION_KINDS } as Record<string, TransactionKind>).map(
    ([name, kind]) => ({
      ...kind,
      name,
      weight: mix[name as TransactionKindName] ?? kind.weight,
    }),
  );
  const lanes = await Promise.all(
    Array.from({ length: connections }, (_, i) =>
      openLane(url, ledger, { number: i, of: connections, seed: seed * 1_000 + i }),
    ),
  );
  ledger.counts.startedAtMs = Date.now();
  const stopping = new AbortController();
  const everyMs = (1000 * connections) / perSecond;

  async function work(lane: OpenLane, offsetMs: number): Promise<void> {
    let dueMs = performance.now() + offsetMs;
    while (!stopping.signal.aborted) {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      dueMs = Math.max(dueMs + everyMs, performance.now() - BEHIND_MS);
      lane.client ??= await connect(url).catch(() => null);
      if (lane.client) await runTransaction(lane, lane.client, chooseKind(kinds, lane), ledger);
      else countRefusal(ledger);
    }
  }
  const ends = lanes.map((lane, i) => work(lane, (everyMs * i) / connections));
  // Errors surface in stop().
  for (const end of ends) end.catch(() => {});
  return {
    ledger,
    async stop() {
      stopping.abort();
      const late = sleep(STOP_TIMEOUT_MS, undefined, { ref: false }).then(() =>
        Promise.reject(new Error("The writer did not end within 15 s.")),
      );
      await Promise.race([Promise.all(ends), late]);
      await Promise.all(
        lanes.flatMap(({ client }) =>
          client
            ? [
                Promise.race([
                  client.end().catch(() => {}),
                  sleep(1_000, undefined, { ref: false }),
                ]),
              ]
            : [],
        ),
      );
      return ledger;
    },
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "source site",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    options: "-c timezone=UTC -c datestyle=ISO",
    types: { getTypeParser: () => String } as unknown as pg.CustomTypesConfig,
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/**
 * Takes a share of the rows. Rows stay with their member, so that no other connection deletes them
 * by a cascade.
 */
async function openLane(
  url: string,
  ledger: WritableLedger,
  { number, of, seed }: { number: number; of: number; seed: number },
): Promise<OpenLane> {
  const client = await connect(url);
  const lane: OpenLane = {
    client,
    random: seededRandom(seed),
    pools: {
      User: new IdPool(),
      Session: new IdPool(),
      Call: new IdPool(),
      PostRead: new IdPool(),
      anonymous: new IdPool(),
    },
  };
  for (const [table, count] of Object.entries(LOAD) as [SourceTable, number][]) {
    const owner = {
      User: `"id"::text`,
      Session: `"userId"::text`,
      Call: `"userId"::text`,
      PostRead: `COALESCE("userId"::text, "id"::text)`,
    }[table];
    const { rows } = await client.query<RowImage>(
      `SELECT ${COLUMNS[table]} FROM "${table}" WHERE (hashtext(${owner}) & 2147483647) % ${of} = ${number} LIMIT ${count}`,
    );
    for (const row of rows) {
      ledger.recordExisting(table, row);
      updatePools(lane, { table, id: row.id!, row });
    }
  }
  return lane;
}

function updatePools({ pools }: Lane, { table, id, row }: RowChange): void {
  if (row) pools[table].add(id);
  else pools[table].delete(id);
  if (table !== "PostRead") return;
  if (row && row.userId === null) pools.anonymous.add(id);
  else pools.anonymous.delete(id);
}

function chooseKind<Chosen extends TransactionKind>(
  kinds: readonly Chosen[],
  { random, pools }: Lane,
): Chosen {
  const possible = kinds.filter(({ needs = {} }) =>
    Object.entries(needs).every(([pool, count]) => pools[pool as SourceTable].size >= count),
  );
  let left = random() * possible.reduce((sum, { weight }) => sum + weight, 0);
  return possible.find(({ weight }) => (left -= weight) < 0) ?? possible[0]!;
}

function countRefusal({ counts }: WritableLedger): void {
  counts.refused += 1;
  counts.firstRefusedAtMs ??= Date.now();
}

/** Runs one transaction and records its outcome. */
async function runTransaction(
  lane: OpenLane,
  client: pg.Client,
  kind: TransactionKind & { name: string },
  ledger: WritableLedger,
): Promise<void> {
  const { tx, changes, made } = openTransaction(client);
  let isEnding = false;
  try {
    await client.query("BEGIN");
    await kind.work(tx, lane);
    if (kind.isRolledBack) {
      await client.query("ROLLBACK");
      ledger.counts.rolledBack += 1;
      ledger.recordAbsent(made.values());
      return;
    }
    isEnding = true;
    if ((await client.query("COMMIT")).command !== "COMMIT")
      throw new AnomalyError("COMMIT rolled back");
    ledger.recordAcknowledged(kind.name, changes.values(), made.values());
    for (const change of changes.values()) updatePools(lane, change);
  } catch (error) {
    const serverError = error instanceof pg.DatabaseError ? error : null;
    // Class 57: the server shuts down, or the session was terminated.
    const isBroken = serverError
      ? serverError.severity === "FATAL" || /^(57|08)/.test(serverError.code ?? "")
      : !(error instanceof AnomalyError);
    if (isBroken && isEnding) {
      // The outcome is unknown, so these rows are not used again.
      ledger.recordUnanswered(changes.values(), made.values());
      for (const change of changes.values()) updatePools(lane, { ...change, row: null });
    } else {
      ledger.recordAbsent(made.values());
      if (!isBroken && serverError?.code !== "25006")
        ledger.recordAnomaly(`${kind.name}: ${(error as Error).message}`);
      countRefusal(ledger);
    }
    const isUsable =
      !isBroken &&
      (await client.query("ROLLBACK").then(
        () => true,
        () => false,
      ));
    if (isUsable) return;
    lane.client = null;
    client.end().catch(() => {});
  }
}

/** Thrown for an outcome that is impossible for the only writer of these rows. */
class AnomalyError extends Error {}

function openTransaction(client: pg.Client): {
  tx: SourceTransaction;
  changes: Map<string, RowChange>;
  made: Map<string, RowChange>;
} {
  const changes = new Map<string, RowChange>();
  const made = new Map<string, RowChange>();
  const change = (table: SourceTable, id: string, row: RowImage | null, before?: RowImage) => {
    const key = `${table} ${id}`;
    changes.set(key, { table, id, row, ...(before && !made.has(key) && { before }) });
  };
  const make = (table: SourceTable, id: string, row: RowImage) =>
    void made.set(`${table} ${id}`, { table, id, row });
  const ask = async (count: number, text: string, values: unknown[]) => {
    const { rows } = await client.query<RowImage>(text, values);
    if (rows.length !== count) throw new AnomalyError(`${rows.length} rows instead of ${count}`);
    return rows;
  };
  const tx: SourceTransaction = {
    async insert(table, ...rows) {
      const names = Object.keys(rows[0]!);
      for (const row of rows) make(table, row.id!, row);
      const values = rows
        .map((_, i) => `(${names.map((_, j) => `$${1 + i * names.length + j}`).join(", ")})`)
        .join(", ");
      const inserted = await ask(
        rows.length,
        `INSERT INTO "${table}" (${names.map((name) => `"${name}"`).join(", ")}) VALUES ${values} RETURNING ${COLUMNS[table]}`,
        rows.flatMap((row) => names.map((name) => row[name])),
      );
      for (const row of inserted) change(table, row.id!, row);
      return inserted;
    },
    async update(table, ids, set) {
      const names = Object.keys(set);
      if (set.id) make(table, set.id, set);
      const updated = await ask(
        ids.length,
        `UPDATE "${table}" SET ${names.map((name, i) => `"${name}" = $${i + 1}`).join(", ")} WHERE "id" = ANY($${names.length + 1}) RETURNING ${COLUMNS[table]}`,
        [...Object.values(set), ids],
      );
      if (set.id) change(table, ids[0]!, null);
      for (const row of updated) change(table, row.id!, row);
      return updated;
    },
    async remove(table, id) {
      if (table === "User") {
        // The lock prevents new rows of this user.
        await ask(1, `SELECT "id" FROM "User" WHERE "id" = $1 FOR UPDATE`, [id]);
        for (const child of ["Session", "Call", "PostRead"] as const) {
          const { rows } = await client.query<RowImage>(
            `SELECT ${COLUMNS[child]} FROM "${child}" WHERE "userId" = $1`,
            [id],
          );
          for (const row of rows) change(child, row.id!, null, row);
        }
      }
      const [row] = await ask(
        1,
        `DELETE FROM "${table}" WHERE "id" = $1 RETURNING ${COLUMNS[table]}`,
        [id],
      );
      change(table, id, null, row);
    },
    read: async (table, id) =>
      (await ask(1, `SELECT ${COLUMNS[table]} FROM "${table}" WHERE "id" = $1`, [id]))[0]!,
    async rollBack(work) {
      const before = [...changes];
      await client.query("SAVEPOINT here");
      await work();
      await client.query("ROLLBACK TO SAVEPOINT here");
      changes.clear();
      for (const [key, one] of before) changes.set(key, one);
    },
  };
  return { tx, changes, made };
}

const USAGE = `Usage: node tests/support/source-writer.ts --url URL [--per-second N] [--seconds N] [--connections N]

Writes to a source site from tests/support/source-site.ts, ${Object.keys(TRANSACTION_KINDS).length} kinds of transactions, until interrupted.`;

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      "per-second": { type: "string", default: "500" },
      seconds: { type: "string" },
      connections: { type: "string", default: "8" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [perSecond, connections, seconds] = [
    Number(values["per-second"]),
    Number(values.connections),
    Number(values.seconds ?? 0),
  ];
  if (values.help || !values.url || !(perSecond > 0) || !(connections > 0) || !(seconds >= 0)) {
    console.log(USAGE);
    process.exit(values.help ? 0 : 2);
  }
  const writer = await startSourceWriter(values.url, { perSecond, connections });
  await new Promise<void>((resolve) => {
    if (seconds > 0) setTimeout(resolve, seconds * 1_000);
    else setInterval(() => {}, 1_000);
    process.once("SIGINT", () => resolve()).once("SIGTERM", () => resolve());
  });
  const {
    committed,
    rolledBack,
    refused,
    unknown,
    perSecond: reached,
    kinds,
  } = await writer.stop();
  console.log(
    JSON.stringify({
      committed,
      rolledBack,
      refused,
      unknown,
      perSecond: Math.round(reached),
      kinds,
    }),
  );
  process.exit(0);
}
