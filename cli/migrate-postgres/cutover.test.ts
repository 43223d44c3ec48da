import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";
import { type CutoverOptions, cleanUpSource, cutOver } from "./cutover.ts";
import { withMigrationLock } from "./migration-lock.ts";
import { type Migration, type MigrationEvent, type MigrationStep } from "./migration.ts";
import { dropSlot } from "./replication-slot.ts";
import { getState, migrationFiles, saveState } from "./migration-state.ts";
import { TEMPLATE_FILE } from "#tests/support/fresh-database.ts";
import { createSourceDatabase, readSourceId } from "#tests/support/source-site.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";
import { abortMigration } from "./abort-command.ts";
import { copySource } from "./copy-command.ts";
import { verifyMigration } from "./verify-command.ts";

describe.skipIf(!findPostgres())("a cutover", () => {
  let server: TestPostgres;
  let dir: string;
  let to: string;
  let url: string;
  let events: MigrationEvent[];
  const clients: pg.Client[] = [];
  /** Whether the site below reports that it is ready. Tests set it. */
  let isReady = false;
  const starting = createServer(
    (_, response) => void response.writeHead(isReady ? 200 : 503).end(),
  );
  let site: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => starting.listen(0, "127.0.0.1", resolve));
    site = `http://127.0.0.1:${(starting.address() as AddressInfo).port}`;
    server = await startPostgres({ settings: { max_prepared_transactions: "5" } });
  });
  afterAll(async () => {
    starting.close();
    await server?.close();
  });
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "lectern-cutover-"));
    to = join(dir, "lectern.db");
    url = await createSourceDatabase(server);
    events = [];
    isReady = false;
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end().catch(() => {});
    await dropSlot(url);
    rmSync(dir, { recursive: true, force: true });
  });

  const name = () => new URL(url).pathname.slice(1);

  async function connect(as = url): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: as });
    client.on("error", () => {});
    await client.connect();
    clients.push(client);
    return client;
  }
  const run = async (text: string, as = url) =>
    (await (await connect(as)).query(text)).rows as Record<string, unknown>[];
  const settings = async () =>
    (await run("SHOW default_transaction_read_only"))[0]!.default_transaction_read_only;
  const slots = async () =>
    (
      await run(
        "SELECT count(*)::int AS n FROM pg_replication_slots WHERE database = current_database()",
      )
    )[0]!.n;

  /** Runs a hook when its step begins. An error thrown in it acts like a crash. */
  function createMigration(
    sourceUrl = url,
    hooks: Partial<Record<MigrationStep, () => Promise<void> | void>> = {},
  ): Migration {
    const onEvent = (event: MigrationEvent) => {
      events.push(event);
      if (event.kind === "begin") void hooks[event.step]?.();
    };
    return {
      url: sourceUrl,
      targetFile: to,
      servedFile: to,
      options: { unknown: "stop", invalidRows: "stop" },
      hasLegacyCookieSecret: false,
      rebuildCounters,
      onEvent,
      signal: new AbortController().signal,
    };
  }
  const options = (overrides: Partial<CutoverOptions> = {}): CutoverOptions => ({
    target: { kind: "file", file: to },
    canReplace: false,
    stopMode: "read-only",
    siteUrl: null,
    timeoutMs: 2_000,
    ...overrides,
  });

  const die = () => {
    throw new Error("killed");
  };
  const users = (file = to) => {
    const db = new Database(file, { readonly: true });
    try {
      return db.prepare(`SELECT count(*) FROM "User"`).pluck().get() as number;
    } finally {
      db.close();
    }
  };
  const addMember = (id: string) => {
    const db = new Database(to);
    db.prepare(
      `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "team") VALUES (?, 0, 0, ?, 'Ada', 'RED')`,
    ).run(id, `${id}@example.com`);
    db.close();
  };

  test.each(["drain", "verify", "finish", "swap-in", "ready", "clean-up"] as const)(
    "resumes after a crash before the step %s",
    async (step) => {
      await copySource(createMigration());
      await run(`UPDATE "User" SET "firstName" = 'before ${step}'`);
      await expect(
        cutOver(
          createMigration(url, { [step]: die }),
          options({ siteUrl: step === "ready" ? site : null }),
        ),
      ).rejects.toThrow("killed");
      const { phase } = getState(to);
      if (phase === "done") await cutOver(createMigration(), options()).catch(() => {});
      else expect(await cutOver(createMigration(), options())).toMatchObject({ method: "renamed" });
      expect(users()).toBe(60);
      expect((await verifyMigration(createMigration())).isEqual).toBe(true);
      await abortMigration({ url, targetFile: to, canAllowWrites: false });
      expect([await settings(), await slots()]).toEqual(["off", 0]);
    },
  );

  test("replaces the database of a busy site between two of its writes", async () => {
    writeFileSync(to, readFileSync(TEMPLATE_FILE));
    const site = new Database(to, { timeout: 5_000 });
    site.exec("CREATE TABLE busy (x)");
    await copySource(createMigration());
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        site.exec("BEGIN IMMEDIATE; INSERT INTO busy VALUES (1)");
        await new Promise((resolve) => setTimeout(resolve, 15));
        site.exec("COMMIT");
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })().catch(() => {});
    expect(await cutOver(createMigration(), options())).toMatchObject({
      method: "replaced while in use",
    });
    isOver = true;
    await writing;
    site.close();
    expect(users()).toBe(60);
  });

  test("backs up again after a failed swap, with what was written since", async () => {
    writeFileSync(to, readFileSync(TEMPLATE_FILE));
    addMember("early");
    await copySource(createMigration());
    let reader: Database.Database | undefined;
    const openStaging = () => {
      const { staging } = migrationFiles(to);
      // Subscribers are carried over after the slow backup.
      const { mtimeMs } = statSync(`${to}.backup-${getState(to).id.slice(0, 8)}`);
      expect(statSync(staging).mtimeMs).toBeGreaterThanOrEqual(mtimeMs);
      reader = new Database(staging);
      reader.exec("CREATE TABLE used (x); DROP TABLE used");
    };
    await expect(
      cutOver(createMigration(url, { "swap-in": openStaging }), options({ canReplace: true })),
    ).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("is open") });
    reader!.close();
    addMember("late");
    const { backupFile } = await cutOver(createMigration(), options({ canReplace: true }));
    expect([users(), users(backupFile!)]).toEqual([60, 2]);
  });

  test("does not replace members who signed up after a failed swap", async () => {
    writeFileSync(to, readFileSync(TEMPLATE_FILE));
    await copySource(createMigration());
    await cutOver(createMigration(url, { "swap-in": die }), options()).catch(() => {});
    expect(getState(to).phase).toBe("swapping");
    addMember("new");
    await expect(cutOver(createMigration(), options())).rejects.toMatchObject({ code: "conflict" });
    expect(users()).toBe(1);
    const { backupFile } = await cutOver(createMigration(), options({ canReplace: true }));
    expect([users(), users(backupFile!)]).toEqual([60, 1]);
  });

  test("names the missing privilege of a role that cannot see other sessions, and blocks nothing", async () => {
    await run(`CREATE ROLE mover_${name()} LOGIN REPLICATION`);
    await run(`CREATE ROLE app_${name()} LOGIN`);
    await run(`ALTER DATABASE "${name()}" OWNER TO mover_${name()}`);
    for (const table of ["User", "Session", "Call", "PostRead"])
      await run(`ALTER TABLE "${table}" OWNER TO mover_${name()}`);
    await run(`GRANT ALL ON ALL TABLES IN SCHEMA public TO app_${name()}`);
    const mover = server.url(name(), `mover_${name()}`);
    const app = await connect(server.url(name(), `app_${name()}`));
    for (const client of clients.splice(0)) if (client !== app) await client.end();
    clients.push(app);
    await copySource(createMigration(mover));
    await expect(cutOver(createMigration(mover), options())).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("pg_read_all_stats"),
    });
    await expect(
      cutOver(createMigration(mover), options({ stopMode: "stopped-by-owner", timeoutMs: 300 })),
    ).rejects.toMatchObject({ code: "unavailable" });
    expect(existsSync(to)).toBe(false);
    await app.query(`UPDATE "User" SET "firstName" = 'still writing'`);
    await run(`GRANT pg_read_all_stats, pg_signal_backend TO mover_${name()}`);
    for (const client of clients.splice(0)) if (client !== app) await client.end();
    await cutOver(createMigration(mover), options());
    expect(users()).toBe(60);
    await expect(app.query(`UPDATE "User" SET "firstName" = 'x'`)).rejects.toThrow();
  });

  test("names writers that bypass the read-only setting, before it blocks anything", async () => {
    await copySource(createMigration());
    await run(`CREATE ROLE stubborn_${name()} LOGIN`);
    await run(`ALTER ROLE stubborn_${name()} SET default_transaction_read_only = off`);
    await expect(cutOver(createMigration(), options())).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`stubborn_${name()}`),
    });
    await run(`ALTER ROLE stubborn_${name()} RESET default_transaction_read_only`);
    const client = await connect();
    await client.query(`BEGIN`);
    await client.query(`UPDATE "User" SET "firstName" = 'prepared' WHERE "role" = 'ADMIN'`);
    await client.query(`PREPARE TRANSACTION 'later'`);
    await expect(cutOver(createMigration(), options())).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("PREPARED"),
    });
    expect(await settings()).toBe("off");
    await run(`COMMIT PREPARED 'later'`);
    await cutOver(createMigration(), options());
    expect(users()).toBe(60);
  });

  test("rejects tables and columns that are added to the source during a cutover", async () => {
    await copySource(createMigration());
    // The cutover sends a request to the site after its first check, before it blocks writes.
    const deploying = createServer((_, response) => {
      const end = () => void response.end();
      void run(`CREATE TABLE "Comment" ("id" text PRIMARY KEY)`).then(end, end);
    });
    await new Promise<void>((resolve) => deploying.listen(0, "127.0.0.1", resolve));
    const siteUrl = `http://127.0.0.1:${(deploying.address() as AddressInfo).port}`;
    const rejected = { code: "conflict", message: expect.stringContaining("since the copy") };
    await expect(cutOver(createMigration(), options({ siteUrl }))).rejects.toMatchObject(rejected);
    deploying.close();
    expect([existsSync(to), await settings()]).toEqual([false, "off"]);
    await run(`DROP TABLE "Comment"`);
    await cutOver(createMigration(url, { finish: die }), options()).catch(() => {});
    expect(getState(to).phase).toBe("swapping");
    await run(`BEGIN READ WRITE; ALTER TABLE "User" ADD "phone" text; COMMIT`);
    await expect(cutOver(createMigration(), options())).rejects.toMatchObject(rejected);
    expect(existsSync(to)).toBe(false);
  });

  test("rejects a copy from before an upgrade of this site, and blocks nothing", async () => {
    writeFileSync(to, readFileSync(TEMPLATE_FILE));
    await copySource(createMigration());
    const db = new Database(to);
    db.exec(
      `ALTER TABLE "Subscriber" ADD "late" TEXT; INSERT INTO "Subscriber" ("id", "email", "subscribedAt") VALUES ('1', 'a@example.com', 5);
       INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at") VALUES ('late', 'x', 1, '29990101000000_late', 1)`,
    );
    db.close();
    const rejected = { code: "conflict", message: expect.stringContaining("29990101000000_late") };
    await expect(cutOver(createMigration(), options())).rejects.toMatchObject(rejected);
    expect([getState(to).phase, await settings()]).toEqual(["copied", "off"]);
    saveState(to, { ...getState(to), phase: "swapping" });
    await expect(cutOver(createMigration(), options())).rejects.toMatchObject(rejected);
  });

  test("rejects a resume if the source was written to after a crash", async () => {
    await copySource(createMigration());
    await cutOver(createMigration(url, { finish: die }), options()).catch(() => {});
    expect(getState(to).phase).toBe("swapping");
    const owner = await connect();
    for (const text of [
      "SET default_transaction_read_only = off",
      `ALTER DATABASE "${name()}" RESET default_transaction_read_only`,
      `UPDATE "User" SET "firstName" = 'late' WHERE "role" = 'ADMIN'`,
    ])
      await owner.query(text);
    await expect(cutOver(createMigration(), options())).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("written to after"),
    });
    expect(existsSync(to)).toBe(false);
    await abortMigration({ url, targetFile: to, canAllowWrites: false });
    expect(await settings()).toBe("off");
  });

  test("keeps the slot and fails if the source is written to after the swap", async () => {
    await copySource(createMigration());
    const late = async () => {
      const client = await connect();
      await client.query(`SET default_transaction_read_only = off`);
      await client.query(`UPDATE "User" SET "firstName" = 'too late' WHERE "role" = 'ADMIN'`);
      isReady = true;
    };
    let wrote: Promise<void> | undefined;
    await cutOver(
      createMigration(url, { ready: () => void (wrote = late()) }),
      options({ siteUrl: site, timeoutMs: 20_000 }),
    ).then(
      () => expect.unreachable(),
      (error: unknown) =>
        expect(error).toMatchObject({
          code: "conflict",
          message: expect.stringContaining("1 transactions exist only there"),
        }),
    );
    await wrote;
    expect([users(), await slots()]).toEqual([60, 1]);
  });

  test("keeps the slot of a later migration, and rejects another source", async () => {
    await copySource(createMigration());
    await cutOver(createMigration(), options({ stopMode: "stopped-by-owner" }));
    await copySource({ ...createMigration(), targetFile: join(dir, "later.db") });
    await cleanUpSource(createMigration(), getState(to));
    await abortMigration({ url, targetFile: to, canAllowWrites: false });
    expect(await slots()).toBe(1);
    const later = getState(join(dir, "later.db"));
    const other = await server.createDatabase();
    await expect(cleanUpSource(createMigration(other), later)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("--from"),
    });
  });

  test("rejects a copy with a damaged index", async () => {
    await copySource(createMigration());
    const { staging } = migrationFiles(to);
    const db = new Database(staging);
    const root = db
      .prepare(`SELECT rootpage FROM sqlite_master WHERE name = 'User_email_key'`)
      .pluck()
      .get() as number;
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.close();
    const bytes = readFileSync(staging);
    const page = bytes.subarray((root - 1) * 4_096, root * 4_096);
    // Changes a letter of an email address in the index. Its root page is a leaf in this small
    // table.
    const at = page.indexOf("member");
    page[at] = page[at]! ^ 1;
    writeFileSync(staging, bytes);
    await expect(cutOver(createMigration(), options())).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("is damaged"),
    });
    expect([existsSync(to), await settings()]).toEqual([false, "off"]);
  });

  test("lets sessions that started during the pause write again after a failed cutover", async () => {
    await copySource(createMigration());
    let pauseClient: pg.Client | undefined;
    const db = new Database(migrationFiles(to).staging);
    db.exec(`DELETE FROM "PostRead" WHERE rowid = 3`);
    db.close();
    let connecting: Promise<void> | undefined;
    let isOver = false;
    const migration = createMigration(url, {
      // On a busy machine, it may be terminated while it connects, or connect after the cutover.
      drain: () =>
        void (connecting = connect().then(
          (client) => void (pauseClient = isOver ? undefined : client),
          () => undefined,
        )),
    });
    await expect(cutOver(migration, options())).rejects.toMatchObject({ code: "conflict" });
    isOver = true;
    await connecting;
    // The session was terminated; a connection pool would open another.
    if (pauseClient)
      await expect(pauseClient.query(`UPDATE "User" SET "firstName" = 'x'`)).rejects.toThrow();
    await run(`UPDATE "User" SET "firstName" = 'x'`);
  });

  test("aborts without a readable state, and rejects another database", async () => {
    await copySource(createMigration());
    const other = await server.createDatabase();
    await expect(
      abortMigration({ url: other, targetFile: to, canAllowWrites: false }),
    ).rejects.toMatchObject({
      code: "conflict",
    });
    expect([existsSync(migrationFiles(to).staging), await slots()]).toEqual([true, 1]);
    const state = getState(to);
    writeFileSync(migrationFiles(to).state, "{");
    await abortMigration({ url, targetFile: to, canAllowWrites: false });
    expect([
      existsSync(migrationFiles(to).staging),
      existsSync(migrationFiles(to).state),
      await slots(),
    ]).toEqual([false, false, 0]);
    // The other server also has a slot, which no command would drop without the state file.
    saveState(to, { ...state, phase: "copying", systemIdentifier: "another server" });
    await expect(copySource(createMigration())).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("--from"),
    });
    expect(getState(to).id).toBe(state.id);
  });

  test("rejects a second concurrent command", async () => {
    let release = () => {};
    const first = withMigrationLock(
      to,
      () => new Promise<string>((resolve) => (release = () => resolve("done"))),
    );
    await expect(withMigrationLock(to, async () => "second")).rejects.toMatchObject({
      code: "unavailable",
    });
    release();
    expect(await first).toBe("done");
    expect(await withMigrationLock(to, async () => "third")).toBe("third");
    expect(existsSync(migrationFiles(to).lock)).toBe(false);
  });

  test("keeps staging, state and backup files readable only by their owner", async () => {
    writeFileSync(to, readFileSync(TEMPLATE_FILE), { mode: 0o640 });
    await copySource(createMigration());
    const mode = (file: string) => statSync(file).mode & 0o777;
    expect([mode(migrationFiles(to).staging), mode(migrationFiles(to).state)]).toEqual([
      0o600, 0o600,
    ]);
    const { backupFile } = await cutOver(createMigration(), options());
    expect([mode(backupFile!), mode(to)]).toEqual([0o600, 0o640]);
    expect(await readSourceId(url, "user", 1)).toBeTruthy();
  });
});
