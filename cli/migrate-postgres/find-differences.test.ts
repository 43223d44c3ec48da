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
import { hashSecret } from "#lib/core/secret.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";

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
  target: "_source_Pair",
  key: ["b", "a"],
  columns: ["a", "b", "c"].map((name) => ({ name, as: "text", isNullable: true })),
  isSide: true,
};

describe.skipIf(!findPostgres())("differing rows", () => {
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
  const QUARANTINE_DDL = `CREATE TABLE "_quarantined_rows" ("source" TEXT NOT NULL, "key" TEXT NOT NULL, "reason" TEXT NOT NULL, "row" TEXT NOT NULL, PRIMARY KEY ("source", "key"));`;
  let files = 0;

  /** Runs `work` on an empty source and an empty copy. */
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
      db.exec(
        SCHEMA.replace("%DATE%", "DATETIME").replace("%PAIR%", '"_source_Pair"') + QUARANTINE_DDL,
      );
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
    "%s: yields missing, extra and different rows in the order of their keys",
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
          (await differences(source, db, LINES, kind)).map((row) => [
            row.key[0],
            row.kind,
            row.sourceKey?.[0] ?? null,
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

  test("handles an empty side", async () => {
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

  test("sorts keys in any script the same way on both sides", async () => {
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

  test("yields a session's hashed key, and its source key for queries", async () => {
    await onBothSides(async (source, db) => {
      await readRows(source, `INSERT INTO "Session" VALUES ('secret', 'x'), ('second', 'y')`);
      db.prepare(`INSERT INTO "Session" VALUES (?, 'x'), ('stray', 'y')`).run(hashSecret("secret"));
      expect(
        (await differences(source, db, SESSIONS)).sort((a, b) => a.kind.localeCompare(b.kind)),
      ).toEqual([
        { key: ["stray"], sourceKey: null, kind: "extra" },
        { key: [hashSecret("second")], sourceKey: ["second"], kind: "missing" },
      ]);
    });
  });

  test("compares keys of several columns", async () => {
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
        db.prepare(`INSERT INTO "_source_Pair" VALUES (?, ?, ?)`).run(row);
      }
      expect(await differences(source, db, PAIRS)).toEqual([]);
      db.exec(
        `UPDATE "_source_Pair" SET "c" = '7' WHERE "a" = 'b'; DELETE FROM "_source_Pair" WHERE "b" = ''`,
      );
      expect(await differences(source, db, PAIRS)).toEqual([
        { key: ["", "a b"], sourceKey: ["", "a b"], kind: "missing" },
        { key: ["a", "b"], sourceKey: ["a", "b"], kind: "different" },
      ]);
      expect(await differences(source, db, { ...PAIRS, key: [] })).toEqual([]);
    });
  });

  test("treats a quarantined row as present, and yields changed, missing, duplicate and malformed ones", async () => {
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
      const quarantine = (key: string, row: unknown) =>
        db
          .prepare(`INSERT OR REPLACE INTO "_quarantined_rows" VALUES ('Line', ?, 'reason', ?)`)
          .run(key, typeof row === "string" ? row : JSON.stringify(row));
      quarantine("b", ["b", "infinity", "x"]);
      quarantine("d", ["d", String(at), "x"]);
      quarantine("f", ["f", String(at), "x"]);
      expect(await differences(source, db, LINES)).toEqual([]);
      expect(await differences(source, db, LINES, "md5")).toEqual([]);

      quarantine("b", ["b", "-infinity", "x"]);
      quarantine("c", ["c", String(at), "x"]);
      quarantine("c1", ["c1", String(at), "x"]);
      quarantine("z", ["z", null, null]);
      db.exec(
        `DELETE FROM "_quarantined_rows" WHERE "key" = 'f'; INSERT INTO "Line" VALUES ('c0', 0, 'x')`,
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

      db.exec(`DELETE FROM "_quarantined_rows"; DELETE FROM "Line" WHERE "id" = 'c0'`);
      quarantine("b", "[not json");
      quarantine("d", ["d", String(at)]);
      quarantine("other", ["f", String(at), "x"]);
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

  test("yields values of the wrong type", async () => {
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

  test("ends on an abort and on a lost connection", async () => {
    await onBothSides(async (source, db, url) => {
      // More data than the socket buffers hold.
      await readRows(
        source,
        `INSERT INTO "Line" SELECT n::text, NULL, repeat('x', 50) FROM generate_series(1, 300000) AS n`,
      );
      const stop = new AbortController();
      const first = await connectSource(url);
      const iterator = findDifferences({
        source: first,
        db,
        table: LINES,
        kind: "native",
        signal: stop.signal,
      });
      expect((await iterator.next()).value).toMatchObject({ kind: "missing" });
      stop.abort();
      await expect(
        (async () => {
          for await (const _ of iterator);
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

  test("releases the file if the consumer stops early", async () => {
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
