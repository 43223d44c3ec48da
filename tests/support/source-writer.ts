// A site before that is in use: writes at a steady rate over several connections, and knows what it was told is stored.

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
  /** As it is now. */
  readonly ledger: Ledger;
  /** Ends what is open, at most 15 s, and its connections. */
  stop(): Promise<Ledger>;
}

const CONNECT_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 15_000;
/** It catches up with what it is behind, up to this. */
const BEHIND_MS = 1_000;
/** Of each table, for a connection: rows that were there before. */
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
 * Starts to write to the site before at `url`: `perSecond` transactions over `connections`, of the kinds in KINDS (`mix` gives
 * other weights). It must be the only one that writes there. Where it is refused or its connections end, it goes on trying, and counts.
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
  const tally = createLedger();
  const kinds = Object.entries({ ...TRANSACTION_KINDS } as Record<string, TransactionKind>).map(
    ([name, kind]) => ({
      ...kind,
      name,
      weight: mix[name as TransactionKindName] ?? kind.weight,
    }),
  );
  const lanes = await Promise.all(
    Array.from({ length: connections }, (_, i) =>
      openLane(url, tally, { number: i, of: connections, seed: seed * 1_000 + i }),
    ),
  );
  tally.counts.startedAtMs = Date.now();
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
      if (lane.client) await runTransaction(lane, lane.client, chooseKind(kinds, lane), tally);
      else countRefusal(tally);
    }
  }
  const ends = lanes.map((lane, i) => work(lane, (everyMs * i) / connections));
  // Not awaited before stop: what is thrown must wait for it.
  for (const end of ends) end.catch(() => {});
  return {
    ledger: tally,
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
      return tally;
    },
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "old site",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    options: "-c timezone=UTC -c datestyle=ISO",
    types: { getTypeParser: () => String } as unknown as pg.CustomTypesConfig,
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Takes its share of what is there: a row goes with its member, so that no other connection has it or takes it away by a cascade. */
async function openLane(
  url: string,
  tally: WritableLedger,
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
      tally.recordExisting(table, row);
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

/** Runs one transaction to its end, whatever that is, and notes it. */
async function runTransaction(
  lane: OpenLane,
  client: pg.Client,
  kind: TransactionKind & { name: string },
  tally: WritableLedger,
): Promise<void> {
  const { tx, changes, made } = openTransaction(client);
  let isEnding = false;
  try {
    await client.query("BEGIN");
    await kind.work(tx, lane);
    if (kind.isRolledBack) {
      await client.query("ROLLBACK");
      tally.counts.rolledBack += 1;
      tally.recordAbsent(made.values());
      return;
    }
    isEnding = true;
    if ((await client.query("COMMIT")).command !== "COMMIT")
      throw new AnomalyError("COMMIT rolled back");
    tally.recordAcknowledged(kind.name, changes.values(), made.values());
    for (const change of changes.values()) updatePools(lane, change);
  } catch (error) {
    const said = error instanceof pg.DatabaseError ? error : null;
    // Class 57: the server ends, or somebody ended this session.
    const isBroken = said
      ? said.severity === "FATAL" || /^(57|08)/.test(said.code ?? "")
      : !(error instanceof AnomalyError);
    if (isBroken && isEnding) {
      // Neither state is certain: nobody touches these rows again.
      tally.recordUnanswered(changes.values(), made.values());
      for (const change of changes.values()) updatePools(lane, { ...change, row: null });
    } else {
      tally.recordAbsent(made.values());
      if (!isBroken && said?.code !== "25006")
        tally.recordAnomaly(`${kind.name}: ${(error as Error).message}`);
      countRefusal(tally);
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

/** What should not happen to who is alone with these rows. */
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
        // From here on nobody gives them anything more.
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

Writes to a site before that tests/support/source-site.ts made, ${Object.keys(TRANSACTION_KINDS).length} kinds of transactions, until it is interrupted.`;

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
