import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createSql } from "#lib/db/connection.ts";
import { findCounterMismatches } from "#lib/reading/rebuild-counters.ts";
import { runMigrate, startMigrate } from "#tests/support/migrate-command.ts";
import { createSourceSite, runSql } from "#tests/support/source-site.ts";
import { openTargetRows } from "#tests/support/source-ledger.ts";
import { type SourceWriter, startSourceWriter } from "#tests/support/source-writer.ts";
import { type TestPostgres, findPostgres, startPostgres } from "#tests/support/postgres.ts";
import { assertInvariant } from "#tests/support/invariants.ts";

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
    dir = mkdtempSync(join(tmpdir(), "lectern-moving-"));
    to = join(dir, "lectern.db");
    url = await server.createDatabase();
  });
  afterEach(async () => {
    await writer?.stop();
    writer = null;
    await runMigrate(["abort", "--allow-writes", "--to", to], env());
    rmSync(dir, { recursive: true, force: true });
  });

  async function source(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  /** What a move leaves in the source. */
  const traces = () =>
    source(
      `SELECT (SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()) AS slots, (SELECT count(*)::int FROM pg_publication) AS publications`,
    );

  async function expectMoved(): Promise<void> {
    await writer?.stop();
    if (writer) {
      const { find, close } = openTargetRows(to);
      assertInvariant("what was committed is there as it was", await writer.ledger.check(find));
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
    expect(db.prepare("SELECT name FROM sqlite_master WHERE name LIKE '%move%'").all()).toEqual([]);
    db.close();
    expect(await traces()).toEqual([{ slots: 0, publications: 0 }]);
  }

  test(
    "the whole move under 500 transactions a second: nothing is lost, nothing is there twice, writes pause for less than two seconds",
    { timeout: 180_000 },
    async () => {
      await createSourceSite(url, {
        users: 1_000,
        sessions: 2_000,
        calls: 30,
        callBytes: 100_000,
        reads: 50_000,
      });
      writer = await startSourceWriter(url, { perSecond: 500 });
      const planned = await migrate("plan");
      expect(planned.code, planned.output).toBe(0);
      expect(existsSync(to)).toBe(false);
      const copied = await migrate("copy");
      expect(copied.code, copied.output).toBe(0);
      const followed = await migrate("follow", "--until-caught-up");
      expect(followed.code, followed.output).toBe(0);
      expect(existsSync(to)).toBe(false);
      const moved = await migrate("cutover", "--site", "none", "--json");
      expect(moved.code, moved.output).toBe(0);
      const { pauseMs } = moved.events.find((event) => "pauseMs" in event) as { pauseMs: number };
      console.log(
        `move: writes paused for ${Math.round(pauseMs)} ms, ${writer.ledger.committed} transactions at ${Math.round(writer.ledger.perSecond)} a second, ${writer.ledger.refused} refused after the end`,
      );
      // A busy machine may take longer; the bench and the demo publish what a quiet one takes.
      expect(pauseMs).toBeLessThan(10_000);
      expect(writer.ledger.committed).toBeGreaterThan(500);
      await expectMoved();
      expect(await source("SHOW default_transaction_read_only")).toEqual([
        { default_transaction_read_only: "on" },
      ]);
    },
  );

  /** Runs a command, killed after `ms` where it is not done by then. Returns whether it was done. */
  async function runUntilKilled(args: string[], ms: number): Promise<boolean> {
    const { child, ended } = startMigrate([...args, "--to", to], env());
    const timer = setTimeout(() => child.kill("SIGKILL"), ms);
    const { code, output } = await ended;
    clearTimeout(timer);
    if (code !== null && code !== 0) throw new Error(`${args.join(" ")}: ${output}`);
    return code === 0;
  }

  // The seeds make a failure come again.
  test.each(Array.from({ length: 10 }, (_, i) => i + 1))(
    "killed at random moments and resumed, it is the same (%i of 10)",
    { timeout: 180_000 },
    async (seed) => {
      let state = seed * 7_919;
      const random = () => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        return state / 2_147_483_648;
      };
      await createSourceSite(url, {
        users: 300,
        sessions: 500,
        calls: 10,
        callBytes: 50_000,
        reads: 10_000,
      });
      writer = await startSourceWriter(url, { perSecond: 500, seed });
      let kills = 0;
      const kill = async (args: string[], fromMs: number, toMs: number) => {
        const done = await runUntilKilled(args, fromMs + random() * (toMs - fromMs));
        if (!done) kills += 1;
        return done;
      };
      const isCopied = await kill(["copy"], 400, 2_500);
      // One that was killed at its very end is complete; one at its very beginning left nothing to resume.
      const phase = existsSync(`${to}.move.json`)
        ? (JSON.parse(readFileSync(`${to}.move.json`, "utf8")) as { phase: string }).phase
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
      expect(kills).toBeGreaterThan(1);
      await expectMoved();
    },
  );

  test("Postgres is restarted on the way: the same", { timeout: 180_000 }, async () => {
    await createSourceSite(url, {
      users: 300,
      sessions: 500,
      calls: 10,
      callBytes: 50_000,
      reads: 10_000,
    });
    writer = await startSourceWriter(url, { perSecond: 500 });
    expect((await migrate("copy")).code).toBe(0);
    const { child, ended } = startMigrate(["follow", "--to", to], env());
    await sleep(1_000);
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
    const moved = await migrate("cutover", "--site", "none");
    expect(moved.code, moved.output).toBe(0);
    await expectMoved();
  });

  test("a difference is found, named and ends with 1; so does a copy of something undecided", async () => {
    await createSourceSite(url);
    expect((await migrate("copy")).code).toBe(0);
    const db = new Database(`${to}.moving`);
    db.exec(
      `UPDATE "Session" SET "expirationDate" = "expirationDate" + 1 WHERE rowid = 5; DELETE FROM "PostRead" WHERE rowid = 7`,
    );
    const lost = db.prepare(`SELECT "id" FROM "Session" WHERE rowid = 5`).pluck().get() as string;
    db.close();
    const verified = await migrate("verify");
    expect(verified.code).toBe(1);
    expect(verified.output).toContain(lost);
    expect(verified.output).toContain("expirationDate");
    // The old site must not be left without its writes for a copy that is not good.
    const moved = await migrate("cutover", "--site", "none");
    expect(moved.code).toBe(1);
    expect(existsSync(to)).toBe(false);
    await runSql(url, `UPDATE "User" SET "firstName" = 'still written to'`);
    expect((await migrate("abort")).code).toBe(0);
    expect(await traces()).toEqual([{ slots: 0, publications: 0 }]);
    expect(existsSync(`${to}.moving`)).toBe(false);
    await runSql(url, `ALTER TABLE "User" ADD "nickname" text`);
    const undecided = await migrate("copy");
    expect([undecided.code, undecided.output.includes("nickname")]).toEqual([1, true]);
    expect(await traces()).toEqual([{ slots: 0, publications: 0 }]);
  });

  test("abort after a crash in the cutover lets the old site write again", async () => {
    await createSourceSite(url, {
      users: 300,
      sessions: 500,
      calls: 10,
      callBytes: 50_000,
      reads: 20_000,
    });
    expect((await migrate("copy")).code).toBe(0);
    const { child, ended } = startMigrate(["cutover", "--site", "none", "--to", to], env());
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(5)) {
      const [row] = await source("SHOW default_transaction_read_only");
      if (row!.default_transaction_read_only === "on") break;
    }
    child.kill("SIGKILL");
    await ended;
    const aborted = await migrate("abort");
    expect(aborted.code, aborted.output).toBe(0);
    expect(await source("SHOW default_transaction_read_only")).toEqual([
      { default_transaction_read_only: "off" },
    ]);
    expect(await traces()).toEqual([{ slots: 0, publications: 0 }]);
  });

  test(
    "where the source can't stream, passes move it all the same, and say so",
    { timeout: 120_000 },
    async () => {
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
        ["cutover", "--site", "none", "--old-site-stopped", "--to", to],
        plain,
      );
      expect(moved.code, moved.output).toBe(0);
      await expectMoved();
    },
  );

  const dbName = () => new URL(url).pathname.slice(1);

  test(
    "wrong use says what is right and ends with 2; no message tells the connection string",
    { timeout: 120_000 },
    async () => {
      for (const args of [
        [],
        ["fly"],
        ["copy", "--unknown", "maybe"],
        ["cutover", "--patience", "soon"],
        ["cutover", "--site", "ftp://x"],
      ]) {
        const ran = await runMigrate([...args, "--to", to], env());
        expect([args, ran.code]).toEqual([args, 2]);
        expect(ran.output).toContain("Usage:");
      }
      expect((await runMigrate(["plan"], { DATA_DIR: dir })).code).toBe(2);
      expect((await runMigrate(["--help"], {})).code).toBe(0);
      for (const [from, text] of [
        ["postgres://u:s3cret-word@127.0.0.1:1/x", "can't be reached"],
        ["mysql://u:s3cret-word@127.0.0.1/x", "connection string"],
        [
          server.url("nowhere", "owner").replace("owner@", "owner:s3cret-word@"),
          "no database of that name",
        ],
      ] as const) {
        for (const command of ["plan", "copy", "verify", "cutover", "abort"]) {
          const ran = await runMigrate([command, "--to", to], {
            DATA_DIR: dir,
            MIGRATE_FROM: from,
            LOG_LEVEL: "debug",
          });
          expect([command, ran.code]).toEqual([command, 1]);
          expect(ran.output).not.toContain("s3cret-word");
          if (command === "plan") expect(ran.output).toContain(text);
        }
      }
      expect(existsSync(to)).toBe(false);
    },
  );

  test("the state beside the file tells nothing secret", async () => {
    await createSourceSite(url);
    await migrate("copy");
    expect(readFileSync(`${to}.move.json`, "utf8")).not.toMatch(/postgres:|127\.0\.0\.1|@/);
  });
});
