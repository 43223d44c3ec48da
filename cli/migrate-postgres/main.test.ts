import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createSql } from "#lib/db/connection.ts";
import { findCounterMismatches } from "#lib/reading/rebuild-counters.sql.ts";
import { runMigrate, startMigrate } from "#tests/support/migrate-command.ts";
import { createSourceDatabase, createSourceSite, runSql } from "#tests/support/source-site.ts";
import { openTargetRows } from "#tests/support/source-ledger.ts";
import { type SourceWriter, startSourceWriter } from "#tests/support/source-writer.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";
import { assertInvariant } from "#tests/support/invariants.ts";
import { dropSlot } from "./replication-slot.ts";

const MEDIUM_SIZES = {
  users: 300,
  sessions: 500,
  calls: 10,
  callBytes: 50_000,
  reads: 10_000,
};

describe.skipIf(!findPostgres())("npm run migrate:postgres", () => {
  let server: TestPostgres;
  let dir: string;
  let to: string;
  let url: string;
  let writer: SourceWriter | null = null;
  const env = () => ({ DATA_DIR: dir, MIGRATE_FROM: url });
  const migrate = (...args: string[]) => runMigrate([...args, "--to", to], env());
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "lectern-migration-"));
    to = join(dir, "lectern.db");
    url = await server.createDatabase();
  });
  afterEach(async () => {
    await writer?.stop();
    writer = null;
    await dropSlot(url);
    rmSync(dir, { recursive: true, force: true });
  });

  async function source(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    // A cutover may end the connection at any time, also between two queries.
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query(text)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  /** Counts the objects that a migration leaves in the source. */
  const countTraces = () =>
    source(
      `SELECT (SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()) AS slots, (SELECT count(*)::int FROM pg_publication) AS publications`,
    );

  async function expectMigrated(): Promise<void> {
    await writer?.stop();
    if (writer) {
      const { find, close } = openTargetRows(to);
      assertInvariant("every committed write is there", await writer.ledger.check(find));
      close();
    }
    const verified = await migrate("verify");
    expect(verified.code, verified.output).toBe(0);
    const db = new Database(to);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(db.pragma("foreign_key_check")).toEqual([]);
    expect(findCounterMismatches(createSql(db))).toEqual([]);
    expect([
      db.pragma("page_size", { simple: true }),
      db.pragma("journal_mode", { simple: true }),
    ]).toEqual([4096, "wal"]);
    expect(
      db
        .prepare(
          "SELECT name FROM sqlite_master WHERE name LIKE '%staging%' OR name LIKE '\\_source%' ESCAPE '\\'",
        )
        .all(),
    ).toEqual([]);
    db.close();
    expect(await countTraces()).toEqual([{ slots: 0, publications: 0 }]);
  }

  /** Kills the command after `ms`, and returns whether it had finished. */
  async function runUntilKilled(args: string[], ms: number): Promise<boolean> {
    const { child, ended } = startMigrate([...args, "--to", to], env());
    const timer = setTimeout(() => child.kill("SIGKILL"), ms);
    const { code, output } = await ended;
    clearTimeout(timer);
    if (code !== null && code !== 0) throw new Error(`${args.join(" ")}: ${output}`);
    return code === 0;
  }

  // The seed reproduces a failure. Each round kills up to six times; `SOAK_KILLS=10` makes ten rounds.
  const rounds = Number(process.env.SOAK_KILLS ?? 1);
  test.each(Array.from({ length: rounds }, (_, i) => i + 1))(
    "resumes without loss after kills at random moments (seed %i)",
    { timeout: 180_000 },
    async (seed) => {
      let state = seed * 7_919;
      const random = () => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        return state / 2_147_483_648;
      };
      url = await createSourceDatabase(server, MEDIUM_SIZES);
      writer = await startSourceWriter(url, { perSecond: 200, seed });
      let killCount = 0;
      const kill = async (args: string[], fromMs: number, toMs: number) => {
        const done = await runUntilKilled(args, fromMs + random() * (toMs - fromMs));
        if (!done) killCount += 1;
        return done;
      };
      const isCopied = await kill(["copy"], 400, 2_500);
      // A late kill leaves a complete copy; an early one leaves nothing to resume.
      const phase = existsSync(`${to}.migration.json`)
        ? (JSON.parse(readFileSync(`${to}.migration.json`, "utf8")) as { phase: string }).phase
        : null;
      if (!isCopied && phase !== "copied") {
        const last = await migrate(phase === null ? "copy" : "resume");
        expect(last.code, last.output).toBe(0);
      }
      await kill(["follow"], 600, 2_500);
      await kill(["resume"], 600, 2_500);
      expect(existsSync(to)).toBe(false);
      for (let i = 0; i < 3; i += 1)
        if (await kill(["cutover", "--site", "none"], 500, 3_000)) break;
      const last = await migrate("cutover", "--site", "none");
      expect(last.code, last.output).toBe(0);
      expect(killCount).toBeGreaterThan(1);
      await expectMigrated();
    },
  );

  test("survives a crash and restart of PostgreSQL", { timeout: 180_000 }, async () => {
    url = await createSourceDatabase(server, MEDIUM_SIZES);
    // Recovery would repeat what the other tests wrote.
    await runSql(url, "CHECKPOINT");
    writer = await startSourceWriter(url, { perSecond: 200 });
    expect((await migrate("copy")).code).toBe(0);
    const { child, ended } = startMigrate(["follow", "--json", "--to", to], env());
    await new Promise<void>((resolve) =>
      child.stdout!.on("data", (data: Buffer) => {
        if (data.includes('"event":"lag"')) resolve();
      }),
    );
    await server.stop("immediate");
    await server.start();
    const { committed } = writer.ledger;
    for (
      const deadline = Date.now() + 20_000;
      writer.ledger.committed < committed + 300 && Date.now() < deadline;
    )
      await sleep(50);
    child.kill("SIGINT");
    const followed = await ended;
    expect(followed.code, followed.output).toBe(0);
    const cutover = await migrate("cutover", "--site", "none");
    expect(cutover.code, cutover.output).toBe(0);
    await expectMigrated();
  });

  test("exits with 1 and names the rows if the sides differ, and for an open choice", async () => {
    url = await createSourceDatabase(server);
    expect((await migrate("copy")).code).toBe(0);
    const db = new Database(`${to}.staging`);
    db.exec(
      `UPDATE "Session" SET "expirationDate" = "expirationDate" + 1 WHERE rowid = 5; DELETE FROM "PostRead" WHERE rowid = 7`,
    );
    const lost = db.prepare(`SELECT "id" FROM "Session" WHERE rowid = 5`).pluck().get() as string;
    db.close();
    const verified = await migrate("verify");
    expect(verified.code).toBe(1);
    expect(verified.output).toContain(lost);
    expect(verified.output).toContain("expirationDate");
    // A bad copy must not leave the source read-only.
    const cutover = await migrate("cutover", "--site", "none");
    expect(cutover.code).toBe(1);
    expect(existsSync(to)).toBe(false);
    await runSql(url, `UPDATE "User" SET "firstName" = 'still written to'`);
    expect((await migrate("abort")).code).toBe(0);
    expect(await countTraces()).toEqual([{ slots: 0, publications: 0 }]);
    expect(existsSync(`${to}.staging`)).toBe(false);
    await runSql(url, `ALTER TABLE "User" ADD "nickname" text`);
    const unresolved = await migrate("copy");
    expect([unresolved.code, unresolved.output.includes("nickname")]).toEqual([1, true]);
    expect(await countTraces()).toEqual([{ slots: 0, publications: 0 }]);
  });

  test("abort after a crash during cutover lets the source site write again", async () => {
    url = await createSourceDatabase(server, { ...MEDIUM_SIZES, reads: 20_000 });
    expect((await migrate("copy")).code).toBe(0);
    const { child, ended } = startMigrate(["cutover", "--site", "none", "--to", to], env());
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(5)) {
      // The cutover ends other connections right after it has blocked writes.
      const rows = await source("SHOW default_transaction_read_only").catch(() => null);
      if (!rows || rows[0]!.default_transaction_read_only === "on") break;
    }
    child.kill("SIGKILL");
    await ended;
    const aborted = await migrate("abort");
    expect(aborted.code, aborted.output).toBe(0);
    expect(await source("SHOW default_transaction_read_only")).toEqual([
      { default_transaction_read_only: "off" },
    ]);
    expect(await countTraces()).toEqual([{ slots: 0, publications: 0 }]);
  });

  test("migrates a source that cannot stream by full resyncs", { timeout: 120_000 }, async () => {
    await createSourceSite(url, { reads: 5_000 });
    await runSql(
      url,
      `CREATE ROLE plain_${dbName()} LOGIN`,
      `GRANT plain_${dbName()} TO CURRENT_USER`,
      `ALTER DATABASE "${dbName()}" OWNER TO plain_${dbName()}`,
      `GRANT USAGE ON SCHEMA public TO plain_${dbName()}`,
      `GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain_${dbName()}`,
    );
    const plain = { ...env(), MIGRATE_FROM: server.url(dbName(), `plain_${dbName()}`) };
    const planned = await runMigrate(["plan", "--to", to], plain);
    expect(planned.code, planned.output).toBe(0);
    expect(planned.output).toMatch(/replication/i);
    writer = await startSourceWriter(url, { perSecond: 200 });
    const copied = await runMigrate(["copy", "--to", to], plain);
    expect(copied.code, copied.output).toBe(0);
    const followed = await runMigrate(["follow", "--until-caught-up", "--to", to], plain);
    expect(followed.code, followed.output).toBe(0);
    await writer.stop();
    const moved = await runMigrate(
      ["cutover", "--site", "none", "--source-stopped", "--to", to],
      plain,
    );
    expect(moved.code, moved.output).toBe(0);
    await expectMigrated();
  });

  const dbName = () => new URL(url).pathname.slice(1);

  test("wrong usage prints the usage and exits with 2", { timeout: 60_000 }, async () => {
    const results = await Promise.all(
      [["fly"], ["copy", "--invalid-rows", "keep"], ["cutover", "--site", "ftp://x"]].map(
        async (args) => ({ args, ...(await runMigrate([...args, "--to", to], env())) }),
      ),
    );
    for (const { args, code, output } of results) {
      expect([args, code]).toEqual([args, 2]);
      expect(output).toContain("Usage:");
    }
    expect((await runMigrate(["plan"], { DATA_DIR: dir })).code).toBe(2);
  });

  test("no message contains the connection string", { timeout: 60_000 }, async () => {
    const unreachable = "postgres://u:s3cret-word@127.0.0.1:1/x";
    const wrongScheme = "mysql://u:s3cret-word@127.0.0.1/x";
    const missing = server.url("nowhere", "owner").replace("owner@", "owner:s3cret-word@");
    const run = async (command: string, from: string, text = "") => {
      const ran = await runMigrate([command, "--to", to], {
        DATA_DIR: dir,
        MIGRATE_FROM: from,
        LOG_LEVEL: "debug",
      });
      expect([command, ran.code]).toEqual([command, 1]);
      expect(ran.output).not.toContain("s3cret-word");
      expect(ran.output).toContain(text);
    };
    await run("plan", unreachable, "cannot be reached");
    await run("copy", wrongScheme, "connection string");
    await run("cutover", missing, "no database with that name");
    await run("abort", missing);
    expect(existsSync(to)).toBe(false);
  });

  test("the state file contains no secret", async () => {
    url = await createSourceDatabase(server);
    await migrate("copy");
    expect(readFileSync(`${to}.migration.json`, "utf8")).not.toMatch(/postgres:|127\.0\.0\.1|@/);
  });
});
