import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { formatPlan } from "./format-plan.ts";
import { isResolved, createPlan } from "./plan.ts";
import { type SourceFacts, checkSourceFacts, noteStreaming } from "./plan-source.ts";
import { listServerStreamObstacles } from "./plan-stream.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { createSourceSite, runSql } from "#tests/support/source-site.ts";
import {
  PERMISSIVE_OPTIONS,
  planTestMigration,
  formatIssues,
} from "#tests/support/planned-migration-fixture.ts";
import { type TestPostgres, findPostgres, startPostgres } from "#tests/support/postgres.ts";

const FINE: SourceFacts = {
  system: "1",
  database: "site",
  role: "me",
  version: "17.2",
  versionNumber: 170_002,
  encoding: "UTF8",
  isConvertible: true,
  walLevel: "logical",
  isInRecovery: false,
  isPooled: false,
  isSuperuser: false,
  mayReplicate: true,
  mayCreate: true,
  ownsDatabase: true,
  mayEndOthers: true,
  freeSlots: 3,
  freeSenders: 3,
  keptMegabytes: null,
  slotOf: null,
  hasPublication: false,
  longWriters: 0,
  prepared: 0,
  provider: null,
};
const judged = (facts: Partial<SourceFacts>) =>
  checkSourceFacts({ ...FINE, ...facts }, { isOurs: false }).map(
    ({ level, text, fix }) => `${level}: ${text} → ${fix}`,
  );
const cant = (facts: Partial<SourceFacts>) => listServerStreamObstacles({ ...FINE, ...facts });

test("a server as it should be is not spoken of", () => {
  expect([judged({}), cant({}), noteStreaming(FINE)]).toEqual([[], [], []]);
});

test.each([
  ["a standby", { isInRecovery: true }, /^stop: .*standby.*address of the primary/],
  [
    "an old server",
    { version: "10.23", versionNumber: 100_023 },
    /^stop: The server is PostgreSQL 10.23. A move needs 11 or newer/,
  ],
  ["a pooler", { isPooled: true }, /^stop: A connection pooler.*address of the server itself/],
  [
    "an encoding of bytes",
    { encoding: "SQL_ASCII" },
    /^stop: .*SQL_ASCII.*pg_dump --encoding=UTF8/,
  ],
  [
    "an encoding that Postgres can't convert",
    { encoding: "MULE_INTERNAL", isConvertible: false },
    /^stop: .*MULE_INTERNAL/,
  ],
  ["another encoding", { encoding: "LATIN1" }, /^note: .*LATIN1. Postgres converts/],
  ["sessions of others that it can't end", { mayEndOthers: false }, /^note: .*pg_signal_backend/],
  [
    "a database of somebody else's",
    { ownsDatabase: false },
    /^note: .*cutover can't make it read-only.*--old-site-stopped/,
  ],
] as const)("is said of the server: %s", (_, facts, pattern) => {
  expect(judged(facts)).toEqual([expect.stringMatching(pattern)]);
});

test("what a provider calls things by is said in its words", () => {
  expect(cant({ walLevel: "replica", mayReplicate: false, provider: "rds" })).toEqual([
    expect.stringContaining("rds.logical_replication = 1"),
    expect.stringContaining('GRANT rds_replication TO "me";'),
  ]);
  expect(cant({ walLevel: "replica", provider: "google" })).toEqual([
    expect.stringContaining("cloudsql.logical_decoding"),
  ]);
});

test("what a stream waits for, or must not outlast, is told", () => {
  expect(
    noteStreaming({ ...FINE, longWriters: 2, prepared: 1, keptMegabytes: 1_024, freeSlots: 1 }).map(
      ({ text }) => text,
    ),
  ).toEqual([
    expect.stringMatching(/^2 transactions of the server have written.*when they have ended/),
    expect.stringMatching(/^1 prepared transaction waits/),
    expect.stringMatching(/1,024 MB of changes/),
    expect.stringMatching(/One replication slot is free/),
  ]);
});

describe.skipIf(!findPostgres())("a source that can't stream", () => {
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
    url = await server.createDatabase();
    await createSourceSite(url);
  });

  const why = async (choices = PERMISSIVE_OPTIONS): Promise<readonly string[]> =>
    (await planTestMigration(url, { dir, choices })).source.whyPasses;

  /** Expects one reason, does what it says, and expects none. Only statements of the remedy are run. */
  async function expectMended(pattern: RegExp): Promise<void> {
    const found = await why();
    expect(found).toEqual([expect.stringMatching(pattern)]);
    await runSql(url, found[0]!.slice(found[0]!.search(/(ALTER|GRANT) [A-Z]/)));
    expect(await why()).toEqual([]);
  }

  test("for its server's settings says which, goes by passes, and what that means", async () => {
    const made = await poor.createDatabase();
    await createSourceSite(made);
    await runSql(made, "SELECT pg_create_physical_replication_slot('taken')");
    const sender = await connectSource(made, { replication: true });
    try {
      const plan = await planTestMigration(made, { dir });
      expect(plan.source.mode).toBe("passes");
      expect(plan.source.whyPasses).toEqual([
        expect.stringMatching(
          /wal_level is replica, not logical\. Change it \(ALTER SYSTEM SET wal_level = logical\), and restart/,
        ),
        expect.stringMatching(/Every replication slot is taken/),
        expect.stringMatching(/Every sender of the log/),
      ]);
      expect(isResolved(plan)).toBe(true);
      const lines = formatPlan(plan).join(" ").replace(/\s+/g, " ");
      expect(lines).toMatch(
        /It can't stream.*goes by passes.*Nothing is lost.*writes pause for as long as that takes, (under|about) \d+ (s|min) here, and what came and went between two passes is never seen.*wal_level is replica/,
      );
    } finally {
      await sender.end();
    }
  });

  test("for its role's rights says which to give", async () => {
    const database = new URL(url).pathname.slice(1);
    await runSql(
      url,
      `CREATE ROLE "Poor ""role""" LOGIN; GRANT USAGE ON SCHEMA public TO "Poor ""role"""; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "Poor ""role"""`,
    );
    const plan = await planTestMigration(server.url(database, encodeURIComponent('Poor "role"')), {
      dir,
    });
    expect(plan.source.whyPasses).toEqual([
      `The role may not replicate. ALTER ROLE "Poor ""role""" REPLICATION;`,
      `The role may not make a publication. GRANT CREATE ON DATABASE "${database}" TO "Poor ""role""";`,
      expect.stringMatching(
        /^Only its owner can publish a table: User, Session, Call and PostRead\./,
      ),
    ]);
    expect(formatIssues(plan).join()).toContain("--old-site-stopped");
    for (const reason of plan.source.whyPasses)
      await runSql(url, reason.slice(reason.search(/(ALTER|GRANT) [A-Z]/)));
    const able = await planTestMigration(server.url(database, encodeURIComponent('Poor "role"')), {
      dir,
    });
    expect([able.source.mode, able.source.whyPasses]).toEqual(["stream", []]);
  });

  test.each([
    [
      "a replica identity of nothing",
      `ALTER TABLE "Call" REPLICA IDENTITY NOTHING`,
      /which row of Call was changed or deleted\. ALTER TABLE "public"\."Call" REPLICA IDENTITY DEFAULT;/,
    ],
    [
      "a key that is not the primary one",
      `ALTER TABLE "Call" DROP CONSTRAINT "Call_pkey", ADD COLUMN "n" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY; CREATE UNIQUE INDEX "by id" ON "Call" ("id")`,
      /Call.*REPLICA IDENTITY USING INDEX "by id";/,
    ],
    [
      "a key that is checked late",
      `ALTER TABLE "Call" DROP CONSTRAINT "Call_pkey", ADD PRIMARY KEY ("id") DEFERRABLE`,
      /Call.*REPLICA IDENTITY FULL;/,
    ],
    [
      "a table that is not logged",
      `ALTER TABLE "PostRead" SET UNLOGGED`,
      /unlogged PostRead\. ALTER TABLE "public"\."PostRead" SET LOGGED;/,
    ],
    [
      "a partition without identity",
      `CREATE TABLE "Old" ("id" int PRIMARY KEY) PARTITION BY HASH ("id"); CREATE TABLE "Old_0" PARTITION OF "Old" FOR VALUES WITH (MODULUS 1, REMAINDER 0); ALTER TABLE "Old_0" REPLICA IDENTITY NOTHING`,
      /which row of Old was.*ALTER TABLE "public"\."Old_0" REPLICA IDENTITY DEFAULT;/,
    ],
    [
      "a computed column",
      `ALTER TABLE "User" ADD "shout" text GENERATED ALWAYS AS (upper("firstName")) STORED`,
      /what Postgres computes: User\.shout\. ALTER TABLE "public"\."User" ALTER "shout" DROP EXPRESSION;/,
    ],
  ])("for a table says which, and how it can: %s", async (_, sql, pattern) => {
    await runSql(url, sql);
    await expectMended(pattern);
  });

  test("for what the stream writes otherwise than a copy says so where that is kept, and only there", async () => {
    await runSql(
      url,
      `CREATE DOMAIN "Flag" AS boolean; ALTER TABLE "User" ADD "isPublic" "Flag", ADD "from" inet, ADD "note" xml, ADD "fine" jsonb, ADD "code" char(3)`,
    );
    expect(await why({ unknown: "drop", unfit: "stop" })).toEqual([]);
    await expectMended(
      /another text than a copy does: User\.isPublic \(public\."Flag"\), User\.from \(inet\), User\.note \(xml\) and User\.code \(character\(3\)\)/,
    );
  });

  test("a table without a key keeps nothing from streaming: it is copied anew instead", async () => {
    await runSql(url, `CREATE TABLE "Log" ("line" text)`);
    const plan = await planTestMigration(url, { dir, choices: PERMISSIVE_OPTIONS });
    expect([plan.source.mode, plan.tables.at(-1)!.table]).toMatchObject([
      "stream",
      { target: "Moved_Log", key: [] },
    ]);
    expect(formatIssues(plan).join()).toMatch(
      /Kept in Moved_Log, as text\. It has no key: its rows are copied anew/,
    );
  });

  test("partitions don't keep it from streaming, and are known to the plan", async () => {
    await runSql(
      url,
      `CREATE TABLE "Old" ("id" int PRIMARY KEY) PARTITION BY HASH ("id"); CREATE TABLE "Old_0" PARTITION OF "Old" FOR VALUES WITH (MODULUS 1, REMAINDER 0)`,
    );
    const { source, tables } = await planTestMigration(url, { dir, choices: PERMISSIVE_OPTIONS });
    expect([source.mode, source.hasPartitions, tables.map(({ table }) => table.target)]).toEqual([
      "stream",
      true,
      ["User", "Session", "Call", "PostRead", "Moved_Old"],
    ]);
  });

  test("a role without a right to the server's number still gets the same name for it each time", async () => {
    const database = new URL(url).pathname.slice(1);
    await runSql(
      url,
      `CREATE ROLE "unknowing" LOGIN REPLICATION; GRANT CREATE ON DATABASE ${database} TO "unknowing"; REVOKE EXECUTE ON FUNCTION pg_control_system FROM PUBLIC; GRANT USAGE ON SCHEMA public TO "unknowing"; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "unknowing"`,
    );
    const plans = [
      await planTestMigration(server.url(database, "unknowing"), { dir }),
      await planTestMigration(server.url(database, "unknowing"), { dir }),
    ];
    expect(plans[0]!.source.system).toMatch(/^database \d+ of \d+$/);
    expect(plans[1]!.source.system).toBe(plans[0]!.source.system);
  });

  test("a pooler is known by the number it gives the session", async () => {
    const client = await connectSource(url, { readOnly: true });
    try {
      Object.assign(client, { processID: 1 });
      const plan = await createPlan(client, {
        to: join(dir, "site.db"),
        choices: PERMISSIVE_OPTIONS,
        isOldCookieKnown: false,
      });
      expect(formatIssues(plan)).toContainEqual(
        expect.stringMatching(/^stop: A connection pooler/),
      );
    } finally {
      await client.end();
    }
  });

  test("a transaction that stays open is told, and a database of another encoding is read", async () => {
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
