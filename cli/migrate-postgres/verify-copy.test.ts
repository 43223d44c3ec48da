import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ColumnMapping, KNOWN_TABLES } from "./table-mapping.ts";
import { withSnapshot } from "./migration.ts";
import { type NamedDifference, type Verification, verifyCopy } from "./verify-copy.ts";
import { PERMISSIVE_OPTIONS, copyTestTables } from "#tests/support/planned-migration-fixture.ts";
import { hashSecret } from "#lib/core/secret.ts";
import {
  ODDITIES,
  createSourceDatabase,
  readSourceId,
  runSql,
} from "#tests/support/source-site.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";

describe.skipIf(!findPostgres())("a verification", () => {
  let server: TestPostgres;
  let url: string;
  let dir: string;
  let file: string;
  beforeAll(async () => {
    server = await startPostgres();
    url = await createSourceDatabase(server);
    dir = mkdtempSync(join(tmpdir(), "lectern-verify-"));
    file = join(dir, "whole.db");
    await copyTestTables(url, file, KNOWN_TABLES);
  });
  afterAll(async () => {
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Runs `sql` on a copy of `whole` without triggers and constraints, then `work` with it. */
  async function withFault(
    whole: string,
    sql: string,
    work: (copy: string) => Promise<void>,
  ): Promise<void> {
    const copy = join(dir, "faulty.db");
    const db = new Database(whole, { readonly: true });
    db.prepare("VACUUM INTO ?").run(copy);
    db.close();
    const faulty = new Database(copy);
    for (const { name } of faulty
      .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
      .all() as { name: string }[])
      faulty.exec(`DROP TRIGGER "${name}"`);
    faulty.pragma("ignore_check_constraints = ON");
    faulty.pragma("foreign_keys = OFF");
    faulty.exec(sql);
    faulty.close();
    try {
      await work(copy);
    } finally {
      rmSync(copy);
    }
  }

  const compare = (from = url, to = file, tables = KNOWN_TABLES): Promise<Verification> =>
    withSnapshot(from, null, (source) => verifyCopy({ source, tables, file: to }));

  test("accepts a correct copy, with counts and sums of every table", async () => {
    const { isEqual, tables } = await compare();
    expect(isEqual).toBe(true);
    expect(tables.map(({ target, source, sampled }) => [target, source.rows, sampled > 0])).toEqual(
      [
        ["User", 60, true],
        ["Session", 90, true],
        ["Call", 8, true],
        ["PostRead", 2000, true],
      ],
    );
    expect(
      tables.every(({ source, file: ours }) => source.sum === ours.sum && source.sum !== "0"),
    ).toBe(true);
  });

  /** Reads the first ids of a table of the copy, in order. */
  function readIds(table: string, count: number): string[] {
    const db = new Database(file, { readonly: true });
    try {
      return db
        .prepare(`SELECT "id" FROM "${table}" ORDER BY "id" LIMIT ?`)
        .pluck()
        .all(count) as string[];
    } finally {
      db.close();
    }
  }

  const flipSql = ({ name, as }: ColumnMapping) =>
    as === "date"
      ? `"${name}" + 1`
      : `CASE WHEN "${name}" IS NULL OR "${name}" = '' THEN 'a' ELSE char(unicode("${name}") + CASE WHEN unicode("${name}") % 2 THEN -1 ELSE 1 END) || substr("${name}", 2) END`;
  const byKey = (a: NamedDifference, b: NamedDifference) => a.key.localeCompare(b.key);

  test.each(KNOWN_TABLES)(
    "finds one bit or millisecond in every column, a lost and a duplicate row of $target",
    async ({ target, columns }) => {
      const changed = columns.filter(({ name }) => name !== "id");
      const ids = readIds(target, changed.length + 1);
      const lostId = ids.pop()!;
      const names = changed.map(({ name }) => `"${name}"`).join(", ");
      const values = target === "User" ? names.replace('"email"', `'other@example.com'`) : names;
      const faults = [
        `INSERT INTO "${target}" ("id", ${names}) SELECT 'another', ${values} FROM "${target}" WHERE "id" = '${lostId}'`,
        `DELETE FROM "${target}" WHERE "id" = '${lostId}'`,
        ...changed.map(
          (column, i) =>
            `UPDATE "${target}" SET "${column.name}" = ${flipSql(column)} WHERE "id" = '${ids[i]}'`,
        ),
      ];
      const duplicateKey = target === "Session" ? hashSecret("another") : "another";
      const expected: NamedDifference[] = [
        { key: duplicateKey, kind: "extra", columns: [] },
        { key: lostId, kind: "missing", columns: [] },
        ...changed.map(({ name }, i) => ({
          key: ids[i]!,
          kind: "different" as const,
          columns: [name],
        })),
      ];
      await withFault(file, faults.join(";"), async (copy) => {
        const verification = await compare(url, copy);
        expect(verification.isEqual).toBe(false);
        const [verified, ...others] = verification.tables.filter(({ isEqual }) => !isEqual);
        expect([verified!.target, others]).toEqual([target, []]);
        expect(verified!.differingRows).toBe(expected.length);
        expect(verified!.differences.toSorted(byKey)).toEqual(expected.toSorted(byKey));
      });
    },
  );

  test.each([
    [
      "an empty text in place of null",
      `UPDATE $T SET "clientId" = '' WHERE "clientId" IS NULL`,
      "PostRead",
    ],
    [
      "a value moved to the next column",
      `UPDATE $T SET "clientId" = "userId", "userId" = NULL WHERE "userId" IS NOT NULL AND "clientId" IS NULL`,
      "PostRead",
    ],
    [
      "swapped values of two rows",
      `UPDATE $T SET "postSlug" = CASE "postSlug" WHEN 'what-litefs-costs' THEN 'a-tour-of-the-code' ELSE 'what-litefs-costs' END WHERE "postSlug" IN ('what-litefs-costs', 'a-tour-of-the-code')`,
      "PostRead",
    ],
    ["another case", `UPDATE $T SET "email" = upper("email") WHERE $ROW`, "User"],
    ["a space at the end", `UPDATE $T SET "firstName" = "firstName" || ' ' WHERE $ROW`, "User"],
    [
      "another Unicode form of the same letter",
      `UPDATE $T SET "firstName" = replace("firstName", 'é', 'é') WHERE "firstName" LIKE '%é%'`,
      "User",
    ],
    [
      "a null in place of an empty text",
      `UPDATE $T SET "convertKitId" = NULL WHERE "convertKitId" = ''`,
      "User",
    ],
    ["an invisible character", `UPDATE $T SET "email" = "email" || char(8203) WHERE $ROW`, "User"],
    ["a session's id that was not hashed", `UPDATE $T SET "id" = 'secret' WHERE $ROW`, "Session"],
    ["a session's id as a blob", `UPDATE $T SET "id" = CAST("id" AS BLOB) WHERE $ROW`, "Session"],
    [
      "a date stored as text",
      `UPDATE $T SET "createdAt" = strftime('%F %T', "createdAt" / 1000, 'unixepoch') WHERE $ROW`,
      "User",
    ],
    [
      "text stored as a blob",
      `UPDATE $T SET "firstName" = CAST("firstName" AS BLOB) WHERE $ROW`,
      "User",
    ],
    [
      "a character at a row's end moved to the next column",
      `UPDATE $T SET "title" = "title" || substr("description", 1, 1), "description" = substr("description", 2) WHERE $ROW`,
      "Call",
    ],
  ])("finds %s", async (_, sql, table) => {
    const row = readIds(table, 4)[3]!;
    await withFault(
      file,
      sql.replaceAll("$T", `"${table}"`).replaceAll("$ROW", `"id" = '${row}'`),
      async (copy) => {
        const { tables } = await compare(url, copy);
        const [verified, ...others] = tables.filter(({ isEqual }) => !isEqual);
        expect([verified!.target, others]).toEqual([table, []]);
        expect(verified!.differences.length).toBeGreaterThan(0);
      },
    );
  });

  test("reports a row in the wrong table as missing and extra", async () => {
    await withFault(
      file,
      `INSERT INTO "Session" SELECT "id", "createdAt", "userId", "createdAt" FROM "PostRead" WHERE "userId" IS NOT NULL LIMIT 1; DELETE FROM "PostRead" WHERE "id" IN (SELECT "id" FROM "Session")`,
      async (copy) => {
        const { tables } = await compare(url, copy);
        expect(
          tables
            .filter(({ isEqual }) => !isEqual)
            .map(({ target, differingRows, differences }) => [
              target,
              differingRows,
              differences[0]!.kind,
            ]),
        ).toEqual([
          ["Session", 1, "extra"],
          ["PostRead", 1, "missing"],
        ]);
      },
    );
  });

  test("lists the first ten rows by key, and counts all of them", async () => {
    await withFault(
      file,
      `UPDATE "PostRead" SET "createdAt" = "createdAt" + 1, "postSlug" = "postSlug" || '.'`,
      async (copy) => {
        const { tables } = await compare(url, copy);
        const { differingRows, differences } = tables.find(({ target }) => target === "PostRead")!;
        expect([differingRows, differences.length]).toEqual([2000, 10]);
        expect(differences.map(({ key }) => key)).toEqual(
          differences.map(({ key }) => key).toSorted(),
        );
        expect(differences.every(({ columns }) => columns.join() === "createdAt,postSlug")).toBe(
          true,
        );
      },
    );
  });

  test("reports broken foreign keys even if both sides are equal", async () => {
    const odd = await createSourceDatabase(server);
    await runSql(odd, ODDITIES.orphans);
    const to = join(dir, "orphans.db");
    await copyTestTables(odd, to, KNOWN_TABLES, PERMISSIVE_OPTIONS);
    expect(await compare(odd, to)).toMatchObject({ isEqual: true, problems: [] });
    const back = `INSERT INTO "PostRead" SELECT "row" ->> 0, CAST("row" ->> 1 AS INTEGER), "row" ->> 2, "row" ->> 3, "row" ->> 4 FROM "_quarantined_rows" WHERE "source" = 'PostRead'`;
    await withFault(to, back, async (copy) => {
      const { tables } = await compare(odd, copy);
      expect(tables.filter(({ isEqual }) => !isEqual)).toMatchObject([
        { target: "PostRead", differingRows: 1, differences: [{ kind: "different", columns: [] }] },
      ]);
    });
    await withFault(
      to,
      `${back}; DELETE FROM "_quarantined_rows" WHERE "source" = 'PostRead'`,
      async (copy) => {
        const verification = await compare(odd, copy);
        expect(verification.tables.every(({ isEqual }) => isEqual)).toBe(true);
        expect(verification).toMatchObject({
          isEqual: false,
          problems: ["1 rows of PostRead refer to a User that does not exist."],
        });
      },
    );
    await withFault(
      to,
      `UPDATE "_quarantined_rows" SET "source" = 'Log' WHERE "source" = 'Session'`,
      async (copy) => {
        expect(await compare(odd, copy)).toMatchObject({
          isEqual: false,
          problems: ["1 rows in _quarantined_rows are of a table that was not migrated."],
        });
      },
    );
  });

  test("counts quarantined rows, and finds a changed one", async () => {
    const odd = await createSourceDatabase(server);
    for (const sql of [
      ODDITIES.infinite,
      ODDITIES.orphans,
      ODDITIES.emptySlug,
      ODDITIES.noTeam,
      ODDITIES.ancient,
    ])
      await runSql(odd, sql);
    const to = join(dir, "quarantine.db");
    await expect(copyTestTables(odd, to, KNOWN_TABLES)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/^User \S+: /),
    });
    await copyTestTables(odd, to, KNOWN_TABLES, PERMISSIVE_OPTIONS);
    const { isEqual, tables } = await compare(odd, to);
    expect(tables.flatMap(({ differences }) => differences)).toEqual([]);
    expect(isEqual).toBe(true);
    const db = new Database(to);
    const reasons = db
      .prepare(
        `SELECT "source" || ': ' || "reason", count(*) FROM "_quarantined_rows" GROUP BY 1 ORDER BY 1`,
      )
      .raw()
      .all() as [string, number][];
    expect(reasons.map(([text]) => text)).toEqual(
      expect.arrayContaining([
        "PostRead: createdAt is infinite",
        "PostRead: its User is missing",
        "PostRead: postSlug is empty",
        "Session: expirationDate is infinite",
        "Session: its User is missing",
        "User: createdAt is not in the years 1 to 9999",
        "User: team is null",
      ]),
    );
    db.prepare(
      `UPDATE "_quarantined_rows" SET "row" = replace("row", 'infinity', '-infinity') WHERE "source" = 'Session' AND "reason" LIKE '%infinite'`,
    ).run();
    db.close();
    const changed = await compare(odd, to);
    expect(changed.tables.filter((table) => !table.isEqual)).toEqual([
      expect.objectContaining({
        target: "Session",
        differences: [expect.objectContaining({ kind: "different", columns: ["expirationDate"] })],
      }),
    ]);
    expect(JSON.stringify(changed)).not.toContain(await readSourceId(odd, "session", 3));
  });

  test("floors microseconds, even before 1970, and accepts zoned dates and typed ids", async () => {
    const odd = await createSourceDatabase(server);
    for (const sql of [ODDITIES.microseconds, ODDITIES.zoned, ODDITIES.uuids, ODDITIES.bigCall])
      await runSql(odd, sql);
    const to = join(dir, "micros.db");
    const tables = KNOWN_TABLES.map((table) => ({
      ...table,
      columns: table.columns.map((column) =>
        column.as === "date" ? { ...column, hasMicros: true } : column,
      ),
    }));
    await copyTestTables(odd, to, tables);
    expect((await compare(odd, to, tables)).isEqual).toBe(true);
    const db = new Database(to, { readonly: true });
    expect(
      db
        .prepare(`SELECT "createdAt" FROM "PostRead" WHERE "id" = ?`)
        .pluck()
        .get(await readSourceId(odd, "read", 1)),
    ).toBe(-1);
    expect(db.prepare(`SELECT length("base64") FROM "Call" WHERE "id" = 'big'`).pluck().get()).toBe(
      20_000_023,
    );
    db.close();
  });
});
