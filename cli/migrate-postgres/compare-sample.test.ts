import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyTables } from "./copy-tables.ts";
import { type MigrationOptions, KNOWN_TABLES, type TableMapping } from "./table-mapping.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { finishLoad, createStagingDatabase } from "./staging-database.ts";
import { type Verification, type VerifyOptions, verifyCopy } from "./verify-copy.ts";
import { compareSample } from "./compare-sample.ts";
import { hashSessionId } from "#lib/members/session/hash-session-id.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.ts";
import { ODDITIES, createSourceSite, runSql } from "#tests/support/source-site.ts";
import { type TestPostgres, findPostgres, startPostgres } from "#tests/support/postgres.ts";

const ASIDE: MigrationOptions = { unknown: "keep", unfit: "aside" };

const side = (source: string, target: string, key: string[], names: string[]): TableMapping => ({
  schema: "public",
  source,
  target,
  key,
  columns: names.map((name) => ({ name, as: "text", isNullable: true })),
  isSide: true,
});
const SIDES: readonly TableMapping[] = [
  side("User", "Moved_User", ["id"], ["id", "nickname", "score", "settings"]),
  side("Bookmark", "Moved_Bookmark", ["userId", "slug"], ["userId", "slug", "at"]),
  side("Log", "Moved_Log", [], ["line"]),
];
const SESSION_SIDE: TableMapping = {
  ...side("Session", "Moved_Session", ["id"], ["id", "userAgent"]),
  columns: [
    { name: "id", as: "session-id", isNullable: true },
    { name: "userAgent", as: "text", isNullable: true },
  ],
};
/** As the plan finds them where dates are kept to the microsecond. */
const FINE: readonly TableMapping[] = KNOWN_TABLES.map((table) => ({
  ...table,
  columns: table.columns.map((column) =>
    column.as === "date" ? { ...column, hasMicros: true } : column,
  ),
}));

describe.skipIf(!findPostgres())("a comparison of odd sites", () => {
  let server: TestPostgres;
  let dir: string;
  let url: string;
  let file: string;
  const tables = [...FINE, ...SIDES, SESSION_SIDE];
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
      "bigCall",
    );
    await runSql(
      url,
      `UPDATE "PostRead" SET "createdAt" = '294276-12-31 23:59:59.999999' WHERE "postSlug" <> '' AND "id" IN (SELECT "id" FROM "PostRead" WHERE "createdAt" > '1980-01-01' ORDER BY "id" LIMIT 2)`,
    );
    file = join(dir, "whole.db");
    await move(url, file, tables);
  });
  afterAll(async () => {
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function oddSite(...names: (keyof typeof ODDITIES)[]): Promise<string> {
    const made = await server.createDatabase();
    await createSourceSite(made);
    for (const name of names) await runSql(made, ODDITIES[name]);
    return made;
  }

  async function move(from: string, to: string, moved: readonly TableMapping[]): Promise<void> {
    const source = await connectSource(from, { readOnly: true });
    try {
      await readRows(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      await createStagingDatabase(to, { id: "test", tables: moved });
      await copyTables({ source, tables: moved, choices: ASIDE, file: to });
      finishLoad(to, { rebuild: rebuildCounters, position: "0/0" });
    } finally {
      await source.end();
    }
  }

  async function compare(
    options: Partial<VerifyOptions> & { from?: string } = {},
  ): Promise<Verification> {
    const source = await connectSource(options.from ?? url, { readOnly: true });
    try {
      await readRows(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      return await verifyCopy({ source, tables, file, ...options });
    } finally {
      await source.end();
    }
  }

  /** Runs `sql` on a copy of the file, and returns what a comparison says of the tables that are not equal then. */
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
    const { tables: found, equal } = await compare({ file: copy });
    expect(equal).toBe(false);
    return found.filter((table) => !table.equal);
  }

  test("a faithful copy of everything odd is equal, and everything was looked at", async () => {
    const { equal, problems, tables: found } = await compare();
    expect(found.flatMap(({ differences }) => differences)).toEqual([]);
    expect([equal, problems]).toEqual([true, []]);
    expect(found.map(({ target }) => target)).toEqual([
      "User",
      "Session",
      "Call",
      "PostRead",
      "Moved_User",
      "Moved_Bookmark",
      "Moved_Log",
      "Moved_Session",
    ]);
    expect(
      found.every(
        ({ source, file: ours, sampled, target }) =>
          source.rows > 0 && source.rows === ours.rows && sampled > 0 === (target !== "Moved_Log"),
      ),
    ).toBe(true);
    const db = new Database(file, { readonly: true });
    expect(
      db
        .prepare(`SELECT "source", count(*) > 0 FROM "Moved_aside" GROUP BY 1 ORDER BY 1`)
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

  test("a source in parts, and one that keeps texts in another encoding", async () => {
    const parts = await oddSite("partitions");
    const to = join(dir, "parts.db");
    await move(parts, to, KNOWN_TABLES);
    expect(await compare({ from: parts, file: to, tables: KNOWN_TABLES })).toMatchObject({
      equal: true,
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
    const moved = SIDES.slice(1, 2);
    await move(latin, second, moved);
    expect(await compare({ from: latin, file: second, tables: moved })).toMatchObject({
      equal: true,
    });
    const db = new Database(second);
    db.prepare(`UPDATE "Moved_Bookmark" SET "slug" = 'e\u0301' WHERE "userId" = 'Zoë 2'`).run();
    db.close();
    expect((await compare({ from: latin, file: second, tables: moved })).tables[0]).toMatchObject({
      equal: false,
      differing: 2,
      differences: [
        { key: `SHA-256 ${hashSessionId("Zoë 2 e\u0301")}`, kind: "extra" },
        { key: `SHA-256 ${hashSessionId("Zoë 2 é")}`, kind: "missing" },
      ],
    });
  });

  const FIRST = (source: string) =>
    `"rowid" = (SELECT min("rowid") FROM "Moved_aside" WHERE "source" = '${source}')`;
  test.each([
    [
      "a value of a row that was put aside",
      `UPDATE "Moved_aside" SET "row" = json_set("row", '$[3]', 'x') WHERE ${FIRST("User")}`,
      "User",
      1,
    ],
    [
      "a null there",
      `UPDATE "Moved_aside" SET "row" = json_set("row", '$[6]', '') WHERE "row" ->> 6 IS NULL AND "source" = 'User'`,
      "User",
      null,
    ],
    [
      "its date, by a millisecond",
      `UPDATE "Moved_aside" SET "row" = json_set("row", '$[1]', CAST(CAST("row" ->> 1 AS INTEGER) + 1 AS TEXT)) WHERE "source" = 'PostRead' AND "why" LIKE '%years%'`,
      "PostRead",
      null,
    ],
    [
      "a number in place of its text",
      `UPDATE "Moved_aside" SET "row" = json_set("row", '$[1]', CAST("row" ->> 1 AS INTEGER)) WHERE "source" = 'PostRead' AND "why" LIKE '%years%'`,
      "PostRead",
      null,
    ],
    [
      "its key",
      `UPDATE "Moved_aside" SET "key" = "key" || ' ' WHERE ${FIRST("Session")}`,
      "Session",
      1,
    ],
    ["the row itself", `DELETE FROM "Moved_aside" WHERE ${FIRST("Session")}`, "Session", 1],
    [
      "what is no row",
      `UPDATE "Moved_aside" SET "row" = substr("row", 2) WHERE ${FIRST("PostRead")}`,
      "PostRead",
      2,
    ],
    [
      "a column more",
      `UPDATE "Moved_aside" SET "row" = json_insert("row", '$[#]', 'x') WHERE ${FIRST("PostRead")}`,
      "PostRead",
      2,
    ],
    [
      "a row that never was",
      `INSERT INTO "Moved_aside" SELECT "source", 'x', "why", json_set("row", '$[0]', 'x') FROM "Moved_aside" WHERE ${FIRST("User")}`,
      "User",
      1,
    ],
    [
      "a side table's value",
      `UPDATE "Moved_User" SET "score" = '1.5' WHERE "score" = '1.50' AND "rowid" < 20`,
      "Moved_User",
      null,
    ],
    [
      "a side table's null",
      `UPDATE "Moved_User" SET "nickname" = '' WHERE "rowid" = (SELECT min("rowid") FROM "Moved_User" WHERE "nickname" IS NULL)`,
      "Moved_User",
      1,
    ],
    [
      "a blob in a side table",
      `UPDATE "Moved_Session" SET "userAgent" = CAST("userAgent" AS BLOB) WHERE "rowid" = 3`,
      "Moved_Session",
      1,
    ],
    ["a side table's row", `DELETE FROM "Moved_Bookmark" WHERE "rowid" = 5`, "Moved_Bookmark", 1],
    [
      "a row of a table without a key, once instead of twice",
      `DELETE FROM "Moved_Log" WHERE "rowid" = (SELECT min("rowid") FROM "Moved_Log" WHERE "line" = 'one')`,
      "Moved_Log",
      null,
    ],
    [
      "a value of a table without a key",
      `UPDATE "Moved_Log" SET "line" = '' WHERE "line" IS NULL`,
      "Moved_Log",
      null,
    ],
  ])("is found: %s", async (_, sql, target, count) => {
    const found = await withFault(sql);
    expect(found.map((table) => table.target)).toEqual([target]);
    expect(found[0]!.differing === null).toBe(target === "Moved_Log");
    if (count !== null) expect(found[0]!.differing).toBe(count);
    if (target !== "Moved_Log") expect(found[0]!.differences.length).toBeGreaterThan(0);
  });

  test("the sample alone finds missing, extra and different rows of either side", async () => {
    const copy = join(dir, "sample.db");
    const whole = new Database(file, { readonly: true });
    whole.prepare("VACUUM INTO ?").run(copy);
    whole.close();
    const db = new Database(copy);
    const source = await connectSource(url, { readOnly: true });
    try {
      // So many tries that every place of so small a table is looked at.
      for (const table of [FINE[1]!, ...SIDES, SESSION_SIDE])
        expect((await compareSample(source, db, table, 3_000)).wrong).toEqual([]);
      const [gone, changed] = db
        .prepare(`SELECT "userId" FROM "Moved_Bookmark" ORDER BY 1 LIMIT 2`)
        .pluck()
        .all() as [string, string];
      db.prepare(`DELETE FROM "Moved_Bookmark" WHERE "userId" = ?`).run(gone);
      db.prepare(`UPDATE "Moved_Bookmark" SET "at" = "at" || ' ' WHERE "userId" = ?`).run(changed);
      db.exec(`INSERT INTO "Moved_Bookmark" VALUES ('x', 'x', NULL)`);
      const { wrong } = await compareSample(source, db, SIDES[1]!, 3_000);
      expect(wrong).toEqual(
        expect.arrayContaining([
          { key: [gone, "x"], kind: "missing", columns: [] },
          { key: [changed, "x"], kind: "different", columns: ["at"] },
          { key: ["x", "x"], kind: "extra", columns: [] },
        ]),
      );
      expect(await compareSample(source, db, SIDES[1]!, 0)).toEqual({ sampled: 0, wrong: [] });
    } finally {
      db.close();
      await source.end();
    }
  });

  test("progress is told of every table, up to its last row", async () => {
    const last = new Map<string, [number, number]>();
    const { tables: found } = await compare({
      onProgress: ({ table, rows, total }) => last.set(table, [rows, total]),
    });
    expect(
      [...last.entries()].map(([target, [rows, total]]) => [target, rows, rows <= total]),
    ).toEqual(found.map(({ target, file: ours }) => [target, ours.rows, true]));
  });

  test("a signal ends it, before it began and while the source says nothing", async () => {
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

  test("a connection that breaks is an error that tells nothing of it", async () => {
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

  /** Runs `work` while nobody else can read the old site's calls. */
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

  test("a file that is gone, or is none, is said to be", async () => {
    await expect(compare({ file: join(dir, "gone.db") })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("gone.db is not there"),
    });
    const none = join(dir, "none.db");
    writeFileSync(none, "x".repeat(10_000));
    await expect(compare({ file: none })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("none.db can't be read"),
    });
  });
});
