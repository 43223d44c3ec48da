import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { formatPlan } from "./format-plan.ts";
import { isResolved, createPlan } from "./plan.ts";
import { type SourceFacts, checkSourceFacts, noteStreaming } from "./plan-source.ts";
import { listServerStreamObstacles } from "./plan-stream.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { createSourceDatabase, createSourceSite, runSql } from "#tests/support/source-site.ts";
import {
  PERMISSIVE_OPTIONS,
  planTestMigration,
  formatIssues,
} from "#tests/support/planned-migration-fixture.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";

const REGULAR: SourceFacts = {
  systemIdentifier: "1",
  database: "site",
  role: "me",
  version: "17.2",
  versionNumber: 170_002,
  encoding: "UTF8",
  isConvertible: true,
  walLevel: "logical",
  isInRecovery: false,
  isPooled: false,
  canReplicate: true,
  canCreate: true,
  ownsDatabase: true,
  canTerminateOthers: true,
  freeSlots: 3,
  freeSenders: 3,
  maxSlotMegabytes: null,
  slotDatabase: null,
  hasPublication: false,
  longWriters: 0,
  preparedTransactions: 0,
  provider: null,
};
const checkFacts = (facts: Partial<SourceFacts>) =>
  checkSourceFacts({ ...REGULAR, ...facts }, { isOurs: false }).map(
    ({ level, text, fix }) => `${level}: ${text} → ${fix}`,
  );
const listObstacles = (facts: Partial<SourceFacts>) =>
  listServerStreamObstacles({ ...REGULAR, ...facts });

test("reports nothing for a regular server", () => {
  expect([checkFacts({}), listObstacles({}), noteStreaming(REGULAR)]).toEqual([[], [], []]);
});

test.each([
  ["a standby", { isInRecovery: true }, /^stop: .*standby.*address of the primary/],
  [
    "an old server",
    { version: "10.23", versionNumber: 100_023 },
    /^stop: The server is PostgreSQL 10.23. A migration needs 11 or newer/,
  ],
  ["a pooler", { isPooled: true }, /^stop: .*connection pooler.*address of the server itself/],
  [
    "an encoding without character semantics",
    { encoding: "SQL_ASCII" },
    /^stop: .*SQL_ASCII.*pg_dump --encoding=UTF8/,
  ],
  [
    "an encoding that PostgreSQL cannot convert",
    { encoding: "MULE_INTERNAL", isConvertible: false },
    /^stop: .*MULE_INTERNAL/,
  ],
  ["another encoding", { encoding: "LATIN1" }, /^note: .*LATIN1. PostgreSQL converts/],
  [
    "other roles' sessions that it cannot terminate",
    { canTerminateOthers: false },
    /^note: .*pg_signal_backend/,
  ],
  [
    "a database owned by another role",
    { ownsDatabase: false },
    /^note: .*cutover cannot make it read-only.*--source-stopped/,
  ],
] as const)("reports of the server: %s", (_, facts, pattern) => {
  expect(checkFacts(facts)).toEqual([expect.stringMatching(pattern)]);
});

test("uses the provider's terms", () => {
  expect(listObstacles({ walLevel: "replica", canReplicate: false, provider: "rds" })).toEqual([
    expect.stringContaining("rds.logical_replication = 1"),
    expect.stringContaining('GRANT rds_replication TO "me";'),
  ]);
  expect(listObstacles({ walLevel: "replica", provider: "google" })).toEqual([
    expect.stringContaining("cloudsql.logical_decoding"),
  ]);
});

test("notes what a stream waits for, and its limits", () => {
  expect(
    noteStreaming({
      ...REGULAR,
      longWriters: 2,
      preparedTransactions: 1,
      maxSlotMegabytes: 1_024,
      freeSlots: 1,
    }).map(({ text }) => text),
  ).toEqual([
    expect.stringMatching(/^2 writing transactions on the server have been open.*until they end/),
    expect.stringMatching(/^1 prepared transaction is pending/),
    expect.stringMatching(/1,024 MB of changes/),
    expect.stringMatching(/One replication slot is free/),
  ]);
});

describe.skipIf(!findPostgres())("a source that cannot stream", () => {
  let server: TestPostgres;
  let poor: TestPostgres;
  let dir: string;
  let url: string;
  beforeAll(async () => {
    [server, poor] = await Promise.all([
      startPostgres(),
      startPostgres({
        settings: { wal_level: "replica", max_replication_slots: "1", max_wal_senders: "1" },
      }),
    ]);
    dir = mkdtempSync(join(tmpdir(), "lectern-plan-"));
  });
  afterAll(async () => {
    await Promise.all([server?.close(), poor?.close()]);
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    url = await createSourceDatabase(server);
  });

  const readObstacles = async (options = PERMISSIVE_OPTIONS): Promise<readonly string[]> =>
    (await planTestMigration(url, { dir, options })).source.streamObstacles;

  /** Expects one obstacle, runs its statements, and expects none. */
  async function expectFixable(pattern: RegExp): Promise<void> {
    const obstacles = await readObstacles();
    expect(obstacles).toEqual([expect.stringMatching(pattern)]);
    await runSql(url, obstacles[0]!.slice(obstacles[0]!.search(/(ALTER|GRANT) [A-Z]/)));
    expect(await readObstacles()).toEqual([]);
  }

  test("lists the server's settings, and plans full resyncs", async () => {
    const made = await poor.createDatabase();
    await createSourceSite(made);
    await runSql(made, "SELECT pg_create_physical_replication_slot('taken')");
    const sender = await connectSource(made, { replication: true });
    try {
      const plan = await planTestMigration(made, { dir });
      expect(plan.source.mode).toBe("full-resync");
      expect(plan.source.streamObstacles).toEqual([
        expect.stringMatching(
          /wal_level is replica, not logical\. Change it \(ALTER SYSTEM SET wal_level = logical\), and restart/,
        ),
        expect.stringMatching(/All replication slots are in use/),
        expect.stringMatching(/All WAL senders/),
      ]);
      expect(isResolved(plan)).toBe(true);
      const lines = formatPlan(plan).join(" ").replace(/\s+/g, " ");
      expect(lines).toMatch(
        /It cannot stream.*full resyncs.*Nothing is lost.*writes pause for as long as a resync takes, (under|about) \d+ (s|min) here.*wal_level is replica/,
      );
    } finally {
      await sender.end();
    }
  });

  test("lists the role's missing privileges", async () => {
    const database = new URL(url).pathname.slice(1);
    await runSql(
      url,
      `CREATE ROLE "Poor ""role""" LOGIN; GRANT USAGE ON SCHEMA public TO "Poor ""role"""; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "Poor ""role"""`,
    );
    const plan = await planTestMigration(server.url(database, encodeURIComponent('Poor "role"')), {
      dir,
    });
    expect(plan.source.streamObstacles).toEqual([
      `The role lacks REPLICATION. ALTER ROLE "Poor ""role""" REPLICATION;`,
      `The role cannot create a publication. GRANT CREATE ON DATABASE "${database}" TO "Poor ""role""";`,
      expect.stringMatching(
        /^Only its owner can publish a table: User, Session, Call and PostRead\./,
      ),
    ]);
    expect(formatIssues(plan).join()).toContain("--source-stopped");
    for (const reason of plan.source.streamObstacles)
      await runSql(url, reason.slice(reason.search(/(ALTER|GRANT) [A-Z]/)));
    const able = await planTestMigration(server.url(database, encodeURIComponent('Poor "role"')), {
      dir,
    });
    expect([able.source.mode, able.source.streamObstacles]).toEqual(["stream", []]);
  });

  test.each([
    [
      "replica identity NOTHING",
      `ALTER TABLE "Call" REPLICA IDENTITY NOTHING`,
      /identify changed or deleted rows of Call\. ALTER TABLE "public"\."Call" REPLICA IDENTITY DEFAULT;/,
    ],
    [
      "a key that is not the primary key",
      `ALTER TABLE "Call" DROP CONSTRAINT "Call_pkey", ADD COLUMN "n" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY; CREATE UNIQUE INDEX "by id" ON "Call" ("id")`,
      /Call.*REPLICA IDENTITY USING INDEX "by id";/,
    ],
    [
      "a deferrable key",
      `ALTER TABLE "Call" DROP CONSTRAINT "Call_pkey", ADD PRIMARY KEY ("id") DEFERRABLE`,
      /Call.*REPLICA IDENTITY FULL;/,
    ],
    [
      "an unlogged table",
      `ALTER TABLE "PostRead" SET UNLOGGED`,
      /unlogged PostRead\. ALTER TABLE "public"\."PostRead" SET LOGGED;/,
    ],
    [
      "a partition without a replica identity",
      `CREATE TABLE "Old" ("id" int PRIMARY KEY) PARTITION BY HASH ("id"); CREATE TABLE "Old_0" PARTITION OF "Old" FOR VALUES WITH (MODULUS 1, REMAINDER 0); ALTER TABLE "Old_0" REPLICA IDENTITY NOTHING`,
      /rows of Old\..*ALTER TABLE "public"\."Old_0" REPLICA IDENTITY DEFAULT;/,
    ],
    [
      "a computed column",
      `ALTER TABLE "User" ADD "shout" text GENERATED ALWAYS AS (upper("firstName")) STORED`,
      /generated columns: User\.shout\. ALTER TABLE "public"\."User" ALTER "shout" DROP EXPRESSION;/,
    ],
  ])("lists a table's obstacle and its fix: %s", async (_, sql, pattern) => {
    await runSql(url, sql);
    await expectFixable(pattern);
  });

  test("lists types whose text differs in the stream, only if they are kept", async () => {
    await runSql(
      url,
      `CREATE DOMAIN "Flag" AS boolean; ALTER TABLE "User" ADD "isPublic" "Flag", ADD "from" inet, ADD "note" xml, ADD "fine" jsonb, ADD "code" char(3)`,
    );
    expect(await readObstacles({ unknown: "drop", invalidRows: "stop" })).toEqual([]);
    await expectFixable(
      /a different text format than a copy: User\.isPublic \(public\."Flag"\), User\.from \(inet\), User\.note \(xml\) and User\.code \(character\(3\)\)/,
    );
  });

  test("streams despite a table without a key, which is copied in full", async () => {
    await runSql(url, `CREATE TABLE "Log" ("line" text)`);
    const plan = await planTestMigration(url, { dir, options: PERMISSIVE_OPTIONS });
    expect([plan.source.mode, plan.tables.at(-1)!.table]).toMatchObject([
      "stream",
      { target: "_source_Log", key: [] },
    ]);
    expect(formatIssues(plan).join()).toMatch(
      /Kept as text in _source_Log\. It has no key: every comparison copies all its rows again/,
    );
  });

  test("streams partitioned tables", async () => {
    await runSql(
      url,
      `CREATE TABLE "Old" ("id" int PRIMARY KEY) PARTITION BY HASH ("id"); CREATE TABLE "Old_0" PARTITION OF "Old" FOR VALUES WITH (MODULUS 1, REMAINDER 0)`,
    );
    const { source, tables } = await planTestMigration(url, { dir, options: PERMISSIVE_OPTIONS });
    expect([source.mode, source.hasPartitions, tables.map(({ table }) => table.target)]).toEqual([
      "stream",
      true,
      ["User", "Session", "Call", "PostRead", "_source_Old"],
    ]);
  });

  test("identifies a server whose identifier the role may not read", async () => {
    const database = new URL(url).pathname.slice(1);
    await runSql(
      url,
      `CREATE ROLE "unknowing" LOGIN REPLICATION; GRANT CREATE ON DATABASE ${database} TO "unknowing"; REVOKE EXECUTE ON FUNCTION pg_control_system FROM PUBLIC; GRANT USAGE ON SCHEMA public TO "unknowing"; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "unknowing"`,
    );
    const plans = [
      await planTestMigration(server.url(database, "unknowing"), { dir }),
      await planTestMigration(server.url(database, "unknowing"), { dir }),
    ];
    expect(plans[0]!.source.systemIdentifier).toMatch(/^database \d+ of \d+$/);
    expect(plans[1]!.source.systemIdentifier).toBe(plans[0]!.source.systemIdentifier);
  });

  test("detects a pooler by its process id", async () => {
    const client = await connectSource(url, { readOnly: true });
    try {
      Object.assign(client, { processID: 1 });
      const plan = await createPlan(client, {
        targetFile: join(dir, "site.db"),
        options: PERMISSIVE_OPTIONS,
        hasLegacyCookieSecret: false,
      });
      expect(formatIssues(plan)).toContainEqual(
        expect.stringMatching(/^stop: .*connection pooler/),
      );
    } finally {
      await client.end();
    }
  });

  test("ignores a short transaction, and plans databases in other encodings", async () => {
    const other = await connectSource(url);
    try {
      await readRows(other, "BEGIN");
      await readRows(other, `UPDATE public."User" SET "firstName" = 'x'`);
      expect(formatIssues(await planTestMigration(url, { dir })).join()).not.toContain(
        "open for more than a minute",
      );
    } finally {
      await other.end();
    }
    for (const [encoding, decided] of [
      ["LATIN1", true],
      ["SQL_ASCII", false],
    ] as const) {
      await runSql(
        url,
        `CREATE DATABASE "${encoding}" ENCODING '${encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
      );
      await runSql(
        server.url(encoding),
        `CREATE TABLE "User" ("id" text PRIMARY KEY, "createdAt" timestamp(3), "updatedAt" timestamp(3), "email" text UNIQUE, "firstName" text, "role" text, "team" text)`,
      );
      const plan = await planTestMigration(server.url(encoding), { dir });
      expect([plan.source.encoding, isResolved(plan)]).toEqual([encoding, decided]);
    }
  });
});
