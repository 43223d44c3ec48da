import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { copyTables } from "./copy-tables.ts";
import { type MigrationOptions, KNOWN_TABLES } from "./table-mapping.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { finishLoad, createStagingDatabase } from "./staging-database.ts";
import { type Verification, verifyCopy } from "./verify-copy.ts";
import { hashSessionId } from "#lib/members/session/hash-session-id.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.ts";
import { ODDITIES, createSourceSite, readSourceId, runSql } from "#tests/support/source-site.ts";
import { type TestPostgres, findPostgres, startPostgres } from "#tests/support/postgres.ts";

const ASIDE: MigrationOptions = { unknown: "keep", unfit: "aside" };

describe.skipIf(!findPostgres())("source and copy, compared", () => {
  let server: TestPostgres;
  let url: string;
  let dir: string;
  let file: string;
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    await createSourceSite(url);
    dir = mkdtempSync(join(tmpdir(), "lectern-verify-"));
    file = join(dir, "whole.db");
    await move(url, file);
  });
  afterAll(async () => {
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function move(
    from: string,
    to: string,
    choices: MigrationOptions = { unknown: "stop", unfit: "stop" },
    tables = KNOWN_TABLES,
  ): Promise<void> {
    const source = await connectSource(from, { readOnly: true });
    await readRows(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await createStagingDatabase(to, { id: "test", tables });
    await copyTables({ source, tables, choices, file: to });
    finishLoad(to, { rebuild: rebuildCounters, position: "0/0" });
    await source.end();
  }

  /** Runs `sql` on a copy of `whole`, without this site's own rules, and `work` with it. */
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

  async function compare(from = url, to = file, tables = KNOWN_TABLES): Promise<Verification> {
    const source = await connectSource(from, { readOnly: true });
    await readRows(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    try {
      return await verifyCopy({ source, tables, file: to });
    } finally {
      await source.end();
    }
  }

  test("a faithful copy is equal, counts and sums of every table", async () => {
    const { equal, tables } = await compare();
    expect(equal).toBe(true);
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

  describe("a fault that was planted is found and named", () => {
    let opened: Database.Database;
    beforeEach(() => {
      opened = new Database(file);
      opened.pragma("foreign_keys = OFF");
      for (const { name } of opened
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        .all() as { name: string }[])
        opened.exec(`DROP TRIGGER "${name}"`);
      opened.pragma("ignore_check_constraints = ON");
    });
    let heal: (() => void) | undefined;
    afterEach(() => {
      heal?.();
      heal = undefined;
      opened.close();
    });

    /** Runs `sql` on the row in the middle of the table, compares, and puts the row back. */
    async function plant(table: string, sql: string): Promise<{ found: Verification; id: string }> {
      const row = opened
        .prepare(
          `SELECT rowid AS "#", * FROM "${table}" WHERE "id" = (SELECT "id" FROM "${table}" ORDER BY "id" LIMIT 1 OFFSET 3)`,
        )
        .get() as Record<string, unknown>;
      heal = () => {
        const names = Object.keys(row).slice(1);
        opened
          .prepare(`DELETE FROM "${table}" WHERE rowid = ? OR "id" IN (?, 'another')`)
          .run(row["#"], row.id);
        opened
          .prepare(
            `INSERT INTO "${table}" (rowid, ${names.map((name) => `"${name}"`).join(", ")}) VALUES (?, ${names.map(() => "?").join(", ")})`,
          )
          .run(...Object.values(row));
      };
      opened
        .prepare(
          sql.replaceAll("$T", `"${table}"`).replaceAll("$ROW", `"id" = '${String(row.id)}'`),
        )
        .run();
      return { found: await compare(), id: String(row.id) };
    }

    for (const { target, columns } of KNOWN_TABLES) {
      for (const { name, as } of columns.filter((column) => column.name !== "id")) {
        test(`${target}.${name}: one ${as === "date" ? "millisecond" : "bit"}`, async () => {
          const change =
            as === "date"
              ? `"${name}" + 1`
              : `CASE WHEN "${name}" IS NULL OR "${name}" = '' THEN 'a' ELSE char(unicode("${name}") ^^ 1) || substr("${name}", 2) END`.replace(
                  "^^ 1",
                  '+ CASE WHEN unicode("' + name + '") % 2 THEN -1 ELSE 1 END',
                );
          const { found, id } = await plant(
            target,
            `UPDATE $T SET "${name}" = ${change} WHERE $ROW`,
          );
          expect(found.equal).toBe(false);
          expect(found.tables.filter(({ equal }) => !equal)).toEqual([
            expect.objectContaining({
              target,
              differences: [{ key: id, kind: "different", columns: [name] }],
            }),
          ]);
        });
      }
      test(`${target}: one row lost`, async () => {
        const { found, id } = await plant(target, "DELETE FROM $T WHERE $ROW");
        expect(found.tables.filter(({ equal }) => !equal)).toEqual([
          expect.objectContaining({
            target,
            differences: [{ key: id, kind: "missing", columns: [] }],
          }),
        ]);
      });
      test(`${target}: one row twice`, async () => {
        const names = columns
          .filter(({ name }) => name !== "id")
          .map(({ name }) => `"${name}"`)
          .join(", ");
        const { found } = await plant(
          target,
          `INSERT INTO $T ("id", ${names}) SELECT 'another', ${target === "User" ? names.replace('"email"', `'other@example.com'`) : names} FROM $T WHERE $ROW`,
        );
        expect(found.tables.filter(({ equal }) => !equal)).toEqual([
          expect.objectContaining({
            target,
            differences: [
              {
                key: target === "Session" ? hashSessionId("another") : "another",
                kind: "extra",
                columns: [],
              },
            ],
          }),
        ]);
      });
    }

    test.each([
      [
        "an empty text in place of null",
        `UPDATE $T SET "clientId" = '' WHERE "clientId" IS NULL`,
        "PostRead",
      ],
      [
        "a value that moved one column on",
        `UPDATE $T SET "clientId" = "userId", "userId" = NULL WHERE "userId" IS NOT NULL AND "clientId" IS NULL`,
        "PostRead",
      ],
      [
        "values of two rows exchanged",
        `UPDATE $T SET "postSlug" = CASE "postSlug" WHEN 'what-litefs-costs' THEN 'a-tour-of-the-code' ELSE 'what-litefs-costs' END WHERE "postSlug" IN ('what-litefs-costs', 'a-tour-of-the-code')`,
        "PostRead",
      ],
      ["another case", `UPDATE $T SET "email" = upper("email") WHERE $ROW`, "User"],
      ["a space at the end", `UPDATE $T SET "firstName" = "firstName" || ' ' WHERE $ROW`, "User"],
      [
        "another form of the same letter",
        `UPDATE $T SET "firstName" = replace("firstName", 'é', 'é') WHERE "firstName" LIKE '%é%'`,
        "User",
      ],
      [
        "a null in place of an empty text",
        `UPDATE $T SET "convertKitId" = NULL WHERE "convertKitId" = ''`,
        "User",
      ],
      [
        "an invisible character",
        `UPDATE $T SET "email" = "email" || char(8203) WHERE $ROW`,
        "User",
      ],
      ["a session's id that was not hashed", `UPDATE $T SET "id" = 'secret' WHERE $ROW`, "Session"],
      ["a session's id as a blob", `UPDATE $T SET "id" = CAST("id" AS BLOB) WHERE $ROW`, "Session"],
      [
        "a date kept as a text",
        `UPDATE $T SET "createdAt" = strftime('%F %T', "createdAt" / 1000, 'unixepoch') WHERE $ROW`,
        "User",
      ],
      [
        "a text kept as a blob",
        `UPDATE $T SET "firstName" = CAST("firstName" AS BLOB) WHERE $ROW`,
        "User",
      ],
      [
        "a character of the last row's end moved to the next column",
        `UPDATE $T SET "title" = "title" || substr("description", 1, 1), "description" = substr("description", 2) WHERE $ROW`,
        "Call",
      ],
    ])("%s", async (_, sql, table) => {
      const row = opened
        .prepare(`SELECT "id" FROM "${table}" ORDER BY "id" LIMIT 1 OFFSET 3`)
        .pluck()
        .get() as string;
      await withFault(
        file,
        sql.replaceAll("$T", `"${table}"`).replaceAll("$ROW", `"id" = '${row}'`),
        async (copy) => {
          const found = await compare(url, copy);
          expect(found.tables.filter(({ equal }) => !equal).map(({ target }) => target)).toEqual([
            table,
          ]);
          expect(
            found.tables.find(({ target }) => target === table)!.differences.length,
          ).toBeGreaterThan(0);
        },
      );
    });
  });

  test("a row in another table is missing in one and extra in the other", async () => {
    await withFault(
      file,
      `INSERT INTO "Session" SELECT "id", "createdAt", "userId", "createdAt" FROM "PostRead" WHERE "userId" IS NOT NULL LIMIT 1; DELETE FROM "PostRead" WHERE "id" IN (SELECT "id" FROM "Session")`,
      async (copy) => {
        const { tables } = await compare(url, copy);
        expect(
          tables
            .filter(({ equal }) => !equal)
            .map(({ target, differing, differences }) => [target, differing, differences[0]!.kind]),
        ).toEqual([
          ["Session", 1, "extra"],
          ["PostRead", 1, "missing"],
        ]);
      },
    );
  });

  test("at most ten rows are named, the first by their keys, and all are counted", async () => {
    await withFault(
      file,
      `UPDATE "PostRead" SET "createdAt" = "createdAt" + 1, "postSlug" = "postSlug" || '.'`,
      async (copy) => {
        const { tables } = await compare(url, copy);
        const { differing, differences } = tables.find(({ target }) => target === "PostRead")!;
        expect([differing, differences.length]).toEqual([2000, 10]);
        expect(differences.map(({ key }) => key)).toEqual(
          differences.map(({ key }) => key).toSorted(),
        );
        expect(differences.every(({ columns }) => columns.join() === "createdAt,postSlug")).toBe(
          true,
        );
      },
    );
  });

  test("rows that point at nothing are a problem, even where both sides are equal", async () => {
    const odd = await server.createDatabase();
    await createSourceSite(odd);
    await runSql(odd, ODDITIES.orphans);
    const to = join(dir, "orphans.db");
    await move(odd, to, ASIDE);
    expect(await compare(odd, to)).toMatchObject({ equal: true, problems: [] });
    const back = `INSERT INTO "PostRead" SELECT "row" ->> 0, CAST("row" ->> 1 AS INTEGER), "row" ->> 2, "row" ->> 3, "row" ->> 4 FROM "Moved_aside" WHERE "source" = 'PostRead'`;
    await withFault(to, back, async (copy) => {
      const { tables } = await compare(odd, copy);
      expect(tables.filter(({ equal }) => !equal)).toMatchObject([
        { target: "PostRead", differing: 1, differences: [{ kind: "different", columns: [] }] },
      ]);
    });
    await withFault(
      to,
      `${back}; DELETE FROM "Moved_aside" WHERE "source" = 'PostRead'`,
      async (copy) => {
        const found = await compare(odd, copy);
        expect(found.tables.every(({ equal }) => equal)).toBe(true);
        expect(found).toMatchObject({
          equal: false,
          problems: ["1 of PostRead point at a User that is not there."],
        });
      },
    );
    await withFault(
      to,
      `UPDATE "Moved_aside" SET "source" = 'Log' WHERE "source" = 'Session'`,
      async (copy) => {
        expect(await compare(odd, copy)).toMatchObject({
          equal: false,
          problems: ["1 rows in Moved_aside are of a table that did not move."],
        });
      },
    );
  });

  test("rows that were put aside count, and a changed one is found", async () => {
    const odd = await server.createDatabase();
    await createSourceSite(odd);
    for (const sql of [
      ODDITIES.infinite,
      ODDITIES.orphans,
      ODDITIES.emptySlug,
      ODDITIES.noTeam,
      ODDITIES.ancient,
    ])
      await runSql(odd, sql);
    const to = join(dir, "aside.db");
    await expect(move(odd, to)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/^User \S+: /),
    });
    await move(odd, to, ASIDE);
    const { equal, tables } = await compare(odd, to);
    expect(tables.flatMap(({ differences }) => differences)).toEqual([]);
    expect(equal).toBe(true);
    const db = new Database(to);
    const why = db
      .prepare(
        `SELECT "source" || ': ' || "why", count(*) FROM "Moved_aside" GROUP BY 1 ORDER BY 1`,
      )
      .raw()
      .all() as [string, number][];
    expect(why.map(([text]) => text)).toEqual(
      expect.arrayContaining([
        "PostRead: createdAt is infinite",
        "PostRead: its User is not there",
        "PostRead: postSlug is empty",
        "Session: expirationDate is infinite",
        "Session: its User is not there",
        "User: createdAt is not in the years 1 to 9999",
        "User: team is null",
      ]),
    );
    db.prepare(
      `UPDATE "Moved_aside" SET "row" = replace("row", 'infinity', '-infinity') WHERE "source" = 'Session' AND "why" LIKE '%infinite'`,
    ).run();
    db.close();
    const again = await compare(odd, to);
    expect(again.tables.filter((table) => !table.equal)).toEqual([
      expect.objectContaining({
        target: "Session",
        differences: [expect.objectContaining({ kind: "different", columns: ["expirationDate"] })],
      }),
    ]);
    expect(JSON.stringify(again)).not.toContain(await readSourceId(odd, "session", 3));
  });

  test("microseconds are floored, also before 1970, and dates with a zone and typed ids are the same", async () => {
    const odd = await server.createDatabase();
    await createSourceSite(odd);
    for (const sql of [ODDITIES.microseconds, ODDITIES.zoned, ODDITIES.uuids, ODDITIES.bigCall])
      await runSql(odd, sql);
    const to = join(dir, "micros.db");
    const tables = KNOWN_TABLES.map((table) => ({
      ...table,
      columns: table.columns.map((column) =>
        column.as === "date" ? { ...column, hasMicros: true } : column,
      ),
    }));
    await move(odd, to, undefined, tables);
    expect((await compare(odd, to, tables)).equal).toBe(true);
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
