import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KNOWN_TABLES, type TableMapping } from "./table-mapping.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { type Verification, type VerifyOptions, verifyCopy } from "./verify-copy.ts";
import { compareSample } from "./compare-sample.ts";
import { withSnapshot } from "./migration.ts";
import { PERMISSIVE_OPTIONS, copyTestTables } from "#tests/support/planned-migration-fixture.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { ODDITIES, createSourceDatabase, runSql } from "#tests/support/source-site.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";

const side = (source: string, target: string, key: string[], names: string[]): TableMapping => ({
  schema: "public",
  source,
  target,
  key,
  columns: names.map((name) => ({ name, as: "text", isNullable: true })),
  isSide: true,
});
const SIDES: readonly TableMapping[] = [
  side("User", "_source_User", ["id"], ["id", "nickname", "score", "settings"]),
  side("Bookmark", "_source_Bookmark", ["userId", "slug"], ["userId", "slug", "at"]),
  side("Log", "_source_Log", [], ["line"]),
];
const SESSION_SIDE: TableMapping = {
  ...side("Session", "_source_Session", ["id"], ["id", "userAgent"]),
  columns: [
    { name: "id", as: "session-id", isNullable: true },
    { name: "userAgent", as: "text", isNullable: true },
  ],
};
/** The mapping that a plan creates for dates with microseconds. */
const MICRO_TABLES: readonly TableMapping[] = KNOWN_TABLES.map((table) => ({
  ...table,
  columns: table.columns.map((column) =>
    column.as === "date" ? { ...column, hasMicros: true } : column,
  ),
}));

describe.skipIf(!findPostgres())("a verification of unusual sites", () => {
  let server: TestPostgres;
  let dir: string;
  let url: string;
  let file: string;
  const tables = [...MICRO_TABLES, ...SIDES, SESSION_SIDE];
  beforeAll(async () => {
    server = await startPostgres();
    dir = mkdtempSync(join(tmpdir(), "lectern-verify-"));
    url = await oddSite(
      "infinite",
      "ancient",
      "extraLabel",
      "greenMember",
      "orphans",
      "unknownColumns",
      "unknownSessionColumn",
      "unknownTable",
      "unknownTableWithoutKey",
      "emptySlug",
      "noTeam",
      "microseconds",
      "zoned",
      "uuids",
      "citext",
      "dateOnly",
      "wrongType",
    );
    await runSql(
      url,
      `UPDATE "PostRead" SET "createdAt" = '294276-12-31 23:59:59.999999' WHERE "postSlug" <> '' AND "id" IN (SELECT "id" FROM "PostRead" WHERE "createdAt" > '1980-01-01' ORDER BY "id" LIMIT 2)`,
    );
    file = join(dir, "whole.db");
    await copy(url, file, tables);
  });
  afterAll(async () => {
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function oddSite(...names: (keyof typeof ODDITIES)[]): Promise<string> {
    const made = await createSourceDatabase(server);
    for (const name of names) await runSql(made, ODDITIES[name]);
    return made;
  }

  const copy = (from: string, to: string, tables: readonly TableMapping[]) =>
    copyTestTables(from, to, tables, PERMISSIVE_OPTIONS);

  const compare = (
    options: Partial<VerifyOptions> & { from?: string } = {},
  ): Promise<Verification> =>
    withSnapshot(options.from ?? url, null, (source) =>
      verifyCopy({ source, tables, file, ...options }),
    );

  /** Runs `sql` on a copy of the file. Returns the tables that differ afterwards. */
  async function withFault(sql: string): Promise<Verification["tables"]> {
    const copy = join(dir, "faulty.db");
    rmSync(copy, { force: true });
    const whole = new Database(file, { readonly: true });
    whole.prepare("VACUUM INTO ?").run(copy);
    whole.close();
    const faulty = new Database(copy);
    const before = faulty.prepare("SELECT total_changes()").pluck().get() as number;
    faulty.exec(sql);
    expect(
      (faulty.prepare("SELECT total_changes()").pluck().get() as number) - before,
    ).toBeGreaterThan(0);
    faulty.close();
    const { tables: verifiedTables, isEqual } = await compare({ file: copy });
    expect(isEqual).toBe(false);
    return verifiedTables.filter((table) => !table.isEqual);
  }

  test("accepts a correct copy of all oddities, and samples every table", async () => {
    const { isEqual, problems, tables: verifiedTables } = await compare();
    expect(verifiedTables.flatMap(({ differences }) => differences)).toEqual([]);
    expect([isEqual, problems]).toEqual([true, []]);
    expect(verifiedTables.map(({ target }) => target)).toEqual([
      "User",
      "Session",
      "Call",
      "PostRead",
      "_source_User",
      "_source_Bookmark",
      "_source_Log",
      "_source_Session",
    ]);
    expect(
      verifiedTables.every(
        ({ source, file: ours, sampled, target }) =>
          source.rows > 0 &&
          source.rows === ours.rows &&
          sampled > 0 === (target !== "_source_Log"),
      ),
    ).toBe(true);
    const db = new Database(file, { readonly: true });
    expect(
      db
        .prepare(`SELECT "source", count(*) > 0 FROM "_quarantined_rows" GROUP BY 1 ORDER BY 1`)
        .raw()
        .all(),
    ).toEqual([
      ["Call", 1],
      ["PostRead", 1],
      ["Session", 1],
      ["User", 1],
    ]);
    db.close();
  });

  test("accepts a partitioned source, and one in another encoding", async () => {
    const parts = await oddSite("partitions");
    const to = join(dir, "parts.db");
    await copy(parts, to, KNOWN_TABLES);
    expect(await compare({ from: parts, file: to, tables: KNOWN_TABLES })).toMatchObject({
      isEqual: true,
      problems: [],
    });

    await runSql(
      url,
      `CREATE DATABASE "latin" ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    const latin = server.url("latin");
    await runSql(
      latin,
      `CREATE TABLE "Bookmark" ("userId" text, "slug" text, "at" timestamptz, PRIMARY KEY ("userId", "slug")); INSERT INTO "Bookmark" SELECT 'Zoë ' || n, CASE n % 2 WHEN 0 THEN 'é' ELSE U&'\\00ff' END, '2022-01-01' FROM generate_series(1, 300) AS n`,
    );
    const second = join(dir, "latin.db");
    const bookmarks = SIDES.slice(1, 2);
    await copy(latin, second, bookmarks);
    expect(await compare({ from: latin, file: second, tables: bookmarks })).toMatchObject({
      isEqual: true,
    });
    const db = new Database(second);
    db.prepare(`UPDATE "_source_Bookmark" SET "slug" = 'e\u0301' WHERE "userId" = 'Zoë 2'`).run();
    db.close();
    expect(
      (await compare({ from: latin, file: second, tables: bookmarks })).tables[0],
    ).toMatchObject({
      isEqual: false,
      differingRows: 2,
      differences: [
        { key: `SHA-256 ${hashSecret("Zoë 2 e\u0301")}`, kind: "extra" },
        { key: `SHA-256 ${hashSecret("Zoë 2 é")}`, kind: "missing" },
      ],
    });
  });

  const FIRST = (source: string) =>
    `"rowid" = (SELECT min("rowid") FROM "_quarantined_rows" WHERE "source" = '${source}')`;
  test.each([
    [
      "a value of a quarantined row",
      `UPDATE "_quarantined_rows" SET "row" = json_set("row", '$[3]', 'x') WHERE ${FIRST("User")}`,
      "User",
      1,
    ],
    [
      "a null there",
      `UPDATE "_quarantined_rows" SET "row" = json_set("row", '$[6]', '') WHERE "row" ->> 6 IS NULL AND "source" = 'User'`,
      "User",
      null,
    ],
    [
      "its date, by one millisecond",
      `UPDATE "_quarantined_rows" SET "row" = json_set("row", '$[1]', CAST(CAST("row" ->> 1 AS INTEGER) + 1 AS TEXT)) WHERE "source" = 'PostRead' AND "reason" LIKE '%years%'`,
      "PostRead",
      null,
    ],
    [
      "a number in place of its text",
      `UPDATE "_quarantined_rows" SET "row" = json_set("row", '$[1]', CAST("row" ->> 1 AS INTEGER)) WHERE "source" = 'PostRead' AND "reason" LIKE '%years%'`,
      "PostRead",
      null,
    ],
    [
      "its key",
      `UPDATE "_quarantined_rows" SET "key" = "key" || ' ' WHERE ${FIRST("Session")}`,
      "Session",
      1,
    ],
    ["the row itself", `DELETE FROM "_quarantined_rows" WHERE ${FIRST("Session")}`, "Session", 1],
    [
      "what is no row",
      `UPDATE "_quarantined_rows" SET "row" = substr("row", 2) WHERE ${FIRST("PostRead")}`,
      "PostRead",
      2,
    ],
    [
      "a column more",
      `UPDATE "_quarantined_rows" SET "row" = json_insert("row", '$[#]', 'x') WHERE ${FIRST("PostRead")}`,
      "PostRead",
      2,
    ],
    [
      "a row that never was",
      `INSERT INTO "_quarantined_rows" SELECT "source", 'x', "reason", json_set("row", '$[0]', 'x') FROM "_quarantined_rows" WHERE ${FIRST("User")}`,
      "User",
      1,
    ],
    [
      "a side table's value",
      `UPDATE "_source_User" SET "score" = '1.5' WHERE "score" = '1.50' AND "rowid" < 20`,
      "_source_User",
      null,
    ],
    [
      "a side table's null",
      `UPDATE "_source_User" SET "nickname" = '' WHERE "rowid" = (SELECT min("rowid") FROM "_source_User" WHERE "nickname" IS NULL)`,
      "_source_User",
      1,
    ],
    [
      "a blob in a side table",
      `UPDATE "_source_Session" SET "userAgent" = CAST("userAgent" AS BLOB) WHERE "rowid" = 3`,
      "_source_Session",
      1,
    ],
    [
      "a side table's row",
      `DELETE FROM "_source_Bookmark" WHERE "rowid" = 5`,
      "_source_Bookmark",
      1,
    ],
    [
      "a row of a table without a key, once instead of twice",
      `DELETE FROM "_source_Log" WHERE "rowid" = (SELECT min("rowid") FROM "_source_Log" WHERE "line" = 'one')`,
      "_source_Log",
      null,
    ],
    [
      "a value of a table without a key",
      `UPDATE "_source_Log" SET "line" = '' WHERE "line" IS NULL`,
      "_source_Log",
      null,
    ],
  ])("finds a fault: %s", async (_, sql, target, count) => {
    const verifiedTables = await withFault(sql);
    expect(verifiedTables.map((table) => table.target)).toEqual([target]);
    expect(verifiedTables[0]!.differingRows === null).toBe(target === "_source_Log");
    if (count !== null) expect(verifiedTables[0]!.differingRows).toBe(count);
    if (target !== "_source_Log") expect(verifiedTables[0]!.differences.length).toBeGreaterThan(0);
  });

  test("the sample alone finds missing, extra and different rows", async () => {
    const copy = join(dir, "sample.db");
    const whole = new Database(file, { readonly: true });
    whole.prepare("VACUUM INTO ?").run(copy);
    whole.close();
    const db = new Database(copy);
    const source = await connectSource(url, { readOnly: true });
    try {
      // Enough tries to cover every rowid of a small table.
      for (const table of [MICRO_TABLES[1]!, ...SIDES, SESSION_SIDE])
        expect((await compareSample(source, db, table, 3_000)).differences).toEqual([]);
      const [gone, changed] = db
        .prepare(`SELECT "userId" FROM "_source_Bookmark" ORDER BY 1 LIMIT 2`)
        .pluck()
        .all() as [string, string];
      db.prepare(`DELETE FROM "_source_Bookmark" WHERE "userId" = ?`).run(gone);
      db.prepare(`UPDATE "_source_Bookmark" SET "at" = "at" || ' ' WHERE "userId" = ?`).run(
        changed,
      );
      db.exec(`INSERT INTO "_source_Bookmark" VALUES ('x', 'x', NULL)`);
      const { differences: sampleDifferences } = await compareSample(source, db, SIDES[1]!, 3_000);
      expect(sampleDifferences).toEqual(
        expect.arrayContaining([
          { key: [gone, "x"], kind: "missing", columns: [] },
          { key: [changed, "x"], kind: "different", columns: ["at"] },
          { key: ["x", "x"], kind: "extra", columns: [] },
        ]),
      );
      expect(await compareSample(source, db, SIDES[1]!, 0)).toEqual({
        sampled: 0,
        differences: [],
      });
    } finally {
      db.close();
      await source.end();
    }
  });

  test("reports progress for every table up to its last row", async () => {
    const last = new Map<string, [number, number]>();
    const { tables: verifiedTables } = await compare({
      onProgress: ({ table, rows, total }) => last.set(table, [rows, total]),
    });
    expect(
      [...last.entries()].map(([target, [rows, total]]) => [target, rows, rows <= total]),
    ).toEqual(verifiedTables.map(({ target, file: ours }) => [target, ours.rows, true]));
  });

  test("aborts before the start and while the source sends nothing", async () => {
    await expect(compare({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AppError",
      code: "unavailable",
    });
    const stop = new AbortController();
    await whileLocked(async () => {
      const going = compare({ signal: stop.signal });
      await Promise.all([
        expect(going).rejects.toMatchObject({ name: "AppError", code: "unavailable" }),
        waitForLock().then(() => stop.abort()),
      ]);
    });
  });

  test("reports a lost connection without its address", async () => {
    await whileLocked(async () => {
      const going = compare();
      await Promise.all([
        expect(going).rejects.toMatchObject({
          name: "AppError",
          code: "unavailable",
          message: expect.not.stringContaining("127.0.0.1"),
        }),
        waitForLock().then(() =>
          runSql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
          ),
        ),
      ]);
    });
  });

  /** Runs `work` while the source's calls are locked. */
  async function whileLocked(work: () => Promise<void>): Promise<void> {
    const other = await connectSource(url);
    try {
      await readRows(other, `BEGIN`);
      await readRows(other, `LOCK TABLE public."Call"`);
      await work();
    } finally {
      await other.end();
    }
  }

  async function waitForLock(): Promise<void> {
    const client = await connectSource(url);
    try {
      await expect
        .poll(
          () =>
            readRows(
              client,
              "SELECT pid::text FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
            ).then((rows) => rows.length),
          { timeout: 8_000 },
        )
        .toBeGreaterThan(0);
    } finally {
      await client.end();
    }
  }

  test("reports a missing or unreadable file", async () => {
    await expect(compare({ file: join(dir, "gone.db") })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("gone.db is missing"),
    });
    const none = join(dir, "none.db");
    writeFileSync(none, "x".repeat(10_000));
    await expect(compare({ file: none })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("none.db cannot be read"),
    });
  });
});
