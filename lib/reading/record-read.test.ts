import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import type { AppError } from "#lib/core/errors.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { DEDUPLICATION_WINDOW_MS, type ReadRequest, recordRead } from "./record-read.ts";
import { issueDwellToken } from "./dwell-token.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const WEEK_MS = 7 * DAY_MS;

/** Returns a valid read of a post that was opened ten minutes ago. */
function request(overrides: Partial<ReadRequest> = {}): ReadRequest {
  const slug = overrides.slug ?? "a-post";
  const nowMs = overrides.nowMs ?? NOW;
  return {
    token: issueDwellToken({ slug, nowMs: nowMs - 10 * MINUTE_MS }),
    slug,
    member: null,
    clientId: "reader-1",
    readingMinutes: 5,
    nowMs,
    ...overrides,
  };
}
const reads = (sql: Sql) =>
  sql.all<{ createdAt: number; userId: string | null; clientId: string | null; postSlug: string }>(
    `SELECT "createdAt", "userId", "clientId", "postSlug" FROM "PostRead" ORDER BY "createdAt", "rowid"`,
  );
const tokens = (sql: Sql) => sql.get<{ n: number }>(`SELECT COUNT(*) AS n FROM "UsedToken"`)?.n;

test("a member's read is stored without a reader id", () =>
  writeSql((sql) => {
    const member = insertUser(sql);
    expect(recordRead(sql, request({ member, clientId: "reader-1" }))).toEqual({ isCounted: true });
    expect(reads(sql)).toEqual([
      { createdAt: NOW, userId: member.id, clientId: null, postSlug: "a-post" },
    ]);
  }));

test("an anonymous reader's read is stored with their id", () =>
  writeSql((sql) => {
    expect(recordRead(sql, request())).toEqual({ isCounted: true });
    expect(reads(sql)).toEqual([
      { createdAt: NOW, userId: null, clientId: "reader-1", postSlug: "a-post" },
    ]);
  }));

test("a reader without an id gets one with their first counted read", () =>
  writeSql((sql) => {
    const { isCounted, clientId } = recordRead(sql, request({ clientId: null }));
    expect(isCounted).toBe(true);
    expect(clientId).toMatch(/^[\w-]{36}$/);
    expect(reads(sql)).toEqual([expect.objectContaining({ userId: null, clientId })]);
    expect(recordRead(sql, request({ clientId: clientId as string }))).toEqual({
      isCounted: false,
    });
  }));

test("a reader's read of a post counts once in seven days", () =>
  writeSql((sql) => {
    const member = insertUser(sql);
    for (const reader of [{ member }, { clientId: "reader-1" }]) {
      expect(recordRead(sql, request(reader)).isCounted).toBe(true);
      expect(recordRead(sql, request({ ...reader, nowMs: NOW + 1 })).isCounted).toBe(false);
      expect(recordRead(sql, request({ ...reader, nowMs: NOW + WEEK_MS - 1 })).isCounted).toBe(
        false,
      );
      expect(recordRead(sql, request({ ...reader, slug: "another-post" })).isCounted).toBe(true);
      expect(recordRead(sql, request({ ...reader, nowMs: NOW + WEEK_MS })).isCounted).toBe(true);
    }
    expect(recordRead(sql, request({ clientId: "reader-2" })).isCounted).toBe(true);
    expect(reads(sql)).toHaveLength(7);
    expect(DEDUPLICATION_WINDOW_MS).toBe(WEEK_MS);
  }));

test("a clock that goes back allows no second read", () =>
  writeSql((sql) => {
    expect(recordRead(sql, request()).isCounted).toBe(true);
    expect(recordRead(sql, request({ nowMs: NOW - HOUR_MS })).isCounted).toBe(false);
  }));

test("a claimed read does not block the reader id's next read", () =>
  writeSql((sql) => {
    const member = insertUser(sql);
    insertRead(sql, { userId: member.id, clientId: "reader-1", createdAt: NOW });
    expect(recordRead(sql, request({ clientId: "reader-1" })).isCounted).toBe(true);
  }));

test("a read that does not count stores nothing", () =>
  writeSql((sql) => {
    recordRead(sql, request());
    expect(tokens(sql)).toBe(1);
    expect(recordRead(sql, request())).toEqual({ isCounted: false });
    expect([reads(sql).length, tokens(sql)]).toEqual([1, 1]);
  }));

const refused: [string, Partial<ReadRequest>, string, string][] = [
  ["malformed", { token: "nonsense" }, "invalid", "The token is malformed."],
  [
    "forged",
    { token: `${request().token.slice(0, -4)}AAAA` },
    "invalid",
    "The token's signature is invalid.",
  ],
  [
    "of another post",
    { token: request({ slug: "another-post" }).token },
    "forbidden",
    "The token is for another post.",
  ],
  [
    "too early",
    { readingMinutes: 17 },
    "forbidden",
    "Too early: the post was opened a moment ago.",
  ],
  [
    "expired",
    { nowMs: NOW, token: issueDwellToken({ slug: "a-post", nowMs: NOW - DAY_MS }) },
    "forbidden",
    "The token has expired.",
  ],
];
for (const [what, overrides, code, message] of refused) {
  test(`a token that is ${what} is refused, and nothing is stored`, () =>
    writeSql((sql) => {
      expect(() => recordRead(sql, request(overrides))).toThrow(
        expect.objectContaining({ code, message }) as AppError,
      );
      expect([reads(sql).length, tokens(sql)]).toEqual([0, 0]);
    }));
}

test("a token counts once, for any reader", () =>
  writeSql((sql) => {
    const { token } = request();
    expect(recordRead(sql, request({ token })).isCounted).toBe(true);
    const replayed = expect.objectContaining({
      code: "conflict",
      message: "The token has already been used.",
    }) as AppError;
    expect(() => recordRead(sql, request({ token }))).toThrow(replayed);
    expect(() => recordRead(sql, request({ token, clientId: "reader-2" }))).toThrow(replayed);
    expect(() => recordRead(sql, request({ token, clientId: null }))).toThrow(replayed);
    expect(() => recordRead(sql, request({ token, member: insertUser(sql) }))).toThrow(replayed);
    expect(reads(sql)).toHaveLength(1);
  }));

test("each read deletes a few expired tokens", () =>
  writeSql((sql) => {
    for (let i = 0; i < 20; i++)
      sql.run(`INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES (?, ?)`, `old-${i}`, NOW - i);
    recordRead(sql, request());
    const left = tokens(sql) as number;
    expect(left).toBeLessThan(20);
    for (let i = 0; i < 10; i++) recordRead(sql, request({ clientId: `reader-${i + 2}` }));
    expect(tokens(sql)).toBe(11);
  }));

test("of fifty concurrent reads of one reader one counts", async () => {
  const member = await writeSql((sql) => insertUser(sql));
  for (const reader of [{ member }, { clientId: "reader-1" }]) {
    const results = await Promise.all(
      Array.from({ length: 50 }, () => writeSql((sql) => recordRead(sql, request(reader)))),
    );
    expect(results.filter(({ isCounted }) => isCounted)).toHaveLength(1);
  }
  expect(await readSql(reads)).toHaveLength(2);
});

test("of one token sent fifty times concurrently one counts and the rest are refused", async () => {
  const { token } = request();
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, () =>
      writeSql((sql) => recordRead(sql, request({ token, clientId: null }))),
    ),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readSql(reads)).toHaveLength(1);
});

test("a check before the insert, instead of in it, would count a read twice", async () => {
  const naive = async () => {
    const existing = await readSql((sql) =>
      sql.get(
        `SELECT 1 FROM "PostRead" WHERE "clientId" = ? AND "postSlug" = ?`,
        "reader-1",
        "a-post",
      ),
    );
    if (!existing)
      await writeSql((sql) => insertRead(sql, { clientId: "reader-1", createdAt: NOW }));
  };
  await Promise.all([naive(), naive()]);
  expect(await readSql(reads)).toHaveLength(2);
});

test("a refused read does not roll back other writes", async () => {
  const results = await Promise.allSettled([
    writeSql((sql) => recordRead(sql, request())),
    writeSql((sql) => recordRead(sql, request({ token: "nonsense" }))),
    writeSql((sql) => recordRead(sql, request({ clientId: "reader-2" }))),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await readSql(reads)).toHaveLength(2);
});
