import { beforeEach, expect, test } from "vitest";
import { HOUR_MS, MINUTE_MS, setClock } from "#lib/core/clock.ts";
import type { Sql } from "../db/connection.ts";
import { readSql, writeSql } from "../db/database.ts";
import {
  CHALLENGE_TTL_MS,
  type NewChallenge,
  pendingLoginEmail,
  consumeLoginCode,
  consumeLoginLink,
  cancelChallenge,
  findChallenge,
  startChallenge,
} from "./login-challenge.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const EMAIL = "ada@example.test";
let ours: NewChallenge;
beforeEach(async () => {
  setClock(NOW);
  ours = await start();
});

const start = (email = EMAIL) => writeSql((sql) => startChallenge(sql, { email }));
const byLink = (given: Partial<Parameters<typeof consumeLoginLink>[1]> = {}) =>
  writeSql((sql) =>
    consumeLoginLink(sql, { token: ours.token, browserId: ours.browserId, ...given }),
  );
const byCode = (given: Parameters<typeof consumeLoginCode>[1]) =>
  writeSql((sql) => consumeLoginCode(sql, given));
const rows = () =>
  readSql((sql) =>
    sql.all<Record<string, unknown>>(
      `SELECT * FROM "LoginChallenge" ORDER BY "createdAt", "email"`,
    ),
  );
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

test("the token and the browser's id have 128 bits, the code six digits, and each is new", async () => {
  const all = [ours, ...(await Promise.all(Array.from({ length: 50 }, () => start())))];
  for (const { token, browserId, code } of all) {
    expect([
      Buffer.from(token, "base64url").length,
      Buffer.from(browserId, "base64url").length,
    ]).toEqual([16, 16]);
    expect(code).toMatch(/^\d{6}$/);
  }
  expect(new Set(all.flatMap(({ token, browserId }) => [token, browserId])).size).toBe(
    all.length * 2,
  );
  expect(new Set(all.map(({ code }) => code)).size).toBeGreaterThan(40);
});

test("nothing that lets anybody in is stored as it was sent", async () => {
  const stored = JSON.stringify(await rows());
  for (const secret of [ours.token, ours.browserId, ours.code])
    expect(stored).not.toContain(secret);
  // The same code of another challenge has another hash: none can be looked up.
  const hashes = await writeSql((sql) =>
    Array.from({ length: 30 }, () => startChallenge(sql, { email: EMAIL })),
  ).then(rows);
  expect(new Set(hashes.map(({ codeHash }) => codeHash)).size).toBe(31);
});

test("the link logs in in the browser that asked, once", async () => {
  expect(await byLink()).toBe(EMAIL);
  expect(await byLink()).toBeNull();
  expect(await byCode({ browserId: ours.browserId, code: ours.code })).toEqual({ outcome: "gone" });
});

test("of twenty at the same moment exactly one gets in, by link or by code", async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, async (_, i) =>
      i % 2
        ? byLink()
        : byCode({ browserId: ours.browserId, code: ours.code }).then((verdict) =>
            verdict.outcome === "proven" ? verdict.email : null,
          ),
    ),
  );
  expect(results.filter(Boolean)).toEqual([EMAIL]);
});

test("the link is worth nothing in another browser, or in one without a cookie", async () => {
  const theirs = await start("eve@example.test");
  for (const browserId of [null, "", "x", theirs.browserId, ours.token])
    expect(await byLink({ browserId })).toBeNull();
  expect(await byLink()).toBe(EMAIL);
});

test("a forged link is worth nothing", async () => {
  for (const token of [
    "",
    "x",
    `${ours.token.slice(0, -1)}${ours.token.endsWith("A") ? "Q" : "A"}`,
    ours.token.toUpperCase(),
    ours.browserId,
    `${ours.token}\0`,
    "日本",
    "' OR 1=1 --",
  ]) {
    expect([token, await byLink({ token })]).toEqual([token, null]);
  }
  const [row] = await rows();
  expect(
    await byLink({ token: row?.tokenHash as string, browserId: row?.browserHash as string }),
  ).toBeNull();
});

test("looking at a challenge changes nothing, however often", async () => {
  const before = await rows();
  for (let i = 0; i < 20; i++) {
    // In a snapshot SQLite itself refuses writes.
    await readSql((sql) => {
      expect(findChallenge(sql, { token: ours.token, browserId: ours.browserId })).toEqual({
        email: EMAIL,
        expiresAtMs: ours.expiresAtMs,
        isThisBrowser: true,
        canUseCode: true,
      });
      expect(findChallenge(sql, { token: ours.token, browserId: null })?.isThisBrowser).toBe(false);
      expect(findChallenge(sql, { token: ours.token, browserId: "another" })?.isThisBrowser).toBe(
        false,
      );
      expect(findChallenge(sql, { browserId: ours.browserId })?.email).toBe(EMAIL);
      expect(findChallenge(sql, { browserId: null })).toBeNull();
      expect(findChallenge(sql, { token: "forged", browserId: ours.browserId })).toBeNull();
    });
  }
  expect(await rows()).toEqual(before);
});

test("the code logs in with the cookie of the browser that asked, or with the token on another device, once", async () => {
  expect(await byCode({ browserId: ours.browserId, code: ours.code })).toEqual({
    outcome: "proven",
    email: EMAIL,
  });
  expect(await byCode({ token: ours.token, code: ours.code })).toEqual({ outcome: "gone" });
  ours = await start();
  expect(await byCode({ token: ours.token, code: ours.code })).toEqual({
    outcome: "proven",
    email: EMAIL,
  });
  expect(await byLink()).toBeNull();
});

test("the code is worth nothing with the cookie or the token of another log-in", async () => {
  const theirs = await start("eve@example.test");
  expect(await byCode({ browserId: theirs.browserId, code: ours.code })).toEqual({
    outcome: "wrong",
    triesLeft: 4,
  });
  expect(await byCode({ token: theirs.token, code: ours.code })).toEqual({
    outcome: "wrong",
    triesLeft: 4,
  });
  expect(await byCode({ browserId: "nobody's", code: ours.code })).toEqual({ outcome: "gone" });
  expect(await byLink()).toBe(EMAIL);
});

test("after five wrong codes with the cookie the code is worth nothing there; whoever reads the mail gets in by its link, or by token and code", async () => {
  for (const getIn of [
    () => byLink(),
    async () =>
      ((await byCode({ token: ours.token, code: ours.code })) as { email?: string }).email,
  ]) {
    for (const triesLeft of [4, 3, 2, 1, 0])
      expect(await byCode({ browserId: ours.browserId, code: wrong(ours.code) })).toEqual({
        outcome: "wrong",
        triesLeft,
      });
    for (const code of [ours.code, wrong(ours.code)])
      expect(await byCode({ browserId: ours.browserId, code })).toEqual({ outcome: "spent" });
    expect(await readSql((sql) => findChallenge(sql, { browserId: ours.browserId }))).toMatchObject(
      { email: EMAIL, canUseCode: false },
    );
    expect(await getIn()).toBe(EMAIL);
    ours = await start();
  }
});

test("after five wrong codes with the token the challenge is void, for the right code and for the link", async () => {
  for (const triesLeft of [4, 3, 2, 1, 0])
    expect(await byCode({ token: ours.token, code: wrong(ours.code) })).toEqual({
      outcome: "wrong",
      triesLeft,
    });
  expect(await byCode({ token: ours.token, code: ours.code })).toEqual({ outcome: "gone" });
  expect(await byCode({ browserId: ours.browserId, code: ours.code })).toEqual({ outcome: "gone" });
  expect(await byLink()).toBeNull();
  expect(await readSql((sql) => findChallenge(sql, ours))).toBeNull();
  // Who asked may still ask for another mail.
  expect(await readSql((sql) => pendingLoginEmail(sql, ours))).toBe(EMAIL);
});

test("a hundred wrong codes at the same moment get five verdicts", async () => {
  const verdicts = await Promise.all(
    Array.from({ length: 100 }, () =>
      byCode({ browserId: ours.browserId, code: wrong(ours.code) }),
    ),
  );
  expect(verdicts.filter(({ outcome }) => outcome === "wrong")).toHaveLength(5);
  expect((await rows())[0]?.tries).toBe(5);
});

test("codes that are none are wrong, not faults", async () => {
  for (const code of ["", "12345", "1234567", "abcdef", `${ours.code}\0`])
    expect((await byCode({ browserId: ours.browserId, code })).outcome).toBe("wrong");
});

test("after fifteen minutes link and code have expired", async () => {
  setClock(NOW + 14 * MINUTE_MS);
  expect(await readSql((sql) => findChallenge(sql, ours))).not.toBeNull();
  setClock(ours.expiresAtMs);
  expect(await readSql((sql) => findChallenge(sql, ours))).toBeNull();
  expect(await byLink()).toBeNull();
  expect(await byCode({ browserId: ours.browserId, code: ours.code })).toEqual({ outcome: "gone" });
  expect(await byCode({ token: ours.token, code: wrong(ours.code) })).toEqual({ outcome: "gone" });
  expect((await rows())[0]).toMatchObject({ usedAt: null, tries: 0 });
});

test("a challenge that was taken back is worth nothing; one that was used stays used", async () => {
  await writeSql((sql) => cancelChallenge(sql, ours));
  expect(await byLink()).toBeNull();
  expect(await rows()).toEqual([]);
  ours = await start();
  await byLink();
  await writeSql((sql) => cancelChallenge(sql, ours));
  expect(await rows()).toHaveLength(1);
  expect(await readSql((sql) => pendingLoginEmail(sql, ours))).toBeNull();
});

test("what expired more than an hour ago is swept, some rows with each new challenge", async () => {
  const count = async () => (await rows()).length;
  await writeSql((sql: Sql) =>
    Array.from({ length: 49 }, () => startChallenge(sql, { email: EMAIL })),
  );
  expect(await count()).toBe(50);
  setClock(NOW + CHALLENGE_TTL_MS + HOUR_MS - MINUTE_MS);
  await start();
  expect(await count()).toBe(51);
  setClock(NOW + CHALLENGE_TTL_MS + HOUR_MS + MINUTE_MS);
  for (const left of [32, 13, 4, 5]) {
    await start();
    expect(await count()).toBe(left);
  }
});
