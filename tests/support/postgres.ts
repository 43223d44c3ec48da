// Starts a real PostgreSQL for tests, the demo and benches: temporary data folder, loopback port,
// logical replication.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { POSTGRES_MISSING, findPostgres } from "../../scripts/find-postgres.mjs";
import { findFreePort } from "./free-port.ts";

export interface TestPostgres {
  readonly version: string;
  readonly port: number;
  /** The folder of psql and pgbench. */
  readonly bin: string;
  /**
   * Returns the URL of the database `name`, for the superuser `owner` or another role, without a
   * password.
   */
  url(name?: string, role?: string): string;
  /**
   * Creates a database, empty or as a copy of the database `template`, and returns its connection
   * string.
   */
  createDatabase(template?: string): Promise<string>;
  /** `fast` closes connections; `immediate` acts like a crash, and the next start recovers. */
  stop(how?: "fast" | "immediate"): Promise<void>;
  /** Restarts after stop(), on the same port. */
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** PostgreSQL refuses to run as root, so in that case it runs as the user nobody. */
const NOBODY_UID = 65_534;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

/** Returns the folder of the server's programs. Throws an Error if PostgreSQL is not installed. */
export function requirePostgres(): string {
  const bin = findPostgres();
  if (!bin) throw new Error(POSTGRES_MISSING);
  return bin;
}

/**
 * Creates a server's data folder: as a copy of the folder POSTGRES_TEMPLATE, which the first call
 * creates, or with initdb.
 */
async function createDataFolder(data: string, initdb: readonly string[]): Promise<void> {
  const run = promisify(execFile);
  const options = { timeout: 120_000, cwd: dirname(data) };
  const template = process.env.POSTGRES_TEMPLATE;
  if (template && existsSync(template)) {
    await run("cp", ["-a", template, data], options);
    return;
  }
  const [command, ...args] = initdb;
  await run(
    command!,
    [...args, "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    options,
  );
  if (!template) return;
  const copy = `${template}-${process.pid}`;
  await run("cp", ["-a", data, copy], options);
  try {
    renameSync(copy, template);
  } catch {
    // Another process has already created the template.
    rmSync(copy, { recursive: true, force: true });
  }
}

/**
 * Starts a server; `settings` override the defaults, such as `wal_level`. It stops with this
 * process, even on a signal. Throws an Error with the end of the server's log if it does not start.
 */
export async function startPostgres({
  settings = {},
}: { settings?: Record<string, string> } = {}): Promise<TestPostgres> {
  const bin = requirePostgres();
  const asOther =
    process.getuid?.() === 0
      ? ["setpriv", `--reuid=${NOBODY_UID}`, `--regid=${NOBODY_UID}`, "--clear-groups"]
      : [];
  const folder = mkdtempSync(join(tmpdir(), "lectern-postgres-"));
  if (asOther.length > 0) {
    chmodSync(folder, 0o755);
    chownSync(folder, NOBODY_UID, NOBODY_UID);
  }
  const data = join(folder, "data");
  const log = join(folder, "log");
  await createDataFolder(data, [...asOther, join(bin, "initdb")]).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });

  const port = await findFreePort();
  const chosen = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    wal_level: "logical",
    max_wal_senders: "20",
    max_replication_slots: "20",
    fsync: "off",
    full_page_writes: "off",
    max_wal_size: "256MB",
    // With small tables, both cost more than they save within minutes.
    autovacuum: "off",
    jit: "off",
    // A killed command must be able to reconnect soon.
    wal_sender_timeout: "10s",
    log_min_messages: "warning",
    ...settings,
  };
  let server: ChildProcess | null = null;
  const killNow = () => server?.kill("SIGQUIT");
  const onSignal = (signal: NodeJS.Signals) => {
    killNow();
    process.kill(process.pid, signal);
  };
  process.on("exit", killNow);
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);

  const url = (name = "postgres", role = "owner") => `postgres://${role}@127.0.0.1:${port}/${name}`;
  const query = async (text: string, name?: string) => {
    const client = new pg.Client({ connectionString: url(name), connectionTimeoutMillis: 2_000 });
    client.on("error", () => {});
    try {
      await client.connect();
      return await client.query(text);
    } finally {
      await client.end().catch(() => {});
    }
  };

  const start = async () => {
    const out = openSync(log, "a");
    const [command, ...args] = [
      ...asOther,
      join(bin, "postgres"),
      "-D",
      data,
      "-p",
      String(port),
      ...Object.entries(chosen).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ];
    const started = spawn(command!, args, {
      cwd: folder,
      env: { PATH: process.env.PATH, LC_ALL: "C" } as unknown as NodeJS.ProcessEnv,
      stdio: ["ignore", out, out],
    });
    closeSync(out);
    server = started;
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        await query("SELECT 1");
        return;
      } catch (error) {
        if (started.exitCode !== null || Date.now() > deadline)
          throw new Error(`PostgreSQL did not start: ${readFileSync(log, "utf8").slice(-1_000)}`, {
            cause: error,
          });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const stop = async (how: "fast" | "immediate" = "fast") => {
    const running = server;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    // Concurrent calls wait for the same exit, because the folder is in use until the exit.
    const gone = new Promise<void>((resolve) => running.once("exit", () => resolve()));
    running.kill(how === "fast" ? "SIGINT" : "SIGQUIT");
    const late = setTimeout(() => running.kill("SIGQUIT"), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(late);
  };

  const close = async () => {
    await stop("immediate");
    process.off("exit", killNow).off("SIGINT", onSignal).off("SIGTERM", onSignal);
    rmSync(folder, { recursive: true, force: true });
  };

  await start().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const version = String((await query("SHOW server_version")).rows[0].server_version);
  let databaseCount = 0;
  return {
    version,
    port,
    bin,
    url,
    async createDatabase(template = "template1") {
      databaseCount += 1;
      const name = `site${databaseCount}`;
      await query(
        `CREATE DATABASE ${name} TEMPLATE ${template}${Number.parseInt(version) >= 15 ? " STRATEGY file_copy" : ""}`,
      );
      return url(name);
    },
    stop,
    start,
    close,
  };
}
