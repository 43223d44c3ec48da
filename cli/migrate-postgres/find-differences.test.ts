import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RowDifference, findDifferences } from "./find-differences.ts";
import type { HashKind } from "./row-hash.ts";
import type { TableMapping } from "./table-mapping.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { hashSessionId } from "#lib/members/session/hash-session-id.ts";
import { type TestPostgres, findPostgres, startPostgres } from "#tests/support/postgres.ts";

const LINES: TableMapping = {
  schema: "public",
  source: "Line",
  target: "Line",
  key: ["id"],
  columns: [
    { name: "id", as: "text", isNullable: false },
    { name: "at", as: "date", isNullable: true },
    { name: "text", as: "text", isNullable: true },
  ],
  isSide: false,
};
const SESSIONS: TableMapping = {
  ...LINES,
  source: "Session",
  target: "Session",
  columns: [
    { name: "id", as: "session-id", isNullable: false },
    { name: "text", as: "text", isNullable: true },
  ],
};
const PAIRS: TableMapping = {
  ...LINES,
  source: "Pair",
  target: "Moved_Pair",
  key: ["b", "a"],
  columns: ["a", "b", "c"].map((name) => ({ name, as: "text", isNullable: true })),
  isSide: true,
};

describe.skipIf(!findPostgres())("rows that differ", () => {
  let server: TestPostgres;
  let dir: string;
  beforeAll(async () => {
    server = await startPostgres();
    dir = mkdtempSync(join(tmpdir(), "lectern-differences-"));
  });
  afterAll(async () => {
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const SCHEMA = `CREATE TABLE "Line" ("id" TEXT PRIMARY KEY, "at" %DATE%, "text" TEXT); CREATE TABLE "Session" ("id" TEXT PRIMARY KEY, "text" TEXT); CREATE TABLE %PAIR% ("a" TEXT, "b" TEXT, "c" TEXT, PRIMARY KEY ("b", "a"));`;
  const ASIDE = `CREATE TABLE "Moved_aside" ("source" TEXT NOT NULL, "key" TEXT NOT NULL, "why" TEXT NOT NULL, "row" TEXT NOT NULL, PRIMARY KEY ("source", "key"));`;
  let files = 0;

  /** Runs `work` on an empty source and an empty copy of it. */
  async function onBothSides(
    work: (source: pg.Client, db: Database.Database, url: string) => Promise<void>,
  ): Promise<void> {
    const url = await server.createDatabase();
    const source = await connectSource(url);
    const db = new Database(join(dir, `${(files += 1)}.db`));
    try {
      await readRows(source, `SET search_path = public, pg_catalog`);
      for (const sql of SCHEMA.replace("%DATE%", "TIMESTAMP(3)")
        .replace("%PAIR%", '"Pair"')
        .split("; "))
        await readRows(source, sql);
      db.exec(SCHEMA.replace("%DATE%", "DATETIME").replace("%PAIR%", '"Moved_Pair"') + ASIDE);
      await work(source, db, url);
    } finally {
      db.close();
      await source.end();
    }
  }

  async function differences(
    source: pg.Client,
    db: Database.Database,
    table: TableMapping,
    kind: HashKind = "native",
  ): Promise<RowDifference[]> {
    return Array.fromAsync(findDifferences({ source, db, table, kind }));
  }

  const insertLines = (source: pg.Client, rows: (string | null)[][]) =>
    readRows(
      source,
      `INSERT INTO "Line" SELECT r->>0, (r->>1)::timestamp, r->>2 FROM json_array_elements($1::json) AS r`,
      [JSON.stringify(rows)],
    );

  test.each(["native", "md5"] as const)(
    "%s: missing, extra and different ones come in the order of their keys",
    async (kind) => {
      await onBothSides(async (source, db) => {
        const keys = Array.from({ length: 3_000 }, (_, i) => `k${String(i).padStart(5, "0")}`);
        await insertLines(
          source,
          keys.map((key) => [key, "2022-11-21 10:20:30.123", "x"]),
        );
        const insert = db.prepare(`INSERT INTO "Line" VALUES (?, 1669026030123, 'x')`);
        db.transaction(() => {
          for (const key of [...keys].reverse()) insert.run(key);
        })();
        expect(await differences(source, db, LINES, kind)).toEqual([]);
        db.exec(`DELETE FROM "Line" WHERE "id" IN ('k00000', 'k01000', 'k02999')`);
        db.exec(`UPDATE "Line" SET "at" = "at" + 1 WHERE "id" IN ('k00001', 'k02998')`);
        db.exec(`INSERT INTO "Line" VALUES ('a', 0, 'x'), ('k00001a', 0, 'x'), ('z', 0, 'x')`);
        expect(
          (await differences(source, db, LINES, kind)).map((found) => [
            found.key[0],
            found.kind,
            found.sourceKey?.[0] ?? null,
          ]),
        ).toEqual([
          ["a", "extra", null],
          ["k00000", "missing", "k00000"],
          ["k00001", "different", "k00001"],
          ["k00001a", "extra", null],
          ["k01000", "missing", "k01000"],
          ["k02998", "different", "k02998"],
          ["k02999", "missing", "k02999"],
          ["z", "extra", null],
        ]);
      });
    },
  );

  test("one side may be empty", async () => {
    await onBothSides(async (source, db) => {
      await insertLines(source, [
        ["a", null, "x"],
        ["b", null, null],
      ]);
      expect((await differences(source, db, LINES)).map(({ key, kind }) => [...key, kind])).toEqual(
        [
          ["a", "missing"],
          ["b", "missing"],
        ],
      );
      await readRows(source, `DELETE FROM "Line"`);
      db.exec(`INSERT INTO "Line" VALUES ('b', NULL, 'x'), ('a', NULL, 'x')`);
      expect((await differences(source, db, LINES)).map(({ key, kind }) => [...key, kind])).toEqual(
        [
          ["a", "extra"],
          ["b", "extra"],
        ],
      );
      db.exec(`DELETE FROM "Line"`);
      expect(await differences(source, db, LINES)).toEqual([]);
    });
  });

  test("keys of every script are in one order on both sides", async () => {
    await onBothSides(async (source, db) => {
      const keys = [
        "",
        " ",
        "-",
        "A",
        "a",
        "a b",
        "a\tb",
        "aa",
        "B",
        "b",
        "é",
        "e\u0301",
        "\u00ff",
        "李",
        "\ud7ff",
        "\ue000",
        "\uffff",
        "\u{10000}",
        "👩🏽‍🚀",
        "\u{10ffff}",
        "_",
        "~",
      ];
      await insertLines(
        source,
        keys.map((key) => [key, null, null]),
      );
      for (const key of keys) db.prepare(`INSERT INTO "Line" VALUES (?, NULL, NULL)`).run(key);
      expect(await differences(source, db, LINES)).toEqual([]);
      expect(await differences(source, db, LINES, "md5")).toEqual([]);
      db.prepare(`UPDATE "Line" SET "text" = ''`).run();
      expect((await differences(source, db, LINES)).map(({ key }) => key[0])).toEqual(
        [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
    });
  });

  test("a session's key is told hashed, and given as the source has it for asking", async () => {
    await onBothSides(async (source, db) => {
      await readRows(source, `INSERT INTO "Session" VALUES ('secret', 'x'), ('second', 'y')`);
      db.prepare(`INSERT INTO "Session" VALUES (?, 'x'), ('stray', 'y')`).run(
        hashSessionId("secret"),
      );
      expect(
        (await differences(source, db, SESSIONS)).sort((a, b) => a.kind.localeCompare(b.kind)),
      ).toEqual([
        { key: ["stray"], sourceKey: null, kind: "extra" },
        { key: [hashSessionId("second")], sourceKey: ["second"], kind: "missing" },
      ]);
    });
  });

  test("keys of several columns", async () => {
    await onBothSides(async (source, db) => {
      const rows = [
        ["a", "b", "1"],
        ["a b", "", "2"],
        ["b", "a", "3"],
        ["", "a b", "4"],
        ["a", "a", "5"],
        ["x", "a\u0001", "6"],
      ];
      for (const row of rows) {
        await readRows(source, `INSERT INTO "Pair" VALUES ($1, $2, $3)`, row);
        db.prepare(`INSERT INTO "Moved_Pair" VALUES (?, ?, ?)`).run(row);
      }
      expect(await differences(source, db, PAIRS)).toEqual([]);
      db.exec(
        `UPDATE "Moved_Pair" SET "c" = '7' WHERE "a" = 'b'; DELETE FROM "Moved_Pair" WHERE "b" = ''`,
      );
      expect(await differences(source, db, PAIRS)).toEqual([
        { key: ["", "a b"], sourceKey: ["", "a b"], kind: "missing" },
        { key: ["a", "b"], sourceKey: ["a", "b"], kind: "different" },
      ]);
      expect(await differences(source, db, { ...PAIRS, key: [] })).toEqual([]);
    });
  });

  test("a row that was put aside is there; changed, gone, doubled or strange it is named", async () => {
    await onBothSides(async (source, db) => {
      await insertLines(
        source,
        ["a", "b", "c", "d", "e", "f"].map((key) => [
          key,
          key === "b" ? "infinity" : "2022-11-21",
          "x",
        ]),
      );
      const at = Date.UTC(2022, 10, 21);
      for (const key of ["a", "c", "e"])
        db.prepare(`INSERT INTO "Line" VALUES (?, ?, 'x')`).run(key, at);
      const aside = (key: string, row: unknown) =>
        db
          .prepare(`INSERT OR REPLACE INTO "Moved_aside" VALUES ('Line', ?, 'why', ?)`)
          .run(key, typeof row === "string" ? row : JSON.stringify(row));
      aside("b", ["b", "infinity", "x"]);
      aside("d", ["d", String(at), "x"]);
      aside("f", ["f", String(at), "x"]);
      expect(await differences(source, db, LINES)).toEqual([]);
      expect(await differences(source, db, LINES, "md5")).toEqual([]);

      aside("b", ["b", "-infinity", "x"]);
      aside("c", ["c", String(at), "x"]);
      aside("c1", ["c1", String(at), "x"]);
      aside("z", ["z", null, null]);
      db.exec(
        `DELETE FROM "Moved_aside" WHERE "key" = 'f'; INSERT INTO "Line" VALUES ('c0', 0, 'x')`,
      );
      expect((await differences(source, db, LINES)).map(({ key, kind }) => [...key, kind])).toEqual(
        [
          ["b", "different"],
          ["c", "different"],
          ["c0", "extra"],
          ["c1", "extra"],
          ["f", "missing"],
          ["z", "extra"],
        ],
      );

      db.exec(`DELETE FROM "Moved_aside"; DELETE FROM "Line" WHERE "id" = 'c0'`);
      aside("b", "[not json");
      aside("d", ["d", String(at)]);
      aside("other", ["f", String(at), "x"]);
      expect((await differences(source, db, LINES)).map(({ key, kind }) => [...key, kind])).toEqual(
        [
          ["b", "extra"],
          ["d", "extra"],
          ["other", "extra"],
          ["b", "missing"],
          ["d", "missing"],
        ],
      );
    });
  });

  test("what is stored in another type is different, wherever it sorts", async () => {
    await onBothSides(async (source, db) => {
      await insertLines(
        source,
        ["1", "2", "3"].map((key) => [key, "1970-01-01 00:00:00.005", "x"]),
      );
      db.exec(
        `DROP TABLE "Line"; CREATE TABLE "Line" ("id" PRIMARY KEY, "at", "text"); INSERT INTO "Line" VALUES ('1', 5, 'x'), ('2', '5', 'x'), (CAST('3' AS BLOB), 5, 'x')`,
      );
      expect((await differences(source, db, LINES)).map(({ key }) => key[0])).toEqual(
        expect.arrayContaining(["2", "3"]),
      );
    });
  });

  test("a signal ends it, and so does a lost connection", async () => {
    await onBothSides(async (source, db, url) => {
      // More than the sockets between us hold.
      await readRows(
        source,
        `INSERT INTO "Line" SELECT n::text, NULL, repeat('x', 50) FROM generate_series(1, 300000) AS n`,
      );
      const stop = new AbortController();
      const first = await connectSource(url);
      const found = findDifferences({
        source: first,
        db,
        table: LINES,
        kind: "native",
        signal: stop.signal,
      });
      expect((await found.next()).value).toMatchObject({ kind: "missing" });
      stop.abort();
      await expect(
        (async () => {
          for await (const _ of found);
        })(),
      ).rejects.toMatchObject({ name: "AppError", code: "unavailable" });
      await first.end();
      await expect(differences(first, db, LINES)).rejects.toMatchObject({ code: "unavailable" });

      const second = await connectSource(url);
      const going = findDifferences({ source: second, db, table: LINES, kind: "native" });
      await going.next();
      await readRows(
        source,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
      );
      await expect(
        (async () => {
          for await (const _ of going);
        })(),
      ).rejects.toMatchObject({ name: "AppError", code: "unavailable" });
      await second.end();
    });
  });

  test("who stops early can use the file again", async () => {
    await onBothSides(async (source, db, url) => {
      await insertLines(source, [
        ["a", null, null],
        ["b", null, null],
      ]);
      const own = await connectSource(url);
      for await (const { kind } of findDifferences({
        source: own,
        db,
        table: LINES,
        kind: "native",
      })) {
        expect(kind).toBe("missing");
        break;
      }
      await own.end();
      db.exec(`INSERT INTO "Line" VALUES ('a', NULL, NULL)`);
    });
  });
});
