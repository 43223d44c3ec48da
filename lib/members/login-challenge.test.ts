import { beforeEach, expect, test } from "vitest";
import { HOUR_MS, MINUTE_MS, setClock } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
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
let challenge: NewChallenge;
beforeEach(async () => {
  setClock(NOW);
  challenge = await start();
});

const start = (email = EMAIL) => write((tx) => startChallenge(tx, { email }));
const byLink = (overrides: Partial<Parameters<typeof consumeLoginLink>[1]> = {}) =>
  write((tx) =>
    consumeLoginLink(tx, { token: challenge.token, browserId: challenge.browserId, ...overrides }),
  );
const byCode = (overrides: Parameters<typeof consumeLoginCode>[1]) =>
  write((tx) => consumeLoginCode(tx, overrides));
const rows = () =>
  read((tx) => tx.loginChallenge.findMany({ orderBy: [{ createdAt: "asc" }, { email: "asc" }] }));
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

test("the token and browser ID have 128 random bits, the code six random digits", async () => {
  const all = [challenge, ...(await Promise.all(Array.from({ length: 50 }, () => start())))];
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

test("the database stores only hashes of the secrets", async () => {
  const stored = JSON.stringify(await rows());
  for (const secret of [challenge.token, challenge.browserId, challenge.code])
    expect(stored).not.toContain(secret);
  // The hash depends on the challenge, so codes can't be looked up.
  const hashes = await write((tx) =>
    Promise.all(Array.from({ length: 30 }, () => startChallenge(tx, { email: EMAIL }))),
  ).then(rows);
  expect(new Set(hashes.map(({ codeHash }) => codeHash)).size).toBe(31);
});

test("the link logs in once, in the requesting browser", async () => {
  expect(await byLink()).toBe(EMAIL);
  expect(await byLink()).toBeNull();
  expect(await byCode({ browserId: challenge.browserId, code: challenge.code })).toEqual({
    outcome: "expired",
  });
});

test("exactly one of twenty concurrent uses of link and code succeeds", async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, async (_, i) =>
      i % 2
        ? byLink()
        : byCode({ browserId: challenge.browserId, code: challenge.code }).then((verdict) =>
            verdict.outcome === "proven" ? verdict.email : null,
          ),
    ),
  );
  expect(results.filter(Boolean)).toEqual([EMAIL]);
});

test("the link does not work in another browser or without the cookie", async () => {
  const theirs = await start("eve@example.test");
  for (const browserId of [null, "", "x", theirs.browserId, challenge.token])
    expect(await byLink({ browserId })).toBeNull();
  expect(await byLink()).toBe(EMAIL);
});

test("a forged link does not work", async () => {
  for (const token of [
    "",
    "x",
    `${challenge.token.slice(0, -1)}${challenge.token.endsWith("A") ? "Q" : "A"}`,
    challenge.token.toUpperCase(),
    challenge.browserId,
    `${challenge.token}\0`,
    "日本",
    "' OR 1=1 --",
  ]) {
    expect([token, await byLink({ token })]).toEqual([token, null]);
  }
  const [row] = await rows();
  expect(await byLink({ token: row!.tokenHash, browserId: row!.browserHash })).toBeNull();
});

test("finding a challenge changes nothing", async () => {
  const before = await rows();
  for (let i = 0; i < 20; i++) {
    // SQLite refuses writes in a read transaction.
    await read(async (tx) => {
      expect(
        await findChallenge(tx, { token: challenge.token, browserId: challenge.browserId }),
      ).toEqual({
        email: EMAIL,
        expiresAtMs: challenge.expiresAtMs,
        isThisBrowser: true,
        canUseCode: true,
      });
      expect(
        (await findChallenge(tx, { token: challenge.token, browserId: null }))?.isThisBrowser,
      ).toBe(false);
      expect(
        (await findChallenge(tx, { token: challenge.token, browserId: "another" }))?.isThisBrowser,
      ).toBe(false);
      expect((await findChallenge(tx, { browserId: challenge.browserId }))?.email).toBe(EMAIL);
      expect(await findChallenge(tx, { browserId: null })).toBeNull();
      expect(
        await findChallenge(tx, { token: "forged", browserId: challenge.browserId }),
      ).toBeNull();
    });
  }
  expect(await rows()).toEqual(before);
});

test("the code works once, with the requesting browser's cookie or with the token", async () => {
  expect(await byCode({ browserId: challenge.browserId, code: challenge.code })).toEqual({
    outcome: "proven",
    email: EMAIL,
  });
  expect(await byCode({ token: challenge.token, code: challenge.code })).toEqual({
    outcome: "expired",
  });
  challenge = await start();
  expect(await byCode({ token: challenge.token, code: challenge.code })).toEqual({
    outcome: "proven",
    email: EMAIL,
  });
  expect(await byLink()).toBeNull();
});

test("the code does not work with the cookie or token of another login", async () => {
  const theirs = await start("eve@example.test");
  expect(await byCode({ browserId: theirs.browserId, code: challenge.code })).toEqual({
    outcome: "wrong",
    attemptsLeft: 4,
  });
  expect(await byCode({ token: theirs.token, code: challenge.code })).toEqual({
    outcome: "wrong",
    attemptsLeft: 4,
  });
  expect(await byCode({ browserId: "unknown", code: challenge.code })).toEqual({
    outcome: "expired",
  });
  expect(await byLink()).toBe(EMAIL);
});

test("five wrong codes with the cookie block the code there; link and token still work", async () => {
  for (const getIn of [
    () => byLink(),
    async () =>
      ((await byCode({ token: challenge.token, code: challenge.code })) as { email?: string })
        .email,
  ]) {
    for (const attemptsLeft of [4, 3, 2, 1, 0])
      expect(await byCode({ browserId: challenge.browserId, code: wrong(challenge.code) })).toEqual(
        {
          outcome: "wrong",
          attemptsLeft,
        },
      );
    for (const code of [challenge.code, wrong(challenge.code)])
      expect(await byCode({ browserId: challenge.browserId, code })).toEqual({
        outcome: "too_many_attempts",
      });
    expect(await read((tx) => findChallenge(tx, { browserId: challenge.browserId }))).toMatchObject(
      { email: EMAIL, canUseCode: false },
    );
    expect(await getIn()).toBe(EMAIL);
    challenge = await start();
  }
});

test("five wrong codes with the token invalidate the challenge", async () => {
  for (const attemptsLeft of [4, 3, 2, 1, 0])
    expect(await byCode({ token: challenge.token, code: wrong(challenge.code) })).toEqual({
      outcome: "wrong",
      attemptsLeft,
    });
  expect(await byCode({ token: challenge.token, code: challenge.code })).toEqual({
    outcome: "expired",
  });
  expect(await byCode({ browserId: challenge.browserId, code: challenge.code })).toEqual({
    outcome: "expired",
  });
  expect(await byLink()).toBeNull();
  expect(await read((tx) => findChallenge(tx, challenge))).toBeNull();
  // The browser may still request another email.
  expect(await read((tx) => pendingLoginEmail(tx, challenge))).toBe(EMAIL);
});

test("only five of a hundred concurrent wrong codes are checked", async () => {
  const verdicts = await Promise.all(
    Array.from({ length: 100 }, () =>
      byCode({ browserId: challenge.browserId, code: wrong(challenge.code) }),
    ),
  );
  expect(verdicts.filter(({ outcome }) => outcome === "wrong")).toHaveLength(5);
  expect((await rows())[0]?.tries).toBe(5);
});

test("a malformed code is wrong, not an error", async () => {
  for (const code of ["", "12345", "1234567", "abcdef", `${challenge.code}\0`])
    expect((await byCode({ browserId: challenge.browserId, code })).outcome).toBe("wrong");
});

test("link and code expire after fifteen minutes", async () => {
  setClock(NOW + 14 * MINUTE_MS);
  expect(await read((tx) => findChallenge(tx, challenge))).not.toBeNull();
  setClock(challenge.expiresAtMs);
  expect(await read((tx) => findChallenge(tx, challenge))).toBeNull();
  expect(await byLink()).toBeNull();
  expect(await byCode({ browserId: challenge.browserId, code: challenge.code })).toEqual({
    outcome: "expired",
  });
  expect(await byCode({ token: challenge.token, code: wrong(challenge.code) })).toEqual({
    outcome: "expired",
  });
  expect((await rows())[0]).toMatchObject({ usedAt: null, tries: 0 });
});

test("a canceled challenge does not work; a used one stays used", async () => {
  await write((tx) => cancelChallenge(tx, challenge));
  expect(await byLink()).toBeNull();
  expect(await rows()).toEqual([]);
  challenge = await start();
  await byLink();
  await write((tx) => cancelChallenge(tx, challenge));
  expect(await rows()).toHaveLength(1);
  expect(await read((tx) => pendingLoginEmail(tx, challenge))).toBeNull();
});

test("each new challenge deletes a few rows that expired more than an hour ago", async () => {
  const count = async () => (await rows()).length;
  await write((tx) =>
    Promise.all(Array.from({ length: 49 }, () => startChallenge(tx, { email: EMAIL }))),
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
