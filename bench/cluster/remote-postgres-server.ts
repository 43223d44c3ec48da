// A real PostgreSQL with the same tables and rows, and a way to it as long as between two regions.

import { existsSync, chmodSync, chownSync, mkdirSync, readdirSync } from "node:fs";
import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import postgres from "postgres";
import { startLatencyProxy } from "#cli/cluster/latency-proxy.ts";
import { readLog, startProgram } from "#cli/cluster/program.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import type { Workspace } from "#cli/cluster/workspace.ts";
import { findFreePort } from "#tests/support/free-port.ts";

export interface RemotePostgres {
  /** Over the delayed way. */
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** What a member's post page reads. */
const TABLES = ["User", "Session", "PostRead", "PostTotal", "PostTeamDay", "TeamActiveDay"];
/** The user that it runs as where we are root, which it refuses: nobody. */
const NOBODY_UID = 65_534;

/** The folder of the server's programs. Throws where there are none. */
export function requirePostgres(): string {
  const debian = "/usr/lib/postgresql";
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    ...(existsSync(debian)
      ? readdirSync(debian)
          .sort()
          .reverse()
          .map((version) => join(debian, version, "bin"))
      : []),
  ];
  const found = folders.find(
    (folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")),
  );
  if (!found)
    throw new Error(
      "The bench compares with a PostgreSQL, whose server is not here. Debian: apt install postgresql; macOS: brew install postgresql.",
    );
  return found;
}

/** Starts one that holds what `file` does, `roundTripMs` away. */
export async function startRemotePostgres({
  file,
  roundTripMs,
  workspace,
}: {
  file: string;
  roundTripMs: number;
  workspace: Workspace;
}): Promise<RemotePostgres> {
  const bin = requirePostgres();
  const asOther =
    process.getuid?.() === 0
      ? ["setpriv", `--reuid=${NOBODY_UID}`, `--regid=${NOBODY_UID}`, "--clear-groups"]
      : [];
  const folder = join(workspace.folder, "postgres");
  mkdirSync(folder);
  if (asOther.length > 0) {
    chmodSync(workspace.folder, 0o711); // to be passed through
    chownSync(folder, NOBODY_UID, NOBODY_UID);
  }
  const data = join(folder, "data");
  const [initdb, ...initArgs] = [
    ...asOther,
    join(bin, "initdb"),
    "-D",
    data,
    "-U",
    "bench",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C",
    "--no-sync",
  ];
  await promisify(execFile)(initdb!, initArgs, { timeout: 120_000, cwd: folder });

  const [port, farPort] = [await findFreePort(), await findFreePort()];
  const log = join(workspace.folder, "postgres.log");
  const [command, ...args] = [
    ...asOther,
    join(bin, "postgres"),
    "-D",
    data,
    "-p",
    String(port),
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    "unix_socket_directories=",
  ];
  const program = startProgram({
    command: command!,
    args,
    cwd: folder,
    env: { PATH: process.env.PATH, LC_ALL: "C" },
    logFile: log,
    workspace,
  });

  const near = postgres({
    host: "127.0.0.1",
    port,
    user: "bench",
    database: "postgres",
    max: 1,
    onnotice: () => {},
    connect_timeout: 2,
  });
  const version = await waitUntil("PostgreSQL answers", 60_000, async () => {
    if (!program.isRunning()) return { ended: readLog(log, 1_000) };
    return (
      (await near.unsafe("SHOW server_version")) as unknown as { server_version: string }[]
    )[0]!.server_version;
  });
  if (typeof version !== "string") throw new Error(`PostgreSQL ended: ${version.ended}`);
  await copyRows(near, file);
  await near.end();

  const way = await startLatencyProxy({
    listen: { address: "127.0.0.1", port: farPort },
    target: { address: "127.0.0.1", port },
    findSource: () => "far",
    delayMs: () => roundTripMs / 2,
    linkState: () => "open" as const,
  });
  return {
    url: `postgres://bench@127.0.0.1:${farPort}/postgres`,
    version,
    async stop() {
      await way.close();
      // Fast: it does not wait for who is connected.
      process.kill(program.session, "SIGINT");
      await program.stop(10_000);
    },
  };
}

/** Makes the same tables, rows and indexes. */
async function copyRows(near: postgres.Sql, file: string): Promise<void> {
  const db = new Database(file, { readonly: true });
  for (const table of TABLES) {
    const columns = (
      db.pragma(`table_info("${table}")`) as { name: string; type: string; pk: number }[]
    ).map(({ name, type, pk }) => ({ name, pk, type: type === "TEXT" ? "text" : "bigint" }));
    const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
    await near.unsafe(
      `CREATE TABLE "${table}" (${columns.map(({ name, type }) => `"${name}" ${type}`).join(", ")})`,
    );
    const rows = db.prepare(`SELECT * FROM "${table}"`).raw().all() as (string | number | null)[][];
    for (let at = 0; at < rows.length; at += 10_000) {
      const lists = columns.map((_, column) =>
        JSON.stringify(rows.slice(at, at + 10_000).map((row) => row[column])),
      );
      // A list of each column, all with as many values.
      await near.unsafe(
        `INSERT INTO "${table}" SELECT ${columns.map(({ type }, i) => `c${i}::${type}`).join(", ")} FROM ROWS FROM (${columns.map((_, i) => `json_array_elements_text($${i + 1}::text::json)`).join(", ")}) AS given(${columns.map((_, i) => `c${i}`).join(", ")})`,
        lists,
      );
    }
    if (key.length > 0)
      await near.unsafe(
        `ALTER TABLE "${table}" ADD PRIMARY KEY (${key.map(({ name }) => `"${name}"`).join(", ")})`,
      );
    for (const { name } of (
      db.pragma(`index_list("${table}")`) as { name: string; origin: string }[]
    ).filter(({ origin }) => origin === "c")) {
      const of = (db.pragma(`index_info("${name}")`) as { name: string | null }[]).map(
        (column) => column.name,
      );
      if (of.every((column) => column !== null))
        await near.unsafe(
          `CREATE INDEX "${name}" ON "${table}" (${of.map((column) => `"${column}"`).join(", ")})`,
        );
    }
  }
  db.close();
  await near.unsafe("ANALYZE");
}
