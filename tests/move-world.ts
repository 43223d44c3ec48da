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
import { audioFixture } from "./audio.ts";
import { type BuiltSite, startBuiltSite } from "./built-site.ts";
import { oldCookie } from "./old-cookie.ts";
import { findInFile } from "./old-site-tally.ts";
import { type Writer, startWriter } from "./old-site-writer.ts";
import { type Sizes, createOldSite } from "./old-site.ts";
import { type TestPostgres, startPostgres } from "./postgres.ts";
import { sqlOf } from "#lib/db/connection.ts";
import { checkCounters } from "#lib/reads/rebuild.ts";

const ROOT = join(import.meta.dirname, "..");
const DAY_MS = 86_400_000;
/** What the site before signed its cookies with, and what it called its session's. */
const OLD_SECRET = "of-the-site-before";
export const OLD_SESSION = "former_session";

/** Somebody who was logged in at the site before. */
export interface OldMember {
  readonly id: string;
  readonly firstName: string;
  readonly email: string;
  /** What their browser sends. */
  readonly cookie: { readonly name: string; readonly value: string };
  readonly posts: readonly string[];
  /** Of the call they left; null where they left none. */
  readonly callTitle: string | null;
}

export interface MoveWorld {
  readonly postgres: TestPostgres;
  /** The connection string of the old site's database. */
  readonly from: string;
  readonly site: BuiltSite;
  readonly writer: Writer;
  /** Adds a member to the old site, logged in, who has read `posts` and left a call; the writer never touches them. */
  addMember(given: {
    firstName: string;
    email: string;
    role?: "ADMIN" | "MEMBER";
    posts: readonly string[];
    callTitle?: string;
  }): Promise<OldMember>;
  query<Row extends Record<string, string>>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Runs the command to its end, as its owner would: `show` lets it print here, else its output comes back. Rejects where it was ended. */
  migrate(
    args: readonly string[],
    options?: { show?: boolean },
  ): Promise<{ code: number; output: string }>;
  /** Bytes of Postgres' log that the move has still to take over. */
  waiting(): Promise<number>;
  /** Compares what the site has with what the old one's users were told is stored. Both must have come to rest. */
  check(): Promise<{ looked: number; wrong: string[]; counters: number }>;
  close(): Promise<void>;
}

export interface MoveWorldOptions {
  readonly sizes: Partial<Sizes>;
  /** Transactions a second. */
  readonly perSecond: number;
  /** More of the new site's configuration. */
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly say?: (text: string) => void;
}

/** Starts everything; the writer writes when it resolves. Throws where there is no PostgreSQL or no build, with nothing left behind. */
export async function makeMoveWorld({
  sizes,
  perSecond,
  env = {},
  signal = new AbortController().signal,
  say = () => {},
}: MoveWorldOptions): Promise<MoveWorld> {
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
  const stopAll = () => void Promise.all(commands.values().map((child) => endCommand(child)));
  signal.addEventListener("abort", stopAll, { once: true });

  async function close(): Promise<void> {
    await Promise.all([...commands].map(endCommand));
    for (const one of started) await (await one)();
    signal.removeEventListener("abort", stopAll);
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    say("starting PostgreSQL");
    const postgres = await keep(startPostgres(), (one) => one.close());
    const from = await postgres.createDatabase();
    say("filling the site before");
    const crash = () => void postgres.stop("immediate");
    signal.addEventListener("abort", crash, { once: true });
    await createOldSite(from, sizes);
    const site = await keep(
      startBuiltSite({
        folder: join(folder, "site"),
        env: { OLD_COOKIE_SECRET: OLD_SECRET, OLD_SESSION_COOKIE: OLD_SESSION, ...env },
        signal,
      }),
      (one) => one.stop(),
    );
    const writer = await keep(startWriter(from, { perSecond }), (one) =>
      Promise.race([one.stop().catch(() => {}), sleep(signal.aborted ? 500 : 20_000)]),
    );

    const query: MoveWorld["query"] = async (text, values = []) => {
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
      from,
      site,
      writer,
      query,
      addMember: (given) => addMember(query, given),
      migrate(args, { show = false } = {}) {
        // The connection string stands in no list of processes.
        const own = {
          PATH: process.env.PATH,
          MIGRATE_FROM: from,
          DATA_DIR: join(folder, "site"),
          OLD_COOKIE_SECRET: OLD_SECRET,
          OLD_SESSION_COOKIE: OLD_SESSION,
          SITE_URL: site.url,
        };
        const child = spawn(
          process.execPath,
          [
            "--disable-warning=ExperimentalWarning",
            "scripts/migrate-postgres.ts",
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
      async waiting() {
        const [row] = await query<{ bytes: string }>(
          "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), confirmed_flush_lsn) AS bytes FROM pg_replication_slots WHERE database = current_database()",
        );
        return Number(row?.bytes ?? 0);
      },
      async check() {
        const { find, close: closeFile } = findInFile(site.databaseFile);
        const db = new Database(site.databaseFile, { readonly: true });
        try {
          return {
            looked: writer.tally.rows,
            wrong: await writer.tally.check(find),
            counters: checkCounters(sqlOf(db)).length,
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

async function endCommand(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await ended;
  clearTimeout(hard);
}

async function addMember(
  query: MoveWorld["query"],
  { firstName, email, role = "MEMBER", posts, callTitle }: Parameters<MoveWorld["addMember"]>[0],
): Promise<OldMember> {
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
    const recording = `data:audio/webm;base64,${Buffer.from(audioFixture("noise-64k.webm")).toString("base64")}`;
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
      name: OLD_SESSION,
      value: encodeURIComponent(oldCookie({ sessionId: session }, OLD_SECRET)),
    },
    posts,
    callTitle: callTitle ?? null,
  };
}
