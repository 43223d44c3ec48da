// Sets up a whole migration on one machine: a source site on a real PostgreSQL under load, this
// site with an empty database, and the command.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import pg from "pg";
import { readAudioFixture } from "./audio.ts";
import { type BuiltSite, startBuiltSite } from "./built-site.ts";
import { createLegacyCookie } from "./legacy-cookie.ts";
import { openTargetRows } from "./source-ledger.ts";
import { type SourceWriter, startSourceWriter } from "./source-writer.ts";
import { type SourceSiteSizes, createSourceSite } from "./source-site.ts";
import { type TestPostgres, startPostgres } from "./postgres.ts";
import { createSql } from "#lib/db/connection.ts";
import { findCounterMismatches } from "#lib/reading/rebuild-counters.sql.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const DAY_MS = 86_400_000;
const LEGACY_COOKIE_SECRET = "secret-of-the-source-site";
export const LEGACY_SESSION_COOKIE = "former_session";

/** A member who is logged in to the source site. */
export interface SourceMember {
  readonly id: string;
  readonly firstName: string;
  readonly email: string;
  /** The session cookie of the source site. */
  readonly cookie: { readonly name: string; readonly value: string };
  readonly posts: readonly string[];
  /** Null if they left no call. */
  readonly callTitle: string | null;
}

export interface MigrationFixture {
  readonly postgres: TestPostgres;
  /** The connection string of the source database. */
  readonly sourceUrl: string;
  readonly site: BuiltSite;
  readonly writer: SourceWriter;
  /**
   * Adds a logged-in member to the source site, with reads and optionally a call. The writer never
   * changes them.
   */
  addMember(member: {
    firstName: string;
    email: string;
    role?: "ADMIN" | "MEMBER";
    posts: readonly string[];
    callTitle?: string;
  }): Promise<SourceMember>;
  query<Row extends Record<string, string>>(text: string, values?: unknown[]): Promise<Row[]>;
  /**
   * Runs the command to its end. `show` prints its output here instead of returning it. Rejects if
   * a signal ended it.
   */
  runMigrate(
    args: readonly string[],
    options?: { show?: boolean },
  ): Promise<{ code: number; output: string }>;
  /** Returns the WAL bytes that the migration has not confirmed yet. */
  readPendingWalBytes(): Promise<number>;
  /** Compares the site's rows with the writes that the source acknowledged. Both must be idle. */
  checkLedger(): Promise<{ checkedRows: number; problems: string[]; counterDifferences: number }>;
  /** Stops everything, even in the middle of a step. */
  close(): Promise<void>;
}

export interface MigrationFixtureOptions {
  readonly sizes: Partial<SourceSiteSizes>;
  /** Transactions per second. */
  readonly perSecond: number;
  /** Additional environment of this site. */
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly log?: (text: string) => void;
}

/**
 * Starts everything, with the writer running. Throws an Error without PostgreSQL or a build, and
 * leaves nothing behind.
 */
export async function createMigrationFixture({
  sizes,
  perSecond,
  env = {},
  signal = new AbortController().signal,
  log = () => {},
}: MigrationFixtureOptions): Promise<MigrationFixture> {
  const folder = mkdtempSync(join(tmpdir(), "lectern-migration-"));
  const started: Promise<() => Promise<unknown>>[] = [];
  const commands = new Set<ChildProcess>();
  /**
   * Registers the stop function before the start has finished, so that close() also stops a start
   * in progress.
   */
  async function track<T>(starting: Promise<T>, end: (value: T) => Promise<unknown>): Promise<T> {
    started.unshift(
      starting.then(
        (value) => () => end(value),
        () => () => Promise.resolve(),
      ),
    );
    const value = await starting;
    signal.throwIfAborted();
    return value;
  }
  const stopAll = () => void Promise.all(commands.values().map((child) => stopCommand(child)));
  signal.addEventListener("abort", stopAll, { once: true });

  async function close(): Promise<void> {
    await Promise.all([...commands].map(stopCommand));
    for (const one of started) await (await one)();
    signal.removeEventListener("abort", stopAll);
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    log("starting PostgreSQL");
    const postgres = await track(startPostgres(), (one) => one.close());
    const sourceUrl = await postgres.createDatabase();
    log("filling the source site");
    const crash = () => void postgres.stop("immediate");
    signal.addEventListener("abort", crash, { once: true });
    await createSourceSite(sourceUrl, sizes);
    const site = await track(
      startBuiltSite({
        folder: join(folder, "site"),
        env: {
          LEGACY_COOKIE_SECRET,
          LEGACY_SESSION_COOKIE,
          ...env,
        },
        signal,
      }),
      (one) => one.stop(),
    );
    const writer = await track(startSourceWriter(sourceUrl, { perSecond }), (one) =>
      Promise.race([one.stop().catch(() => {}), sleep(signal.aborted ? 500 : 20_000)]),
    );

    const query: MigrationFixture["query"] = async (text, values = []) => {
      const client = new pg.Client({
        connectionString: sourceUrl,
        types: { getTypeParser: () => String } as unknown as pg.CustomTypesConfig,
      });
      client.on("error", () => {});
      await client.connect();
      try {
        return (await client.query(text, values)).rows;
      } finally {
        await client.end().catch(() => {});
      }
    };

    return {
      postgres,
      sourceUrl,
      site,
      writer,
      query,
      addMember: (member) => addMember(query, member),
      runMigrate(args, { show = false } = {}) {
        // An environment variable keeps the connection string out of the process list.
        const commandEnv = {
          PATH: process.env.PATH,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          MIGRATE_FROM: sourceUrl,
          DATA_DIR: join(folder, "site"),
          LEGACY_COOKIE_SECRET,
          LEGACY_SESSION_COOKIE,
          SITE_URL: site.url,
        };
        const child = spawn(
          process.execPath,
          [
            "--disable-warning=ExperimentalWarning",
            "cli/migrate-postgres/main.ts",
            ...args,
            "--to",
            site.databaseFile,
          ],
          {
            cwd: ROOT,
            env: commandEnv as unknown as NodeJS.ProcessEnv,
            stdio: show ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
          },
        );
        commands.add(child);
        let output = "";
        for (const stream of [child.stdout, child.stderr])
          stream?.on("data", (data: Buffer) => (output += data.toString()));
        return new Promise((resolve, reject) => {
          child.once("error", reject);
          child.once("close", (code) => {
            commands.delete(child);
            if (signal.aborted || code === null)
              reject(new Error(`migrate ${args[0]} was stopped.`));
            else resolve({ code, output });
          });
        });
      },
      async readPendingWalBytes() {
        const [row] = await query<{ bytes: string }>(
          "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), confirmed_flush_lsn) AS bytes FROM pg_replication_slots WHERE database = current_database()",
        );
        return Number(row?.bytes ?? 0);
      },
      async checkLedger() {
        const { find, close: closeFile } = openTargetRows(site.databaseFile);
        const db = new Database(site.databaseFile, { readonly: true });
        try {
          return {
            checkedRows: writer.ledger.rows,
            problems: await writer.ledger.check(find),
            counterDifferences: findCounterMismatches(createSql(db)).length,
          };
        } finally {
          closeFile();
          db.close();
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const GRACE_MS = 1_000;

async function stopCommand(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await ended;
  clearTimeout(hard);
}

async function addMember(
  query: MigrationFixture["query"],
  {
    firstName,
    email,
    role = "MEMBER",
    posts,
    callTitle,
  }: Parameters<MigrationFixture["addMember"]>[0],
): Promise<SourceMember> {
  const [id, session] = [randomUUID(), randomUUID()];
  // Dates as Prisma writes them: UTC, in milliseconds. The session is too recent to be renewed.
  const daysAgo = (ageDays: number) =>
    new Date(Date.now() - ageDays * DAY_MS).toISOString().slice(0, -1);
  await query(
    `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "role", "team") VALUES ($1, $2, $2, $3, $4, $5::"Role", 'BLUE')`,
    [id, daysAgo(400), email, firstName, role],
  );
  await query(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES ($1, $2, $3, $4)`,
    [session, daysAgo(10), id, daysAgo(-355)],
  );
  for (const slug of posts)
    await query(
      `INSERT INTO "PostRead" ("id", "createdAt", "userId", "postSlug") VALUES ($1, $2, $3, $4)`,
      [randomUUID(), daysAgo(3), id, slug],
    );
  if (callTitle) {
    const recording = `data:audio/webm;base64,${Buffer.from(readAudioFixture("noise-64k.webm")).toString("base64")}`;
    await query(
      `INSERT INTO "Call" ("id", "createdAt", "updatedAt", "title", "description", "keywords", "userId", "base64") VALUES ($1, $2, $2, $3, $4, 'migration, sqlite', $5, $6)`,
      [
        randomUUID(),
        daysAgo(2),
        callTitle,
        "Asked at the source site, on the evening of the migration.",
        id,
        recording,
      ],
    );
  }
  return {
    id,
    firstName,
    email,
    cookie: {
      name: LEGACY_SESSION_COOKIE,
      value: encodeURIComponent(createLegacyCookie({ sessionId: session }, LEGACY_COOKIE_SECRET)),
    },
    posts,
    callTitle: callTitle ?? null,
  };
}
