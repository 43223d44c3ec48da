import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { formatPlan } from "./format-plan.ts";
import { isResolved } from "./plan.ts";
import { createSourceDatabase, runSql } from "#tests/support/source-site.ts";
import {
  PERMISSIVE_OPTIONS,
  runPlannedMigration,
  planTestMigration,
  formatIssues,
} from "#tests/support/planned-migration-fixture.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";

describe.skipIf(!findPostgres())("the tables of a plan", () => {
  let server: TestPostgres;
  let dir: string;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres();
    dir = mkdtempSync(join(tmpdir(), "lectern-plan-"));
  });
  afterAll(async () => {
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    url = await createSourceDatabase(server, { reads: 50, calls: 2, callBytes: 100 });
  });

  const plan = (options = PERMISSIVE_OPTIONS) => planTestMigration(url, { dir, options });
  const stops = async () => (await plan()).issues.filter(({ level }) => level === "stop");

  test.each([
    [
      "json for a text",
      `ALTER TABLE "Call" ALTER "keywords" TYPE jsonb USING to_jsonb("keywords")`,
      /^Call.keywords is jsonb/,
    ],
    [
      "an array for a text",
      `ALTER TABLE "Call" ALTER "keywords" TYPE text[] USING ARRAY["keywords"]`,
      /^Call.keywords is text\[\]/,
    ],
    [
      "padded text",
      `ALTER TABLE "PostRead" ALTER "clientId" TYPE char(40)`,
      /^PostRead.clientId is character\(40\)/,
    ],
    [
      "a boolean for a text",
      `ALTER TABLE "User" ALTER "discordId" TYPE boolean USING true`,
      /^User.discordId is boolean/,
    ],
    [
      "a text for a date",
      `ALTER TABLE "Session" ALTER "expirationDate" TYPE text`,
      /^Session.expirationDate is text, which is not a date type/,
    ],
    [
      "a number for a date",
      `ALTER TABLE "User" ALTER "createdAt" DROP DEFAULT, ALTER "createdAt" TYPE double precision USING extract(epoch FROM "createdAt") * 1000`,
      /^User.createdAt is double precision/,
    ],
    [
      "a key that may be null",
      `ALTER TABLE "PostRead" DROP CONSTRAINT "PostRead_pkey", ADD UNIQUE ("id"), ALTER "id" DROP NOT NULL`,
      /^PostRead has no key/,
    ],
    [
      "a composite key",
      `ALTER TABLE "PostRead" DROP CONSTRAINT "PostRead_pkey", ADD PRIMARY KEY ("id", "postSlug")`,
      /^PostRead has no key/,
    ],
    [
      "a partial index",
      `ALTER TABLE "Call" DROP CONSTRAINT "Call_pkey"; CREATE UNIQUE INDEX ON "Call" ("id") WHERE "title" <> ''`,
      /^Call has no key/,
    ],
    [
      "child tables that inherit",
      `CREATE TABLE "Old call" () INHERITS ("Call")`,
      /^Old call inherits from Call/,
    ],
  ])("blocks on a known table, and the fix resolves it: %s", async (_, sql, pattern) => {
    await runSql(url, sql);
    const blockers = await stops();
    expect(blockers.map(({ text }) => text)).toEqual([expect.stringMatching(pattern)]);
    await runSql(url, blockers[0]!.fix!.replace(/; \(.*\)$/, ";"));
    expect(await stops()).toEqual([]);
    expect((await runPlannedMigration(url, await plan(), join(dir, "fixed.db"))).isEqual).toBe(
      true,
    );
  });

  test.each([
    [
      "bytes for a text",
      `ALTER TABLE "Call" ALTER "base64" TYPE bytea USING "base64"::bytea`,
      /^Call.base64 is bytea/,
    ],
    [
      "a missing column",
      `ALTER TABLE "Call" DROP "title"`,
      /^Call has no column title, which every row needs/,
    ],
    ["no members", `DROP TABLE "User" CASCADE`, /^There is no User table/],
    [
      "a view",
      `ALTER TABLE "Call" RENAME TO "Call_"; CREATE VIEW "Call" AS SELECT * FROM "Call_"`,
      /^Call is a view, not a table/,
    ],
  ])("blocks on a known table: %s", async (_, sql, pattern) => {
    await runSql(url, sql);
    expect((await stops()).map(({ text }) => text)).toEqual([expect.stringMatching(pattern)]);
  });

  test("recognizes a database of another application", async () => {
    const other = await server.createDatabase();
    const planned = await planTestMigration(other, { dir });
    expect(formatIssues(planned)).toEqual([
      expect.stringMatching(
        /^stop: Schema public has none of the tables User, Session, Call and PostRead/,
      ),
    ]);
    expect(formatPlan(planned).join("\n")).toContain("There is nothing to migrate.");
  });

  test("finds the tables in another schema", async () => {
    await runSql(
      url,
      `CREATE SCHEMA "app"; ALTER TABLE "User" SET SCHEMA "app"; ALTER TABLE "Session" SET SCHEMA "app"; ALTER TABLE "Call" SET SCHEMA "app"; ALTER TABLE "PostRead" SET SCHEMA "app"`,
    );
    const planned = await plan();
    expect(planned.tables.map(({ table }) => `${table.schema}.${table.target}`)).toEqual([
      "app.User",
      "app.Session",
      "app.Call",
      "app.PostRead",
    ]);
    expect((await runPlannedMigration(url, planned, join(dir, "app.db"))).isEqual).toBe(true);
  });

  test("migrates unusual names without collisions", async () => {
    const long = "x".repeat(60);
    await runSql(
      url,
      `CREATE TABLE "a ""quoted"" name; --" ("Key of it" text PRIMARY KEY, "va""lue" int[]); INSERT INTO "a ""quoted"" name; --" VALUES ('it''s', '{1,NULL}')`,
      `CREATE TABLE "bookmark" ("id" int PRIMARY KEY); CREATE TABLE "Bookmark" ("id" int PRIMARY KEY); CREATE TABLE "BOOKMARK" ("id" int PRIMARY KEY); INSERT INTO "bookmark" VALUES (1); INSERT INTO "Bookmark" VALUES (2); INSERT INTO "BOOKMARK" VALUES (3)`,
      `CREATE TABLE "user" ("id" int PRIMARY KEY); ALTER TABLE "User" ADD "nick name" text; CREATE TABLE "aside" ("id" int, "rowid" text, "_rowid_" text); INSERT INTO "aside" VALUES (1, 'a', 'b')`,
      `CREATE TABLE "${long}é" ("A" int, "B" int); CREATE UNIQUE INDEX "_ab" ON "${long}é" ("A", "B"); ALTER TABLE "${long}é" ALTER "A" SET NOT NULL, ALTER "B" SET NOT NULL; INSERT INTO "${long}é" VALUES (1, 2)`,
    );
    const planned = await plan();
    expect(isResolved(planned)).toBe(true);
    const sides = planned.tables
      .filter(({ table }) => table.isSide)
      .map(({ table }) => [table.source, table.target, table.key]);
    expect(sides).toEqual([
      ["User", "_source_User", ["id"]],
      ["BOOKMARK", "_source_BOOKMARK", ["id"]],
      ["Bookmark", "_source_Bookmark_2", ["id"]],
      [`a "quoted" name; --`, `_source_a "quoted" name; --`, ["Key of it"]],
      ["aside", "_source_aside", []],
      ["bookmark", "_source_bookmark_3", ["id"]],
      ["user", "_source_user_2", ["id"]],
      [`${long}é`, `_source_${long}é`, ["A", "B"]],
    ]);
    const file = join(dir, "names.db");
    expect((await runPlannedMigration(url, planned, file)).isEqual).toBe(true);
    const db = new Database(file, { readonly: true });
    expect(
      ["_source_bookmark_3", "_source_Bookmark_2", "_source_BOOKMARK"].map((name) =>
        db.prepare(`SELECT "id" FROM "${name}"`).pluck().all(),
      ),
    ).toEqual([["1"], ["2"], ["3"]]);
    db.close();
  });

  test("blocks on what SQLite cannot store, and offers to drop it", async () => {
    await runSql(
      url,
      `CREATE TABLE "Twice" ("Name" text, "name" text); CREATE TABLE "Wide" (${Array.from({ length: 501 }, (_, i) => `c${i} int`).join(", ")}); CREATE TABLE "Empty" (); CREATE TABLE "Rows" ("rowid" int, "_ROWID_" int, "oid" int)`,
    );
    const planned = await plan();
    expect(formatIssues(planned).join("\n")).toMatch(
      /stop: .*Twice.*SQLite cannot tell the columns Name and name apart.*--unknown drop[\s\S]*stop: .*Wide.*500 columns at most.*--unknown drop/,
    );
    expect(formatIssues(planned).join("\n")).toMatch(
      /stop: .*Rows.*cannot identify rows.*--unknown drop/,
    );
    expect(formatIssues(planned).join("\n")).toMatch(
      /note: .*Empty \(0 columns\)\. Its rows are empty/,
    );
    expect(isResolved(await plan({ unknown: "drop", invalidRows: "stop" }))).toBe(true);
  });

  test("migrates a side table of 500 columns", async () => {
    await runSql(
      url,
      `CREATE TABLE "Wide" (${Array.from({ length: 500 }, (_, i) => `c${i} int DEFAULT ${i}`).join(", ")}, PRIMARY KEY (c0)); INSERT INTO "Wide" SELECT FROM generate_series(1, 1); INSERT INTO "Wide" (c0) SELECT n FROM generate_series(1, 40) AS n`,
    );
    expect((await runPlannedMigration(url, await plan(), join(dir, "wide.db"))).isEqual).toBe(true);
  });

  test("blocks on rows that the role cannot see", async () => {
    const database = new URL(url).pathname.slice(1);
    await runSql(
      url,
      `CREATE ROLE "reader" LOGIN; GRANT USAGE ON SCHEMA public TO "reader"; GRANT SELECT ON "User", "Session", "Call" TO "reader"; ALTER TABLE "Call" ENABLE ROW LEVEL SECURITY; CREATE TABLE "Secret" ("id" int PRIMARY KEY); ALTER TABLE "Secret" ADD "x" int`,
    );
    const planned = await planTestMigration(server.url(database, "reader"), {
      dir,
      options: PERMISSIVE_OPTIONS,
    });
    expect(formatIssues(planned).filter((line) => line.startsWith("stop"))).toEqual([
      expect.stringMatching(/Row-level security hides rows of Call from this role/),
      expect.stringMatching(/cannot read PostRead.*GRANT SELECT ON "public"\."PostRead"/),
      expect.stringMatching(/cannot read Secret.*--unknown drop/),
    ]);
  });

  test("lists what does not migrate: extensions, other schemas, foreign tables, views", async () => {
    await runSql(
      url,
      `CREATE EXTENSION postgres_fdw; CREATE SERVER "elsewhere" FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE "Far" ("id" int) SERVER "elsewhere"`,
      `CREATE SCHEMA "auth"; CREATE TABLE "auth"."tokens" ("id" int); CREATE MATERIALIZED VIEW "Totals" AS SELECT 1 AS n; CREATE EXTENSION pg_stat_statements`,
    );
    const issues = formatIssues(await plan()).join("\n");
    for (const pattern of [
      /foreign tables have their rows elsewhere: Far\./,
      /another schema \(auth\): tokens\./,
      /views have no rows of their own: Totals\./,
      /part of an extension: pg_stat_statements/,
    ])
      expect(issues).toMatch(pattern);
    expect(isResolved(await plan())).toBe(true);
  });

  test("strips control characters from keys and names", async () => {
    await runSql(
      url,
      `ALTER TABLE "PostRead" DROP CONSTRAINT "PostRead_userId_fkey"; INSERT INTO "PostRead" VALUES (E'\\x1b[2J\\r\\u202e', now(), 'nobody', NULL, 's'); CREATE TABLE E"x" ("a" int)`.replace(
        'E"x"',
        '"\u001b[31mred\n"',
      ),
    );
    const lines = formatPlan(await plan());
    expect(lines.some((line) => line.includes("_source_?[31mred?"))).toBe(true);
    for (const sign of ["\u001b", "\u202e", "\r", "\n"]) expect(lines.join("")).not.toContain(sign);
  });
});
