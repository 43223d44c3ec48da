import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createSourceDatabase } from "./support/source-site.ts";
import type { FindRows, Ledger } from "./support/source-ledger.ts";
import { TRANSACTION_KINDS } from "./support/source-transactions.ts";
import { startSourceWriter } from "./support/source-writer.ts";
import { type TestPostgres, startPostgres } from "./support/postgres.ts";
import { findPostgres } from "../scripts/find-postgres.mjs";

describe.skipIf(!findPostgres())("the source site", () => {
  let server: TestPostgres;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    url = await createSourceDatabase(server);
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

  /** Finds rows as a correct migration would store them. */
  const find: FindRows = async (table, ids) => {
    const key = table === "Session" ? `encode(sha256("id"::bytea), 'hex')` : `"id"`;
    const rows = await query(`SELECT *, ${key} AS "id" FROM "${table}" WHERE ${key} = ANY($1)`, [
      ids,
    ]);
    // The client parses the server's dates as local time.
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          value instanceof Date ? value.getTime() - value.getTimezoneOffset() * 60_000 : value,
        ]),
      ),
    );
  };

  /** Waits until `check` returns true, or an empty list of what is missing. */
  async function until(what: string, check: () => boolean | string[]): Promise<void> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const result = check();
      if (result === true || (Array.isArray(result) && result.length === 0)) return;
      if (Date.now() > deadline) throw new Error(`not within 20 s: ${what} ${String(result)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test("has separators, control characters, combining marks, empty and long texts", async () => {
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

  describe("under load", () => {
    /** Writes until every kind of transaction has occurred, then runs `work`, and stops. */
    async function write(
      work: (ledger: Ledger) => Promise<void> = async () => {},
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
        await work(writer.ledger);
      } finally {
        await writer.stop();
      }
      return writer.ledger;
    }

    test("the ledger reports only lost, resurrected and changed rows", async () => {
      const ledger = await write();
      expect(await ledger.check(find)).toEqual([]);
      expect(ledger.rolledBack).toBeGreaterThan(0);
      const [lost] = await query(
        `DELETE FROM "PostRead" WHERE "id" = (SELECT max("id") FROM "PostRead" WHERE "createdAt" > '2026-11-02') RETURNING "id"`,
      );
      const [changed] = await query(
        `UPDATE "Session" SET "expirationDate" = "expirationDate" + interval '1 millisecond' WHERE "id" = (SELECT max("id") FROM "Session" WHERE "createdAt" > '2026-11-02') RETURNING "id"`,
      );
      const back = { id: "", createdAt: 0, userId: null, clientId: null, postSlug: "back" };
      const wrong = await ledger.check(async (table, ids) => {
        const rows = await find(table, ids);
        const gone = ids.find((id) => id !== lost!.id && !rows.some((row) => row.id === id));
        if (table === "PostRead" && gone && !back.id) back.id = gone;
        return back.id === gone && gone ? [...rows, back] : rows;
      });
      expect(wrong.sort()).toEqual(
        [
          `PostRead ${String(lost!.id)} is missing, though it was acknowledged`,
          `PostRead ${back.id} exists, though it was deleted or never created`,
          `Session ${String(changed!.id)} differs from what was acknowledged: expirationDate`,
        ].sort(),
      );
    });

    test("continues after a crash, with unanswered transactions complete or absent", async () => {
      const ledger = await write(async (now) => {
        await server.stop("immediate");
        await server.start();
        const { committed } = now;
        await until("200 more", () => now.committed > committed + 200);
      });
      expect(ledger.refused + ledger.unknown).toBeGreaterThan(0);
      expect(await ledger.check(find)).toEqual([]);
    });
  });
});
