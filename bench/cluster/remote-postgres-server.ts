// Starts a PostgreSQL server with the tables and rows of a SQLite file, behind a link with the
// latency between two regions.

import Database from "better-sqlite3";
import postgres from "postgres";
import { startLatencyProxy } from "#cli/cluster/latency-proxy.ts";
import { findFreePort } from "#tests/support/free-port.ts";
import { startPostgres } from "#tests/support/postgres.ts";

export interface RemotePostgres {
  /** The connection string through the delayed link. */
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** The tables that a member's post page reads. */
const TABLES = [
  "User",
  "Session",
  "PostRead",
  "PostTotal",
  "PostTeamDay",
  "TeamActiveDay",
  "TeamActiveSince",
  "SavedPost",
  "ReadingPlace",
];
const ROWS_PER_INSERT = 10_000;

/** Starts the server with the rows of `file`, `roundTripMs` away. */
export async function startRemotePostgres({
  file,
  roundTripMs,
}: {
  file: string;
  roundTripMs: number;
}): Promise<RemotePostgres> {
  const server = await startPostgres();
  const client = postgres(server.url(), { max: 1, onnotice: () => {} });
  await copyDatabase(client, file);
  await client.end();
  const proxyPort = await findFreePort();
  const proxy = await startLatencyProxy({
    listen: { address: "127.0.0.1", port: proxyPort },
    target: { address: "127.0.0.1", port: server.port },
    findSource: () => "remote",
    delayMs: () => roundTripMs / 2,
    linkState: () => "open" as const,
  });
  const url = new URL(server.url());
  url.port = String(proxyPort);
  return {
    url: url.href,
    version: server.version,
    async stop() {
      await proxy.close();
      await server.close();
    },
  };
}

interface Column {
  readonly name: string;
  readonly type: "text" | "bigint";
  /** Position in the primary key, starting at 1; 0 if it is not part of the key. */
  readonly keyPosition: number;
}

/** Copies tables, rows, primary keys and indexes. */
async function copyDatabase(client: postgres.Sql, file: string): Promise<void> {
  const db = new Database(file, { readonly: true });
  for (const table of TABLES) {
    const columns = (
      db.pragma(`table_info("${table}")`) as { name: string; type: string; pk: number }[]
    ).map(({ name, type, pk }): Column => ({
      name,
      type: type === "TEXT" ? "text" : "bigint",
      keyPosition: pk,
    }));
    await client.unsafe(
      `CREATE TABLE "${table}" (${columns.map(({ name, type }) => `"${name}" ${type}`).join(", ")})`,
    );
    await copyRows(client, db, table, columns);
    await createIndexes(client, db, table, columns);
  }
  db.close();
  await client.unsafe("ANALYZE");
}

async function copyRows(
  client: postgres.Sql,
  db: Database.Database,
  table: string,
  columns: readonly Column[],
): Promise<void> {
  const rows = db.prepare(`SELECT * FROM "${table}"`).raw().all() as (string | number | null)[][];
  const values = columns.map(({ type }, i) => `c${i}::${type}`).join(", ");
  const arrays = columns
    .map((_, i) => `json_array_elements_text($${i + 1}::text::json)`)
    .join(", ");
  const names = columns.map((_, i) => `c${i}`).join(", ");
  for (let offset = 0; offset < rows.length; offset += ROWS_PER_INSERT) {
    const batch = rows.slice(offset, offset + ROWS_PER_INSERT);
    // One JSON array per column, all of the same length.
    await client.unsafe(
      `INSERT INTO "${table}" SELECT ${values} FROM ROWS FROM (${arrays}) AS batch(${names})`,
      columns.map((_, i) => JSON.stringify(batch.map((row) => row[i]))),
    );
  }
}

async function createIndexes(
  client: postgres.Sql,
  db: Database.Database,
  table: string,
  columns: readonly Column[],
): Promise<void> {
  const key = columns
    .filter(({ keyPosition }) => keyPosition > 0)
    .sort((a, b) => a.keyPosition - b.keyPosition);
  if (key.length > 0)
    await client.unsafe(
      `ALTER TABLE "${table}" ADD PRIMARY KEY (${key.map(({ name }) => `"${name}"`).join(", ")})`,
    );
  for (const index of db.pragma(`index_list("${table}")`) as { name: string; origin: string }[]) {
    if (index.origin !== "c") continue;
    const indexed = (db.pragma(`index_info("${index.name}")`) as { name: string | null }[]).map(
      ({ name }) => name,
    );
    // Skips an index on an expression, which has no column name.
    if (indexed.includes(null)) continue;
    await client.unsafe(
      `CREATE INDEX "${index.name}" ON "${table}" (${indexed.map((name) => `"${name}"`).join(", ")})`,
    );
  }
}
