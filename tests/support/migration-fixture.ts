// All that a move needs, on one machine: the site before on a real Postgres and in use, this site running and empty, and the command
// that moves. What is started here ends by close(), whatever was going on.

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
import { findCounterMismatches } from "#lib/reading/rebuild-counters.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const DAY_MS = 86_400_000;
/** What the site before signed its cookies with, and what it called its session's. */
const LEGACY_COOKIE_SECRET = "of-the-site-before";
export const LEGACY_SESSION_COOKIE = "former_session";

/** Somebody who was logged in at the site before. */
export interface SourceMember {
  readonly id: string;
  readonly firstName: string;
  readonly email: string;
  /** What their browser sends. */
  readonly cookie: { readonly name: string; readonly value: string };
  readonly posts: readonly string[];
  /** Of the call they left; null where they left none. */
  readonly callTitle: string | null;
}

export interface MigrationFixture {
  readonly postgres: TestPostgres;
  /** The connection string of the old site's database. */
  readonly sourceUrl: string;
  readonly site: BuiltSite;
  readonly writer: SourceWriter;
  /** Adds a member to the old site, logged in, who has read `posts` and left a call; the writer never touches them. */
  addMember(given: {
    firstName: string;
    email: string;
    role?: "ADMIN" | "MEMBER";
    posts: readonly string[];
    callTitle?: string;
  }): Promise<SourceMember>;
  query<Row extends Record<string, string>>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Runs the command to its end, as its owner would: `show` lets it print here, else its output comes back. Rejects where it was ended. */
  runMigrate(
    args: readonly string[],
    options?: { show?: boolean },
  ): Promise<{ code: number; output: string }>;
  /** Bytes of Postgres' log that the move has still to take over. */
  readPendingWalBytes(): Promise<number>;
  /** Compares what the site has with what the old one's users were told is stored. Both must have come to rest. */
  checkLedger(): Promise<{ looked: number; wrong: string[]; counters: number }>;
  close(): Promise<void>;
}

export interface MigrationFixtureOptions {
  readonly sizes: Partial<SourceSiteSizes>;
  /** Transactions a second. */
  readonly perSecond: number;
  /** More of the new site's configuration. */
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly log?: (text: string) => void;
}

/** Starts everything; the writer writes when it resolves. Throws where there is no PostgreSQL or no build, with nothing left behind. */
export async function createMigrationFixture({
  sizes,
  perSecond,
  env = {},
  signal = new AbortController().signal,
  log = () => {},
}: MigrationFixtureOptions): Promise<MigrationFixture> {
  const folder = mkdtempSync(join(tmpdir(), "lectern-move-"));
  const started: Promise<() => Promise<unknown>>[] = [];
  const commands = new Set<ChildProcess>();
  /** Remembers how it is ended before it has started: what is interrupted meanwhile is ended all the same. */
  async function keep<T>(starting: Promise<T>, end: (value: T) => Promise<unknown>): Promise<T> {
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
  // What runs in Postgres ends with it; a command that is stopped may take a second to say so.
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
    const postgres = await keep(startPostgres(), (one) => one.close());
    const from = await postgres.createDatabase();
    log("filling the site before");
    const crash = () => void postgres.stop("immediate");
    signal.addEventListener("abort", crash, { once: true });
    await createSourceSite(from, sizes);
    const site = await keep(
      startBuiltSite({
        folder: join(folder, "site"),
        env: {
          OLD_COOKIE_SECRET: LEGACY_COOKIE_SECRET,
          OLD_SESSION_COOKIE: LEGACY_SESSION_COOKIE,
          ...env,
        },
        signal,
      }),
      (one) => one.stop(),
    );
    const writer = await keep(startSourceWriter(from, { perSecond }), (one) =>
      Promise.race([one.stop().catch(() => {}), sleep(signal.aborted ? 500 : 20_000)]),
    );

    const query: MigrationFixture["query"] = async (text, values = []) => {
      const client = new pg.Client({
        connectionString: from,
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
      sourceUrl: from,
      site,
      writer,
      query,
      addMember: (given) => addMember(query, given),
      runMigrate(args, { show = false } = {}) {
        // The connection string stands in no list of processes.
        const own = {
          PATH: process.env.PATH,
          MIGRATE_FROM: from,
          DATA_DIR: join(folder, "site"),
          OLD_COOKIE_SECRET: LEGACY_COOKIE_SECRET,
          OLD_SESSION_COOKIE: LEGACY_SESSION_COOKIE,
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
            env: own as unknown as NodeJS.ProcessEnv,
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
            looked: writer.ledger.rows,
            wrong: await writer.ledger.check(find),
            counters: findCounterMismatches(createSql(db)).length,
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

/** A second to stop by itself: longer than it needs, shorter than whoever presses Ctrl-C waits. */
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
  // As Prisma writes it: UTC, to the millisecond. Young enough that the new site does not extend it by itself.
  const at = (ageDays: number) =>
    new Date(Date.now() - ageDays * DAY_MS).toISOString().slice(0, -1);
  await query(
    `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "role", "team") VALUES ($1, $2, $2, $3, $4, $5::"Role", 'BLUE')`,
    [id, at(400), email, firstName, role],
  );
  await query(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES ($1, $2, $3, $4)`,
    [session, at(10), id, at(-355)],
  );
  for (const slug of posts)
    await query(
      `INSERT INTO "PostRead" ("id", "createdAt", "userId", "postSlug") VALUES ($1, $2, $3, $4)`,
      [randomUUID(), at(3), id, slug],
    );
  if (callTitle) {
    const recording = `data:audio/webm;base64,${Buffer.from(readAudioFixture("noise-64k.webm")).toString("base64")}`;
    await query(
      `INSERT INTO "Call" ("id", "createdAt", "updatedAt", "title", "description", "keywords", "userId", "base64") VALUES ($1, $2, $2, $3, $4, 'moving, sqlite', $5, $6)`,
      [
        randomUUID(),
        at(2),
        callTitle,
        "Asked at the site before, on the evening of the move.",
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
