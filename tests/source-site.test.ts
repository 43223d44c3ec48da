import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ODDITIES,
  SMALL_SIZES,
  createSourceSite,
  readSourceId,
  runSql,
} from "./support/source-site.ts";
import type { FindRows, Ledger } from "./support/source-ledger.ts";
import { TRANSACTION_KINDS } from "./support/source-transactions.ts";
import { startSourceWriter } from "./support/source-writer.ts";
import { type TestPostgres, findPostgres, startPostgres } from "./support/postgres.ts";

describe.skipIf(!findPostgres())("the site before", () => {
  let server: TestPostgres;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    url = await server.createDatabase();
    await createSourceSite(url);
  });

  async function query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text, values)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  /** What a faithful move of the database as it is now would hold. */
  const find: FindRows = async (table, ids) => {
    const key = table === "Session" ? `encode(sha256("id"::bytea), 'hex')` : `"id"`;
    const rows = await query(`SELECT *, ${key} AS "id" FROM "${table}" WHERE ${key} = ANY($1)`, [
      ids,
    ]);
    // The server's dates come as if they were of the local zone.
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          value instanceof Date ? value.getTime() - value.getTimezoneOffset() * 60_000 : value,
        ]),
      ),
    );
  };

  /** Until `look` returns true, or a list of what is still missing that is empty. */
  async function until(what: string, look: () => boolean | string[]): Promise<void> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const found = look();
      if (found === true || (Array.isArray(found) && found.length === 0)) return;
      if (Date.now() > deadline) throw new Error(`not within 20 s: ${what} ${String(found)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test("has as many rows as asked for, about a third of the reads by members, and the same each time", async () => {
    const sums = `SELECT (SELECT md5(string_agg(t::text, '' ORDER BY "id")) FROM "User" t) AS users, (SELECT md5(string_agg(t::text, '' ORDER BY "id")) FROM "Session" t) AS sessions,
      (SELECT md5(string_agg(t::text, '' ORDER BY "id")) FROM "Call" t) AS calls, (SELECT md5(string_agg(t::text, '' ORDER BY "id")) FROM "PostRead" t) AS reads`;
    const first = await query(sums);
    const [{ users, sessions, calls, reads, members }] = (await query(
      `SELECT (SELECT count(*)::int FROM "User") AS users, (SELECT count(*)::int FROM "Session") AS sessions, (SELECT count(*)::int FROM "Call") AS calls, count(*)::int AS reads, count("userId")::int AS members FROM "PostRead"`,
    )) as [Record<string, number>];
    expect({ users, sessions, calls, reads }).toEqual({
      users: SMALL_SIZES.users,
      sessions: SMALL_SIZES.sessions,
      calls: SMALL_SIZES.calls,
      reads: SMALL_SIZES.reads,
    });
    expect(members! / reads!).toBeCloseTo(0.3, 1);
    url = await server.createDatabase();
    await createSourceSite(url);
    expect(await query(sums)).toEqual(first);
  });

  test("has separators of every format, control characters, combining marks, empty and long texts", async () => {
    const texts = (
      await query(`SELECT "firstName" AS text FROM "User" UNION SELECT "description" FROM "Call"`)
    ).map(({ text }) => text as string);
    for (const part of ["\t", "\n", "\r", "\\", "'", '"', "\\N", "\u007f", "e\u0301", "👩🏽‍🚀"])
      expect(
        texts.some((text) => text.includes(part)),
        JSON.stringify(part),
      ).toBe(true);
    expect(texts).toContain("");
    expect(Math.max(...texts.map(({ length }) => length))).toBeGreaterThan(10_000);
  });

  test.each(Object.keys(ODDITIES) as (keyof typeof ODDITIES)[])("can have odd %s", async (name) => {
    if (name === "greenMember") await runSql(url, ODDITIES.extraLabel);
    await runSql(url, ODDITIES[name]);
  });

  describe("in use", () => {
    /** Stops it after every kind of transaction, and some more. */
    async function write(
      while_: (tally: Ledger) => Promise<void> = async () => {},
    ): Promise<Ledger> {
      const mix = Object.fromEntries(Object.keys(TRANSACTION_KINDS).map((name) => [name, 4]));
      const writer = await startSourceWriter(url, { perSecond: 2_000, connections: 4, mix });
      try {
        const kinds = Object.entries(TRANSACTION_KINDS)
          .filter(([, kind]) => !("isRolledBack" in kind))
          .map(([name]) => name);
        await until(
          "every kind of transaction",
          () =>
            writer.ledger.committed > 400 && kinds.filter((name) => !(name in writer.ledger.kinds)),
        );
        await while_(writer.ledger);
      } finally {
        await writer.stop();
      }
      return writer.ledger;
    }

    test("all that was acknowledged is there, and nothing that was rolled back", async () => {
      const tally = await write();
      expect(await tally.check(find)).toEqual([]);
      expect(tally.rolledBack).toBeGreaterThan(0);
      expect([tally.refused, tally.unknown]).toEqual([0, 0]);
    });

    test("a row that was lost, one that came back and one that was changed are named", async () => {
      const tally = await write();
      const [lost] = await query(
        `DELETE FROM "PostRead" WHERE "id" = (SELECT max("id") FROM "PostRead" WHERE "createdAt" > '2026-11-02') RETURNING "id"`,
      );
      const [changed] = await query(
        `UPDATE "Session" SET "expirationDate" = "expirationDate" + interval '1 millisecond' WHERE "id" = (SELECT max("id") FROM "Session" WHERE "createdAt" > '2026-11-02') RETURNING "id"`,
      );
      const back = { id: "", createdAt: 0, userId: null, clientId: null, postSlug: "back" };
      const wrong = await tally.check(async (table, ids) => {
        const rows = await find(table, ids);
        const gone = ids.find((id) => id !== lost!.id && !rows.some((row) => row.id === id));
        if (table === "PostRead" && gone && !back.id) back.id = gone;
        return back.id === gone && gone ? [...rows, back] : rows;
      });
      expect(wrong.sort()).toEqual(
        [
          `PostRead ${String(lost!.id)} is not there, though that was acknowledged`,
          `PostRead ${back.id} is there, though it was deleted or never made`,
          `Session ${String(changed!.id)} is not as acknowledged: expirationDate`,
        ].sort(),
      );
    });

    test("goes on after a crash of the server, and what was never answered is there as a whole or not at all", async () => {
      const tally = await write(async (now) => {
        await server.stop("immediate");
        await server.start();
        const { committed } = now;
        await until("200 more", () => now.committed > committed + 200);
      });
      expect(tally.refused + tally.unknown).toBeGreaterThan(0);
      expect(await tally.check(find)).toEqual([]);
    });

    test("counts what a database refuses that was made read-only, and goes on when it is not any more", async () => {
      const name = new URL(url).pathname.slice(1);
      const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
      const tally = await write(async (now) => {
        await query(`ALTER DATABASE "${name}" SET default_transaction_read_only = on`);
        await query(end);
        const { refused } = now;
        await until("50 refused", () => now.refused > refused + 50);
        const { committed } = now;
        await runSql(
          url,
          "SET default_transaction_read_only = off",
          `ALTER DATABASE "${name}" RESET default_transaction_read_only`,
        );
        await query(end);
        await until("50 more", () => now.committed > committed + 50);
      });
      expect(await tally.check(find)).toEqual([]);
      expect(tally.firstRefusedAtMs).not.toBeNull();
    });
  });

  test("its ids can be told", async () => {
    expect(
      await query(`SELECT count(*)::int AS n FROM "Session" WHERE "id" = $1`, [
        await readSourceId(url, "session", 3),
      ]),
    ).toEqual([{ n: 1 }]);
  });
});
