import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseHashKind } from "./table-checksums.ts";
import { parseDateText } from "./convert-values.ts";
import type { ColumnMapping } from "./table-mapping.ts";
import { type HashKind, hashRow, formatLastHash, rowHashSql } from "./row-hash.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { runSql } from "#tests/support/source-site.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";
import { canonicalSql } from "./source-sql.ts";

const text = (name: string): ColumnMapping => ({ name, as: "text", isNullable: true });
const three = ["a", "b", "c"].map(text);
const dated: ColumnMapping[] = [
  text("a"),
  { name: "b", as: "date", isNullable: true },
  { name: "c", as: "session-id", isNullable: true },
];
const KINDS: readonly HashKind[] = ["native", "md5"];

function hash(
  columns: readonly ColumnMapping[],
  values: readonly unknown[],
  kind: HashKind,
  areTexts = false,
): string {
  hashRow(columns, values, kind, areTexts);
  return formatLastHash();
}

describe.each(KINDS)("%s: different rows hash differently", (kind) => {
  test("characters moved to the next column, nulls and empty texts", () => {
    const rows = [
      ["ab", "c", "d"],
      ["a", "bc", "d"],
      ["a", "b", "cd"],
      ["abc", "", "d"],
      ["", "abc", "d"],
      ["abcd", "", ""],
      ["", "", "abcd"],
      ["ab", "c", null],
      ["ab", null, "c"],
      [null, "ab", "c"],
      ["ab", "c", ""],
      ["", "ab", "c"],
      ["ab", "", "c"],
      [null, null, null],
      ["", null, null],
      [null, "", null],
      [null, null, ""],
      ["", "", ""],
      ["-", null, ""],
      ["0:", "", ""],
      ["n", "n", "n"],
      // The same bytes and total length, split at another place.
      ["x".repeat(200), "x".repeat(200), "x".repeat(200)],
      ["x".repeat(363), "x".repeat(32), "x".repeat(205)],
      ["x".repeat(205), "x".repeat(32), "x".repeat(363)],
    ];
    expect(new Set(rows.map((row) => hash(three, row, kind))).size).toBe(rows.length);
  });

  test("case, spaces, forms of the same letter, one bit, one millisecond", () => {
    const rows = [
      ["é", 0, "i"],
      ["e\u0301", 0, "i"],
      ["É", 0, "i"],
      ["é ", 0, "i"],
      [" é", 0, "i"],
      ["é\u00a0", 0, "i"],
      ["\u00e8", 0, "i"],
      ["é\ufeff", 0, "i"],
      ["é", 1, "i"],
      ["é", -1, "i"],
      ["é", 1_669_025_630_123, "i"],
      ["é", 1_669_025_630_124, "i"],
      ["é", 1_669_025_630_123, "j"],
      ["é", null, "i"],
      ["é", 16_690_256_301_230, "i"],
    ];
    expect(new Set(rows.map((row) => hash(dated, row, kind))).size).toBe(rows.length);
  });

  test("values of the wrong type", () => {
    const right = hash(dated, ["1", 1, "2"], kind);
    const wrong: unknown[][] = [
      ["1", "1", "2"],
      ["1", 1, Buffer.from("2")],
      ["1", 1, 2],
      [1, 1, "2"],
      [Buffer.from("1"), 1, "2"],
      ["1", Buffer.from("1"), "2"],
      ["1", 1.5, "2"],
    ];
    for (const row of wrong) expect(hash(dated, row, kind)).not.toBe(right);
    expect(hash(dated, ["1", "infinity", "2"], kind)).not.toBe(
      hash(dated, ["1", "infinity", "2"], kind, true),
    );
    expect(hash(dated, ["1", "1", "2"], kind, true)).toBe(hash(dated, ["1", 1, "2"], kind));
    expect(hash(dated, ["1", 1, "2"], kind, true)).not.toBe(hash(dated, ["1", 1, "2"], kind));
    expect(hash(dated, ["1", "1"], kind, true)).not.toBe(hash(dated, ["1", "1", null], kind, true));
  });
});

describe.skipIf(!findPostgres())("row hashes here and in PostgreSQL", () => {
  let server: TestPostgres;
  let url: string;
  let source: pg.Client;
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    source = await connectSource(url);
  });
  afterAll(async () => {
    await source?.end();
    await server?.close();
  });

  /**
   * Returns the rows of `sql` (columns a, b, c, …) as texts, with the hashes that PostgreSQL
   * computes.
   */
  async function hashInPostgres(
    columns: readonly ColumnMapping[],
    sql: string,
    kind: HashKind,
    client = source,
  ): Promise<{ hash: string; texts: (string | null)[] }[]> {
    const rows = await readRows(
      client,
      `SELECT (${rowHashSql(columns, kind)})::text AS hash, ${columns.map((column, i) => `${canonicalSql(column)} AS c${i}`).join(", ")} FROM (${sql}) AS samples`,
    );
    return rows.map((row) => ({ hash: row.hash!, texts: columns.map((_, i) => row[`c${i}`]!) }));
  }

  test("agree for texts of every length and every seed", async () => {
    expect(await chooseHashKind(source)).toBe("native");
  });

  test("use md5 over the same bytes for other encodings", async () => {
    await runSql(
      url,
      `CREATE DATABASE "latin" ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    const latin = await connectSource(server.url("latin"));
    try {
      expect(await chooseHashKind(latin)).toBe("md5");
      const [row] = await hashInPostgres(
        three,
        `SELECT U&'\\00e9t\\00e9' AS a, NULL::text AS b, '' AS c`,
        "md5",
        latin,
      );
      expect(row).toEqual({
        hash: hash(three, ["été", null, ""], "md5"),
        texts: ["été", null, ""],
      });
    } finally {
      await latin.end();
    }
  });

  test.each(KINDS)("%s: agree for all texts, and nulls at every position", async (kind) => {
    const texts = [
      null,
      "",
      "a",
      "é",
      "e\u0301",
      "李雷 👩🏽‍🚀",
      "\u001f",
      "tab\t\\N\r\n",
      "\uffff\u{10ffff}",
      " trail ",
      "x".repeat(70_000),
      "ü".repeat(50_000),
      "👩".repeat(40_000),
    ];
    const rows = texts.flatMap((a) =>
      texts.slice(0, 6).flatMap((b) => texts.slice(0, 4).map((c) => [a, b, c])),
    );
    const serverRows = await readRows(
      source,
      `SELECT (${rowHashSql(three, kind)})::text AS hash FROM (SELECT r->>0 AS a, r->>1 AS b, r->>2 AS c FROM json_array_elements($1::json) WITH ORDINALITY AS samples(r, n) ORDER BY n) AS samples`,
      [JSON.stringify(rows)],
    );
    expect(serverRows.map((row) => row.hash)).toEqual(rows.map((row) => hash(three, row, kind)));
  });

  test.each(KINDS)("%s: agree for a row of 300 columns", async (kind) => {
    const columns = Array.from({ length: 300 }, (_, i) => text(`c${i}`));
    const values = columns.map((_, i) =>
      i % 7 === 3 || i === 60 || i === 299 ? null : `value ${i}`,
    );
    const [row] = await hashInPostgres(
      columns,
      `SELECT ${values.map((value, i) => `${value === null ? "NULL" : `'${value}'`}::text AS c${i}`).join(", ")}`,
      kind,
    );
    expect(row!.hash).toBe(hash(columns, values, kind));
    for (const i of [0, 59, 60, 61, 299])
      expect(hash(columns, values.with(i, values[i] === null ? "" : null), kind)).not.toBe(
        row!.hash,
      );
  });

  test("distinguish a composite value of nulls from null", async () => {
    await runSql(url, "CREATE TYPE pair AS (x int, y int)");
    const [row] = await hashInPostgres(
      [text("a")],
      "SELECT ROW(NULL, NULL)::public.pair AS a",
      "native",
    );
    expect(row).toEqual({ hash: hash([text("a")], ["(,)"], "native"), texts: ["(,)"] });
  });

  const MOMENTS = [
    "1970-01-01 00:00:00",
    "1969-12-31 23:59:59.999",
    "2022-11-21 10:20:30.123",
    "2000-01-01 00:00:00",
    "1999-12-31 23:59:59.999",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59.999",
    "10000-01-01 00:00:00",
    "0001-12-31 23:59:59.999 BC",
    "0044-03-15 12:00:00.001 BC",
    "4713-01-01 00:00:00 BC",
    "65000-06-07 08:09:10.011",
    "200000-02-29 01:02:03.456",
    "287395-01-01 00:00:00.001",
  ];

  test.each(["timestamp(3)", "timestamptz(3)", "timestamp", "timestamptz"])(
    "agree on text and hash of a date stored as %s",
    async (type) => {
      const columns: ColumnMapping[] = [
        { name: "b", as: "date", isNullable: true, hasMicros: !type.endsWith("(3)") },
      ];
      const serverRows = await hashInPostgres(
        columns,
        `SELECT b::${type} AS b FROM unnest(ARRAY[${MOMENTS.map((moment) => `'${moment}'`).join(", ")}]) AS b`,
        "native",
      );
      for (const [i, moment] of MOMENTS.entries()) {
        const ms = parseDateText(moment) as number;
        expect([moment, serverRows[i]!.texts[0]]).toEqual([moment, String(ms)]);
        expect(serverRows[i]!.hash).toBe(hash(columns, [ms], "native"));
        expect(serverRows[i]!.hash).toBe(hash(columns, [String(ms)], "native", true));
      }
    },
  );

  test("floor microseconds before and after each epoch", async () => {
    const columns: ColumnMapping[] = [{ name: "b", as: "date", isNullable: true, hasMicros: true }];
    const moments = [
      "1969-12-31 23:59:59.999999",
      "1969-12-31 23:59:59.999001",
      "1970-01-01 00:00:00.000999",
      "2022-11-21 10:20:30.123999",
      "2022-11-21 10:20:30.1235",
      "0044-03-15 12:00:00.000999 BC",
      "150000-01-01 00:00:00.000999",
      "9999-12-31 23:59:59.999999",
    ];
    const serverRows = await hashInPostgres(
      columns,
      `SELECT b::timestamp AS b FROM unnest(ARRAY[${moments.map((moment) => `'${moment}'`).join(", ")}]) AS b`,
      "native",
    );
    expect(serverRows.map(({ texts }) => texts[0])).toEqual(
      moments.map((moment) => String(parseDateText(moment))),
    );
  });

  test("keep infinite dates as text, dates as midnight, and nulls", async () => {
    const columns: ColumnMapping[] = [{ name: "b", as: "date", isNullable: true }];
    const serverRows = await hashInPostgres(
      columns,
      "SELECT 'infinity'::timestamp AS b UNION ALL SELECT '-infinity' UNION ALL SELECT NULL",
      "native",
    );
    expect(serverRows.map(({ texts }) => texts[0])).toEqual(["infinity", "-infinity", null]);
    expect(serverRows.map((row) => row.hash)).toEqual(
      ["infinity", "-infinity", null].map((value) => hash(columns, [value], "native", true)),
    );
    const days = await hashInPostgres(
      columns,
      "SELECT '2022-11-21'::date AS b UNION ALL SELECT 'infinity' UNION ALL SELECT '0044-03-15 BC' UNION ALL SELECT '12022-11-21'",
      "native",
    );
    expect(days.map(({ texts }) => texts[0])).toEqual([
      String(Date.UTC(2022, 10, 21)),
      "infinity",
      String(parseDateText("0044-03-15 BC")),
      String(parseDateText("12022-11-21")),
    ]);
  });

  test("hash a session id like the site hashes its cookie", async () => {
    const columns: ColumnMapping[] = [{ name: "a", as: "session-id", isNullable: false }];
    const [row] = await hashInPostgres(columns, "SELECT 'sécret' AS a", "native");
    expect(row!.texts[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(row!.hash).toBe(hash(columns, row!.texts, "native"));
  });
});
