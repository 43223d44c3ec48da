// An attacker's suite, second part: whatever lets somebody in, forged, expired, used twice, cut short, of another browser or for another purpose.

import { randomBytes } from "node:crypto";
import { createSql } from "#lib/db/connection.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { startChallenge } from "#lib/members/login-challenge.ts";
import { startCeremony } from "#lib/members/webauthn-challenge.ts";
import { startSignup } from "#lib/members/sign-up.ts";
import { createReaderId, signReaderId } from "#lib/reading/reader-id.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import { loginFlowCookie } from "#tests/support/attack/action-cases.ts";
import { registerPasskey, makePasskeyRegistration } from "#tests/support/attack/attack-passkey.ts";
import {
  type ActionResult,
  type Fields,
  makeActionRequest,
  parseActionResult,
} from "#tests/support/attack/server-action-request.ts";
import { listChangedTables, expect, test } from "#tests/support/attack/fixtures.ts";
import { makeJsonRequest } from "#tests/support/attack/handler-cases.ts";
import {
  type AttackRequest,
  SAME_ORIGIN_HEADERS,
  type AttackResponse,
  sendAttack,
} from "#tests/support/attack/attack-client.ts";
import { readBuiltActions } from "#tests/support/attack/build-manifest.ts";

const MINUTE_MS = 60_000;
const random = () => randomBytes(16).toString("base64url");
const cut = (token: string) => token.slice(0, -1);

function idOf(name: string): string {
  const action = readBuiltActions().find((built) => built.name === name);
  if (!action) throw new Error(`The build has no ${name}`);
  return action.id;
}

async function act(
  name: string,
  page: string,
  fields: Fields,
  cookie?: string,
): Promise<ActionResult & { readonly got: AttackResponse; readonly hasSession: boolean }> {
  const request = makeActionRequest("call", idOf(name), page, fields);
  const got = await sendAttack({
    ...request,
    cookie,
    headers: { ...request.headers, ...SAME_ORIGIN_HEADERS },
  });
  expect(got.status, `${name}: ${got.text.slice(0, 200)}`).toBeLessThan(500);
  return {
    ...parseActionResult(got),
    got,
    hasSession: (got.headers["set-cookie"] ?? []).some((line) =>
      /^__Host-session=[^;]{20}/.test(line),
    ),
  };
}

const byLink = (token: string, cookie?: string) =>
  act("app/login/actions.ts#logInByLink", "/login/confirm", { token, next: "/me" }, cookie);
const byCode = (fields: { code: string; token?: string }, cookie?: string) =>
  act("app/login/actions.ts#logInByCode", "/login/code", fields, cookie);
const bySignup = (cookie?: string) =>
  act("app/signup/actions.ts#signUp", "/signup", { firstName: "Mallory", team: "RED" }, cookie);
const byDevice = (token: string) =>
  act("app/login/device/actions.ts#logInOnDevice", "/login/device", { token });
const loginCookie = (browserId: string) => loginFlowCookie("login", browserId);

test("a login link works once, in the requesting browser, for 15 minutes; a GET does not consume it", async ({
  insertFixture,
  hashTablesWhenIdle,
  setClock,
  site: { db },
}) => {
  const { owner, neighbor } = await insertFixture();
  const challenge = startChallenge(createSql(db), { email: owner.email });
  const other = startChallenge(createSql(db), { email: neighbor.email });
  const device = createDeviceLink(createSql(db), owner.id);
  const own = loginCookie(challenge.browserId);
  const before = await hashTablesWhenIdle();
  for (const cookie of [undefined, own]) {
    expect(
      (await sendAttack({ path: `/login/confirm?token=${challenge.token}`, cookie })).status,
    ).toBe(200);
    expect(
      (
        await sendAttack({
          method: "HEAD",
          path: `/login/confirm?token=${challenge.token}`,
          cookie,
        })
      ).status,
    ).toBe(200);
  }
  const tries: Record<string, [string, string | undefined]> = {
    "a forged token": [random(), own],
    "a token cut short": [cut(challenge.token), own],
    "a longer token": [`${challenge.token}A`, own],
    "no browser": [challenge.token, undefined],
    "another browser": [challenge.token, loginCookie(other.browserId)],
    "a forged browser": [challenge.token, loginCookie(random())],
    "the token in place of the browser": [challenge.token, loginCookie(challenge.token)],
    "the browser in place of the token": [challenge.browserId, own],
    "a device's token": [device.token, own],
    "another's link with this browser": [other.token, own],
    "the hash in the database": [
      db
        .prepare(`SELECT "tokenHash" FROM "LoginChallenge" WHERE "email" = ?`)
        .pluck()
        .get(owner.email) as string,
      own,
    ],
  };
  for (const [what, [token, cookie]] of Object.entries(tries)) {
    const { status, hasSession } = await byLink(token, cookie);
    expect([what, status, hasSession]).toEqual([what, "refused", false]);
  }
  await setClock(15 * MINUTE_MS);
  expect((await byLink(challenge.token, own)).status, "after a quarter of an hour").toBe("refused");
  await setClock(0);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);

  const answers = await Promise.all(Array.from({ length: 8 }, () => byLink(challenge.token, own)));
  expect(
    answers.filter(({ hasSession }) => hasSession),
    "of eight at the same time",
  ).toHaveLength(1);
  expect((await byLink(challenge.token, own)).status, "used").toBe("refused");
  expect((await byCode({ code: challenge.code }, own)).status, "its code is used with it").toBe(
    "refused",
  );
});

test("five wrong codes void a code, even in parallel; its link lasts until five more with its token", async ({
  insertFixture,
  setClock,
  hashTablesWhenIdle,
  site: { db },
}) => {
  const { owner, neighbor } = await insertFixture();
  const make = () => startChallenge(createSql(db), { email: owner.email });
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");
  const triesOf = (browserId: string) =>
    db
      .prepare(`SELECT "tries" FROM "LoginChallenge" WHERE "browserHash" = ?`)
      .pluck()
      .get(hashSecret(browserId));

  const first = make();
  const own = loginCookie(first.browserId);
  const before = await hashTablesWhenIdle();
  expect((await byCode({ code: first.code })).status, "without a browser").toBe("refused");
  expect(
    (await byCode({ code: first.code }, loginCookie(random()))).status,
    "with a forged browser",
  ).toBe("refused");
  expect((await byCode({ code: first.code, token: random() })).status, "with a forged token").toBe(
    "refused",
  );
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
  const guesses = await Promise.all(
    Array.from({ length: 24 }, () => byCode({ code: wrong(first.code) }, own)),
  );
  expect(guesses.every(({ status, hasSession }) => status === "refused" && !hasSession)).toBe(true);
  expect(triesOf(first.browserId)).toBe(5);
  expect((await byCode({ code: first.code }, own)).hasSession, "the right code as the sixth").toBe(
    false,
  );
  expect(
    (await byCode({ code: first.code, token: first.token })).hasSession,
    "whoever reads the mail, on another device",
  ).toBe(true);
  const inSameBrowser = make();
  for (let i = 0; i < 6; i++)
    await byCode({ code: wrong(inSameBrowser.code) }, loginCookie(inSameBrowser.browserId));
  expect(
    (await byLink(inSameBrowser.token, loginCookie(inSameBrowser.browserId))).hasSession,
    "whoever reads the mail, by its link",
  ).toBe(true);
  const voided = make();
  await Promise.all(
    Array.from({ length: 24 }, () => byCode({ code: wrong(voided.code), token: voided.token })),
  );
  expect(
    (await byCode({ code: voided.code, token: voided.token })).hasSession,
    "with the token, as the sixth",
  ).toBe(false);
  expect(
    (await byCode({ code: voided.code }, loginCookie(voided.browserId))).hasSession,
    "with the cookie, after five with the token",
  ).toBe(false);
  expect(
    (await byLink(voided.token, loginCookie(voided.browserId))).hasSession,
    "by link, after five codes with the token",
  ).toBe(false);

  const second = make();
  const another = startChallenge(createSql(db), { email: neighbor.email });
  expect(
    (await byCode({ code: another.code }, loginCookie(second.browserId))).hasSession,
    "another challenge's code",
  ).toBe(false);
  await setClock(15 * MINUTE_MS);
  expect(
    (await byCode({ code: second.code }, loginCookie(second.browserId))).hasSession,
    "after a quarter of an hour",
  ).toBe(false);
  await setClock(0);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => byCode({ code: second.code }, loginCookie(second.browserId))),
  );
  expect(
    answers.filter(({ hasSession }) => hasSession),
    "of eight at the same time",
  ).toHaveLength(1);
  expect((await byCode({ code: second.code, token: second.token })).hasSession, "used").toBe(false);
});

test("a sign-up needs the cookie of a verified address and works once, for 30 minutes", async ({
  insertFixture,
  hashTablesWhenIdle,
  setClock,
  site: { db },
}) => {
  const { owner } = await insertFixture();
  const email = `${random()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "")}@example.test`;
  const proven = startSignup(createSql(db), { email });
  const asked = startChallenge(createSql(db), { email });
  const taken = startSignup(createSql(db), { email: owner.email });
  const before = await hashTablesWhenIdle();
  const tries: Record<string, string | undefined> = {
    "no cookie": undefined,
    "a forged id": loginFlowCookie("signup", random()),
    "an id cut short": loginFlowCookie("signup", cut(proven.browserId)),
    "the id of a log-in": loginFlowCookie("signup", asked.browserId),
    "its id in a log-in's cookie": loginFlowCookie("login", proven.browserId),
    "no id": "__Host-signup=.Lw",
    nonsense: "__Host-signup=%00%ff",
    "an address that has become a member's": loginFlowCookie("signup", taken.browserId),
    "a name without the prefix": loginFlowCookie("signup", proven.browserId).replace("__Host-", ""),
  };
  for (const [what, cookie] of Object.entries(tries)) {
    const { status, hasSession } = await bySignup(cookie);
    expect([what, status, hasSession]).toEqual([what, "refused", false]);
  }
  await setClock(30 * MINUTE_MS);
  expect(
    (await bySignup(loginFlowCookie("signup", proven.browserId))).status,
    "after half an hour",
  ).toBe("refused");
  await setClock(0);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => bySignup(loginFlowCookie("signup", proven.browserId))),
  );
  expect(
    answers.filter(({ hasSession }) => hasSession),
    "of eight at the same time",
  ).toHaveLength(1);
  expect(db.prepare(`SELECT COUNT(*) FROM "User" WHERE "email" = ?`).pluck().get(email)).toBe(1);
  expect((await bySignup(loginFlowCookie("signup", proven.browserId))).status, "used").toBe(
    "refused",
  );
  db.prepare(`DELETE FROM "User" WHERE "email" = ?`).run(email);
});

test("a device link works once, for a minute, until a newer one; it does not count as a recent login", async ({
  insertFixture,
  hashTablesWhenIdle,
  setClock,
  site: { db },
}) => {
  const { owner } = await insertFixture();
  const voided = createDeviceLink(createSql(db), owner.id);
  const link = createDeviceLink(createSql(db), owner.id);
  const mail = startChallenge(createSql(db), { email: owner.email });
  const before = await hashTablesWhenIdle();
  for (const cookie of [undefined, owner.cookie])
    expect((await sendAttack({ path: `/login/device?token=${link.token}`, cookie })).status).toBe(
      200,
    );
  const tries = {
    "a forged token": random(),
    "a token cut short": cut(link.token),
    "one that a newer one voided": voided.token,
    "a mail's token": mail.token,
    "a browser's id": mail.browserId,
    nothing: "",
    LIKE: "%",
    long: "A".repeat(90),
  };
  for (const [what, token] of Object.entries(tries)) {
    const { status, hasSession } = await byDevice(token);
    expect([what, status, hasSession]).toEqual([what, "refused", false]);
  }
  await setClock(61_000);
  expect((await byDevice(link.token)).hasSession, "after a minute").toBe(false);
  await setClock(0);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
  const answers = await Promise.all(Array.from({ length: 8 }, () => byDevice(link.token)));
  const [winner, ...more] = answers.filter(({ hasSession }) => hasSession);
  expect(more).toEqual([]);
  const session = /^(__Host-session=[^;]+)/.exec(
    winner?.got.headers["set-cookie"]?.find((line) => line.startsWith("__Host-session=")) ?? "",
  )?.[1];
  const deletion = await act(
    "app/me/delete/actions.ts#deleteMyAccount",
    "/me/delete",
    { confirmation: "delete" },
    session,
  );
  expect([deletion.status, deletion.code]).toEqual(["refused", "unauthorized"]);
  expect(
    (
      await sendAttack({
        method: "POST",
        ...makeJsonRequest("/me/passkeys/options", {}),
        cookie: session,
      })
    ).status,
  ).toBe(401);
  expect(db.prepare(`SELECT COUNT(*) FROM "User" WHERE "id" = ?`).pluck().get(owner.id)).toBe(1);
});

test("a passkey assertion is bound to its challenge, browser, origin and key", async ({
  insertFixture,
  hashTablesWhenIdle,
  setClock,
  site: { db },
}) => {
  const { owner, neighbor } = await insertFixture();
  const key = registerPasskey(db, owner.id);
  const strange = registerPasskey(db, neighbor.id);
  const begin = (userId: string | null = null) => startCeremony(createSql(db), userId);
  const verify = (
    body: unknown,
    browser: string | undefined,
    headers: AttackRequest["headers"] = {},
  ) => {
    const request = makeJsonRequest("/login/passkey/verify", body);
    return sendAttack({
      method: "POST",
      ...request,
      headers: { ...request.headers, ...headers },
      cookie: browser && `__Host-passkey=${browser}`,
    });
  };
  const hasSession = (got: AttackResponse) =>
    (got.headers["set-cookie"] ?? []).some((line) => /^__Host-session=[^;]{20}/.test(line));

  const otherChallenge = begin().challenge;
  const wrongs: Record<string, (challenge: string) => ReturnType<typeof key.signAssertion>> = {
    "another challenge": () => key.signAssertion({ challenge: otherChallenge }),
    "an empty challenge": () => key.signAssertion({ challenge: "" }),
    "another site's page": (challenge) =>
      key.signAssertion({ challenge, origin: "https://evil.example" }),
    "a page below our domain": (challenge) =>
      key.signAssertion({ challenge, origin: "https://blog.lectern.test" }),
    "a page without https": (challenge) =>
      key.signAssertion({ challenge, origin: "http://lectern.test" }),
    "another site's key": (challenge) => key.signAssertion({ challenge, rpId: "evil.example" }),
    "an answer that adds a key": (challenge) =>
      key.signAssertion({ challenge, type: "webauthn.create" }),
    "a spoilt signature": (challenge) =>
      key.signAssertion({
        challenge,
        tamperSignature: (signature) =>
          Buffer.from(signature.map((byte, at) => (at === 20 ? byte ^ 1 : byte))),
      }),
    "half a signature": (challenge) =>
      key.signAssertion({ challenge, tamperSignature: (signature) => signature.subarray(0, 30) }),
    "a counter that went back": (challenge) => key.signAssertion({ challenge, counter: 3 }),
    "nobody present": (challenge) => key.signAssertion({ challenge, flags: 0 }),
    "another member's name": (challenge) => key.signAssertion({ challenge, userId: neighbor.id }),
    "a key that is not known": (challenge) => ({
      response: { ...key.signAssertion({ challenge }).response, id: random(), rawId: random() },
    }),
    "another's key under this one's id": (challenge) => ({
      response: {
        ...strange.signAssertion({ challenge, userId: owner.id }).response,
        id: key.id,
        rawId: key.id,
      },
    }),
  };
  for (const [what, make] of Object.entries(wrongs)) {
    const { browserId: browser, challenge } = begin();
    const got = await verify(make(challenge), browser);
    expect([what, got.status < 500 && got.status >= 400, hasSession(got)], got.text).toEqual([
      what,
      true,
      false,
    ]);
    expect(
      (await verify(key.signAssertion({ challenge }), browser)).status,
      `${what}: the attempt has cost its challenge`,
    ).toBe(409);
  }
  const { browserId: browser, challenge } = begin();
  const adding = begin(owner.id);
  const before = await hashTablesWhenIdle();
  const answer = key.signAssertion({ challenge });
  for (const [what, got] of [
    ["no browser", await verify(answer, undefined)],
    ["a forged browser", await verify(answer, random())],
    [
      "a ceremony that adds a key",
      await verify(key.signAssertion({ challenge: adding.challenge }), adding.browserId),
    ],
    [
      "another site",
      await verify(answer, browser, {
        origin: "https://evil.example",
        "sec-fetch-site": "cross-site",
      }),
    ],
  ] as const) {
    expect([what, got.status >= 400 && got.status < 500, hasSession(got)]).toEqual([
      what,
      true,
      false,
    ]);
  }
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
  const late = begin();
  await setClock(5 * MINUTE_MS);
  expect(
    (await verify(key.signAssertion({ challenge: late.challenge }), late.browserId)).status,
    "after five minutes",
  ).toBe(409);
  await setClock(0);
  const answers = await Promise.all(Array.from({ length: 8 }, () => verify(answer, browser)));
  expect(answers.filter(hasSession), "of eight at the same time").toHaveLength(1);
  expect((await verify(answer, browser)).status, "used").toBe(409);
  db.prepare(`DELETE FROM "Passkey" WHERE "id" = ?`).run(key.id);
  const gone = begin();
  expect(
    (await verify(key.signAssertion({ challenge: gone.challenge, counter: 9 }), gone.browserId))
      .status,
    "a key that was removed",
  ).toBe(401);
});

test("a passkey registration is bound to its member, browser, challenge, origin and a recent login", async ({
  insertFixture,
  setClock,
  site: { db },
}) => {
  const { owner, neighbor } = await insertFixture();
  const begin = (userId: string | null) => startCeremony(createSql(db), userId);
  const add = (body: unknown, browser: string, cookie: string | undefined) =>
    sendAttack({
      method: "POST",
      ...makeJsonRequest("/me/passkeys/verify", body),
      cookie: [cookie, `__Host-passkey=${browser}`].filter(Boolean).join("; "),
    });
  const keys = () => db.prepare(`SELECT "id", "userId" FROM "Passkey" ORDER BY "id"`).all();
  const before = keys();
  const wrongs: Record<string, () => Promise<AttackResponse>> = {
    "another challenge": async () =>
      add(makePasskeyRegistration(begin(null).challenge), begin(owner.id).browserId, owner.cookie),
    "a log-in's ceremony": async () => {
      const { browserId: browser, challenge } = begin(null);
      return add(makePasskeyRegistration(challenge), browser, owner.cookie);
    },
    "another member's ceremony": async () => {
      const { browserId: browser, challenge } = begin(neighbor.id);
      return add(makePasskeyRegistration(challenge), browser, owner.cookie);
    },
    "a forged browser": async () =>
      add(makePasskeyRegistration(begin(owner.id).challenge), random(), owner.cookie),
    nobody: async () => {
      const { browserId: browser, challenge } = begin(owner.id);
      return add(makePasskeyRegistration(challenge), browser, undefined);
    },
    "an old log-in": async () => {
      const { browserId: browser, challenge } = begin(owner.id);
      return add(makePasskeyRegistration(challenge), browser, owner.cookieOfOlderLogin);
    },
    "another site": async () => {
      const { browserId: browser, challenge } = begin(owner.id);
      return add(
        makePasskeyRegistration(challenge, { origin: "https://evil.example" }),
        browser,
        owner.cookie,
      );
    },
    "another host": async () => {
      const { browserId: browser, challenge } = begin(owner.id);
      return add(
        makePasskeyRegistration(challenge, { host: "evil.example" }),
        browser,
        owner.cookie,
      );
    },
    "a log-in's answer": async () => {
      const { browserId: browser, challenge } = begin(owner.id);
      return add(
        makePasskeyRegistration(challenge, { type: "webauthn.get" }),
        browser,
        owner.cookie,
      );
    },
    "nobody present": async () => {
      const { browserId: browser, challenge } = begin(owner.id);
      return add(makePasskeyRegistration(challenge, { flags: 0x40 }), browser, owner.cookie);
    },
    "six minutes later": async () => {
      const { browserId: browser, challenge } = begin(owner.id);
      await setClock(6 * MINUTE_MS);
      const got = await add(makePasskeyRegistration(challenge), browser, owner.cookie);
      await setClock(0);
      return got;
    },
  };
  for (const [what, attack] of Object.entries(wrongs)) {
    const { status, text } = await attack();
    expect([what, status >= 400 && status < 500], `${status} ${text}`).toEqual([what, true]);
  }
  expect(keys()).toEqual(before);
  const { browserId: browser, challenge } = begin(owner.id);
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => add(makePasskeyRegistration(challenge), browser, owner.cookie)),
  );
  expect(
    answers.filter(({ status }) => status === 200),
    "of six at the same time",
  ).toHaveLength(1);
  expect(keys()).toHaveLength(before.length + 1);
});

test("a dwell token is valid for one post, one read and one day; a reader id can't be forged", async ({
  hashTablesWhenIdle,
  setClock,
  site: { db },
}) => {
  const slug = "one-door-for-writes";
  const early = Date.now() - 60 * MINUTE_MS;
  const token = () => issueDwellToken({ slug, nowMs: early });
  const read = (given: string, cookie?: string, post = slug) =>
    sendAttack({
      method: "POST",
      ...makeJsonRequest("/reads", { token: given, slug: post }),
      cookie,
    });
  const before = await hashTablesWhenIdle();
  const good = token();
  const parts = good.split(".");
  const reader = signReaderId(createReaderId(Date.now()));
  const tries: Record<string, [string, number]> = {
    forged: [`${parts.slice(0, 3).join(".")}.${"A".repeat(43)}`, 400],
    "cut short": [good.slice(0, -1), 400],
    "with another time": [[parts[0], (early - 1).toString(36), parts[2], parts[3]].join("."), 400],
    "with another post's name": [["a-tour-of-the-code", ...parts.slice(1)].join("."), 400],
    "a reader's signature": [[...parts.slice(0, 3), reader.split(".")[1]].join("."), 400],
    "of another post": [issueDwellToken({ slug: "a-tour-of-the-code", nowMs: early }), 403],
    "of a moment ago": [issueDwellToken({ slug, nowMs: Date.now() }), 403],
    "of tomorrow": [issueDwellToken({ slug, nowMs: Date.now() + 24 * 60 * MINUTE_MS }), 403],
    "of yesterday": [issueDwellToken({ slug, nowMs: Date.now() - 24 * 60 * MINUTE_MS }), 403],
  };
  for (const [what, [given, status]] of Object.entries(tries))
    expect([what, (await read(given)).status]).toEqual([what, status]);
  await setClock(24 * 60 * MINUTE_MS);
  expect((await read(good)).status, "a day later").toBe(403);
  await setClock(0);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);

  const forgedReader = `__Host-reader=${createReaderId(Date.now())}.${"A".repeat(43)}`;
  const answers = await Promise.all(Array.from({ length: 8 }, () => read(good, forgedReader)));
  expect(answers.map(({ status }) => status).sort(), "of eight at the same time").toEqual([
    204,
    ...Array<number>(7).fill(409),
  ]);
  const stored = db
    .prepare(`SELECT "clientId" FROM "PostRead" ORDER BY "createdAt" DESC, rowid DESC LIMIT 1`)
    .pluck()
    .get() as string;
  expect(forgedReader).not.toContain(stored);
});
