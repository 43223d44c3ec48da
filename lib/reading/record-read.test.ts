import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import type { AppError } from "#lib/core/errors.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { type ReadRequest, recordRead } from "./record-read.ts";
import { DEDUPLICATION_WINDOW_MS } from "./record-read.sql.ts";
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
const reads = (tx: Tx) =>
  sqlOf(tx).all<{
    createdAt: number;
    userId: string | null;
    clientId: string | null;
    postSlug: string;
  }>(
    `SELECT "createdAt", "userId", "clientId", "postSlug" FROM "PostRead" ORDER BY "createdAt", "rowid"`,
  );
const tokens = (tx: Tx) => sqlOf(tx).get<{ n: number }>(`SELECT COUNT(*) AS n FROM "UsedToken"`)?.n;

test("a member's read is stored without a reader ID", () =>
  write((tx) => {
    const member = insertUser(tx);
    expect(recordRead(tx, request({ member, clientId: "reader-1" }))).toEqual({ isCounted: true });
    expect(reads(tx)).toEqual([
      { createdAt: NOW, userId: member.id, clientId: null, postSlug: "a-post" },
    ]);
  }));

test("an anonymous reader's read is stored with their ID", () =>
  write((tx) => {
    expect(recordRead(tx, request())).toEqual({ isCounted: true });
    expect(reads(tx)).toEqual([
      { createdAt: NOW, userId: null, clientId: "reader-1", postSlug: "a-post" },
    ]);
  }));

test("a reader without an ID gets one with their first counted read", () =>
  write((tx) => {
    const { isCounted, clientId } = recordRead(tx, request({ clientId: null }));
    expect(isCounted).toBe(true);
    expect(clientId).toMatch(/^[\w-]{36}$/);
    expect(reads(tx)).toEqual([expect.objectContaining({ userId: null, clientId })]);
    expect(recordRead(tx, request({ clientId: clientId as string }))).toEqual({
      isCounted: false,
    });
  }));

test("a reader's read of a post counts once in seven days", () =>
  write((tx) => {
    const member = insertUser(tx);
    for (const reader of [{ member }, { clientId: "reader-1" }]) {
      expect(recordRead(tx, request(reader)).isCounted).toBe(true);
      expect(recordRead(tx, request({ ...reader, nowMs: NOW + 1 })).isCounted).toBe(false);
      expect(recordRead(tx, request({ ...reader, nowMs: NOW + WEEK_MS - 1 })).isCounted).toBe(
        false,
      );
      expect(recordRead(tx, request({ ...reader, slug: "another-post" })).isCounted).toBe(true);
      expect(recordRead(tx, request({ ...reader, nowMs: NOW + WEEK_MS })).isCounted).toBe(true);
    }
    expect(recordRead(tx, request({ clientId: "reader-2" })).isCounted).toBe(true);
    expect(reads(tx)).toHaveLength(7);
    expect(DEDUPLICATION_WINDOW_MS).toBe(WEEK_MS);
  }));

test("setting the clock back does not allow a second read", () =>
  write((tx) => {
    expect(recordRead(tx, request()).isCounted).toBe(true);
    expect(recordRead(tx, request({ nowMs: NOW - HOUR_MS })).isCounted).toBe(false);
  }));

test("a claimed read does not block the reader ID's next read", () =>
  write((tx) => {
    const member = insertUser(tx);
    insertRead(tx, { userId: member.id, clientId: "reader-1", createdAt: NOW });
    expect(recordRead(tx, request({ clientId: "reader-1" })).isCounted).toBe(true);
  }));

test("a read that does not count stores nothing", () =>
  write((tx) => {
    recordRead(tx, request());
    expect(tokens(tx)).toBe(1);
    expect(recordRead(tx, request())).toEqual({ isCounted: false });
    expect([reads(tx).length, tokens(tx)]).toEqual([1, 1]);
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
    write((tx) => {
      expect(() => recordRead(tx, request(overrides))).toThrow(
        expect.objectContaining({ code, message }) as AppError,
      );
      expect([reads(tx).length, tokens(tx)]).toEqual([0, 0]);
    }));
}

test("a token counts once, for any reader", () =>
  write((tx) => {
    const { token } = request();
    expect(recordRead(tx, request({ token })).isCounted).toBe(true);
    const replayed = expect.objectContaining({
      code: "conflict",
      message: "The token has already been used.",
    }) as AppError;
    expect(() => recordRead(tx, request({ token }))).toThrow(replayed);
    expect(() => recordRead(tx, request({ token, clientId: "reader-2" }))).toThrow(replayed);
    expect(() => recordRead(tx, request({ token, clientId: null }))).toThrow(replayed);
    expect(() => recordRead(tx, request({ token, member: insertUser(tx) }))).toThrow(replayed);
    expect(reads(tx)).toHaveLength(1);
  }));

test("each read deletes a few expired tokens", () =>
  write((tx) => {
    for (let i = 0; i < 20; i++)
      sqlOf(tx).run(
        `INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES (?, ?)`,
        `old-${i}`,
        NOW - i,
      );
    recordRead(tx, request());
    const left = tokens(tx) as number;
    expect(left).toBeLessThan(20);
    for (let i = 0; i < 10; i++) recordRead(tx, request({ clientId: `reader-${i + 2}` }));
    expect(tokens(tx)).toBe(11);
  }));

test("of fifty concurrent reads by one reader, one counts", async () => {
  const member = await write((tx) => insertUser(tx));
  for (const reader of [{ member }, { clientId: "reader-1" }]) {
    const results = await Promise.all(
      Array.from({ length: 50 }, () => write((tx) => recordRead(tx, request(reader)))),
    );
    expect(results.filter(({ isCounted }) => isCounted)).toHaveLength(1);
  }
  expect(await read(reads)).toHaveLength(2);
});

test("if a token is sent fifty times concurrently, one counts and the rest are refused", async () => {
  const { token } = request();
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, () =>
      write((tx) => recordRead(tx, request({ token, clientId: null }))),
    ),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await read(reads)).toHaveLength(1);
});

test("checking before the insert, instead of in it, would count a read twice", async () => {
  const naive = async () => {
    const existing = await read((tx) =>
      sqlOf(tx).get(
        `SELECT 1 FROM "PostRead" WHERE "clientId" = ? AND "postSlug" = ?`,
        "reader-1",
        "a-post",
      ),
    );
    if (!existing) await write((tx) => insertRead(tx, { clientId: "reader-1", createdAt: NOW }));
  };
  await Promise.all([naive(), naive()]);
  expect(await read(reads)).toHaveLength(2);
});

test("a refused read does not roll back other writes", async () => {
  const results = await Promise.allSettled([
    write((tx) => recordRead(tx, request())),
    write((tx) => recordRead(tx, request({ token: "nonsense" }))),
    write((tx) => recordRead(tx, request({ clientId: "reader-2" }))),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await read(reads)).toHaveLength(2);
});
