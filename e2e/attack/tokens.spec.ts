// Attacks every login token: forged, truncated, expired, reused, from another browser, or made for
// another purpose.

import { randomBytes, randomUUID } from "node:crypto";
import { hashSecret } from "#lib/core/secret.ts";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { startChallenge } from "#lib/members/login-challenge.ts";
import { startCeremony } from "#lib/members/webauthn-challenge.ts";
import { startSignup } from "#lib/members/sign-up.ts";
import { signConfirmationToken, signUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { createReaderId, signReaderId } from "#lib/reading/reader-id.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import { insertSubscriber, loginFlowCookie } from "#tests/support/attack/action-cases.ts";
import { registerPasskey, makePasskeyRegistration } from "#tests/support/attack/attack-passkey.ts";
import {
  type ActionResult,
  type Fields,
  makeSameOriginAction,
  parseActionResult,
} from "#tests/support/attack/server-action-request.ts";
import { listChangedTables, expect, test } from "#tests/support/attack/fixtures.ts";
import { makeJsonRequest } from "#tests/support/attack/handler-cases.ts";
import {
  type AttackRequest,
  type AttackResponse,
  sendAttack,
} from "#tests/support/attack/attack-client.ts";
import { writeTo } from "#tests/support/write-to.ts";

const random = () => randomBytes(16).toString("base64url");
const truncate = (token: string) => token.slice(0, -1);

async function act(
  name: string,
  page: string,
  fields: Fields,
  cookie?: string,
): Promise<ActionResult & { readonly response: AttackResponse; readonly hasSession: boolean }> {
  const response = await sendAttack({
    ...makeSameOriginAction("call", name, page, fields),
    cookie,
  });
  expect(response.status, `${name}: ${response.text.slice(0, 200)}`).toBeLessThan(500);
  return {
    ...parseActionResult(response),
    response,
    hasSession: (response.headers["set-cookie"] ?? []).some((line) =>
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
  const challenge = await writeTo(db.name, (tx) => startChallenge(tx, { email: owner.email }));
  const other = await writeTo(db.name, (tx) => startChallenge(tx, { email: neighbor.email }));
  const device = await writeTo(db.name, (tx) => createDeviceLink(tx, owner.id));
  const ownCookie = loginCookie(challenge.browserId);
  const before = await hashTablesWhenIdle();
  for (const cookie of [undefined, ownCookie]) {
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
    "a forged token": [random(), ownCookie],
    "a truncated token": [truncate(challenge.token), ownCookie],
    "a longer token": [`${challenge.token}A`, ownCookie],
    "no cookie": [challenge.token, undefined],
    "another browser": [challenge.token, loginCookie(other.browserId)],
    "a forged browser": [challenge.token, loginCookie(random())],
    "the token as browser id": [challenge.token, loginCookie(challenge.token)],
    "the browser id as token": [challenge.browserId, ownCookie],
    "a device link": [device.token, ownCookie],
    "another link with this browser": [other.token, ownCookie],
    "the hash in the database": [
      db
        .prepare(`SELECT "tokenHash" FROM "LoginChallenge" WHERE "email" = ?`)
        .pluck()
        .get(owner.email) as string,
      ownCookie,
    ],
  };
  for (const [what, [token, cookie]] of Object.entries(tries)) {
    const { status, hasSession } = await byLink(token, cookie);
    expect([what, status, hasSession]).toEqual([what, "refused", false]);
  }
  await setClock(15 * MINUTE_MS);
  expect((await byLink(challenge.token, ownCookie)).status, "after 15 minutes").toBe("refused");
  await setClock(0);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);

  const answers = await Promise.all(
    Array.from({ length: 8 }, () => byLink(challenge.token, ownCookie)),
  );
  expect(
    answers.filter(({ hasSession }) => hasSession),
    "of eight in parallel",
  ).toHaveLength(1);
  expect((await byLink(challenge.token, ownCookie)).status, "used").toBe("refused");
  expect((await byCode({ code: challenge.code }, ownCookie)).status, "its code is void, too").toBe(
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
  const make = () => writeTo(db.name, (tx) => startChallenge(tx, { email: owner.email }));
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");
  const triesOf = (browserId: string) =>
    db
      .prepare(`SELECT "tries" FROM "LoginChallenge" WHERE "browserHash" = ?`)
      .pluck()
      .get(hashSecret(browserId));

  const first = await make();
  const ownCookie = loginCookie(first.browserId);
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
    Array.from({ length: 24 }, () => byCode({ code: wrong(first.code) }, ownCookie)),
  );
  expect(guesses.every(({ status, hasSession }) => status === "refused" && !hasSession)).toBe(true);
  expect(triesOf(first.browserId)).toBe(5);
  expect(
    (await byCode({ code: first.code }, ownCookie)).hasSession,
    "the right code as the sixth",
  ).toBe(false);
  expect(
    (await byCode({ code: first.code, token: first.token })).hasSession,
    "the right code with the email's token, on another device",
  ).toBe(true);
  const inSameBrowser = await make();
  for (let i = 0; i < 6; i++)
    await byCode({ code: wrong(inSameBrowser.code) }, loginCookie(inSameBrowser.browserId));
  expect(
    (await byLink(inSameBrowser.token, loginCookie(inSameBrowser.browserId))).hasSession,
    "the email's link after five wrong codes",
  ).toBe(true);
  const voided = await make();
  await Promise.all(
    Array.from({ length: 24 }, () => byCode({ code: wrong(voided.code), token: voided.token })),
  );
  expect(
    (await byCode({ code: voided.code, token: voided.token })).hasSession,
    "the right code with the token, as the sixth",
  ).toBe(false);
  expect(
    (await byCode({ code: voided.code }, loginCookie(voided.browserId))).hasSession,
    "the right code with the cookie, after five with the token",
  ).toBe(false);
  expect(
    (await byLink(voided.token, loginCookie(voided.browserId))).hasSession,
    "the link, after five codes with the token",
  ).toBe(false);

  const second = await make();
  const another = await writeTo(db.name, (tx) => startChallenge(tx, { email: neighbor.email }));
  expect(
    (await byCode({ code: another.code }, loginCookie(second.browserId))).hasSession,
    "another challenge's code",
  ).toBe(false);
  await setClock(15 * MINUTE_MS);
  expect(
    (await byCode({ code: second.code }, loginCookie(second.browserId))).hasSession,
    "after 15 minutes",
  ).toBe(false);
  await setClock(0);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => byCode({ code: second.code }, loginCookie(second.browserId))),
  );
  expect(
    answers.filter(({ hasSession }) => hasSession),
    "of eight in parallel",
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
  const proven = await writeTo(db.name, (tx) => startSignup(tx, { email }));
  const login = await writeTo(db.name, (tx) => startChallenge(tx, { email }));
  const taken = await writeTo(db.name, (tx) => startSignup(tx, { email: owner.email }));
  const before = await hashTablesWhenIdle();
  const tries: Record<string, string | undefined> = {
    "no cookie": undefined,
    "a forged id": loginFlowCookie("signup", random()),
    "a truncated id": loginFlowCookie("signup", truncate(proven.browserId)),
    "the id of a login": loginFlowCookie("signup", login.browserId),
    "its id in a login cookie": loginFlowCookie("login", proven.browserId),
    "no id": "__Host-signup=.Lw",
    nonsense: "__Host-signup=%00%ff",
    "an address that belongs to a member": loginFlowCookie("signup", taken.browserId),
    "a name without the prefix": loginFlowCookie("signup", proven.browserId).replace("__Host-", ""),
  };
  for (const [what, cookie] of Object.entries(tries)) {
    const { status, hasSession } = await bySignup(cookie);
    expect([what, status, hasSession]).toEqual([what, "refused", false]);
  }
  await setClock(30 * MINUTE_MS);
  expect(
    (await bySignup(loginFlowCookie("signup", proven.browserId))).status,
    "after 30 minutes",
  ).toBe("refused");
  await setClock(0);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => bySignup(loginFlowCookie("signup", proven.browserId))),
  );
  expect(
    answers.filter(({ hasSession }) => hasSession),
    "of eight in parallel",
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
  const voided = await writeTo(db.name, (tx) => createDeviceLink(tx, owner.id));
  const link = await writeTo(db.name, (tx) => createDeviceLink(tx, owner.id));
  const login = await writeTo(db.name, (tx) => startChallenge(tx, { email: owner.email }));
  const before = await hashTablesWhenIdle();
  for (const cookie of [undefined, owner.cookie])
    expect((await sendAttack({ path: `/login/device?token=${link.token}`, cookie })).status).toBe(
      200,
    );
  const tries = {
    "a forged token": random(),
    "a truncated token": truncate(link.token),
    "a link voided by a newer one": voided.token,
    "a token of a login email": login.token,
    "a browser's id": login.browserId,
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
    winner?.response.headers["set-cookie"]?.find((line) => line.startsWith("__Host-session=")) ??
      "",
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
  const otherKey = registerPasskey(db, neighbor.id);
  const begin = (userId: string | null = null) => startCeremony(userId);
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
  const hasSession = (response: AttackResponse) =>
    (response.headers["set-cookie"] ?? []).some((line) => /^__Host-session=[^;]{20}/.test(line));

  const otherChallenge = begin().challenge;
  const wrongs: Record<string, (challenge: string) => ReturnType<typeof key.signAssertion>> = {
    "another challenge": () => key.signAssertion({ challenge: otherChallenge }),
    "an empty challenge": () => key.signAssertion({ challenge: "" }),
    "another origin": (challenge) =>
      key.signAssertion({ challenge, origin: "https://evil.example" }),
    "a subdomain": (challenge) =>
      key.signAssertion({ challenge, origin: "https://blog.lectern.test" }),
    http: (challenge) => key.signAssertion({ challenge, origin: "http://lectern.test" }),
    "another relying party": (challenge) => key.signAssertion({ challenge, rpId: "evil.example" }),
    "a registration": (challenge) => key.signAssertion({ challenge, type: "webauthn.create" }),
    "a changed signature": (challenge) =>
      key.signAssertion({
        challenge,
        tamperSignature: (signature) =>
          Buffer.from(signature.map((byte, at) => (at === 20 ? byte ^ 1 : byte))),
      }),
    "half a signature": (challenge) =>
      key.signAssertion({ challenge, tamperSignature: (signature) => signature.subarray(0, 30) }),
    "a counter that decreased": (challenge) => key.signAssertion({ challenge, counter: 3 }),
    "no user present": (challenge) => key.signAssertion({ challenge, flags: 0 }),
    "another member's user handle": (challenge) =>
      key.signAssertion({ challenge, userId: neighbor.id }),
    "an unknown key": (challenge) => ({
      response: { ...key.signAssertion({ challenge }).response, id: random(), rawId: random() },
    }),
    "another key under this id": (challenge) => ({
      response: {
        ...otherKey.signAssertion({ challenge, userId: owner.id }).response,
        id: key.id,
        rawId: key.id,
      },
    }),
  };
  for (const [what, make] of Object.entries(wrongs)) {
    const { cookie: browser, challenge } = begin();
    const response = await verify(make(challenge), browser);
    expect(
      [what, response.status < 500 && response.status >= 400, hasSession(response)],
      response.text,
    ).toEqual([what, true, false]);
    expect(
      (await verify(key.signAssertion({ challenge }), browser)).status,
      `${what}: the attempt has cost its challenge`,
    ).toBe(409);
  }
  const { cookie: browser, challenge } = begin();
  const adding = begin(owner.id);
  const before = await hashTablesWhenIdle();
  const answer = key.signAssertion({ challenge });
  for (const [what, response] of [
    ["no cookie", await verify(answer, undefined)],
    ["a forged browser", await verify(answer, random())],
    [
      "a ceremony that adds a key",
      await verify(key.signAssertion({ challenge: adding.challenge }), adding.cookie),
    ],
    [
      "another site",
      await verify(answer, browser, {
        origin: "https://evil.example",
        "sec-fetch-site": "cross-site",
      }),
    ],
  ] as const) {
    expect([what, response.status >= 400 && response.status < 500, hasSession(response)]).toEqual([
      what,
      true,
      false,
    ]);
  }
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
  const late = begin();
  await setClock(5 * MINUTE_MS);
  expect(
    (await verify(key.signAssertion({ challenge: late.challenge }), late.cookie)).status,
    "after five minutes",
  ).toBe(409);
  await setClock(0);
  const answers = await Promise.all(Array.from({ length: 8 }, () => verify(answer, browser)));
  expect(answers.filter(hasSession), "of eight in parallel").toHaveLength(1);
  expect((await verify(answer, browser)).status, "used").toBe(409);
  db.prepare(`DELETE FROM "Passkey" WHERE "id" = ?`).run(key.id);
  const gone = begin();
  expect(
    (await verify(key.signAssertion({ challenge: gone.challenge, counter: 9 }), gone.cookie))
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
  const begin = (userId: string | null) => startCeremony(userId);
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
      add(makePasskeyRegistration(begin(null).challenge), begin(owner.id).cookie, owner.cookie),
    "a login ceremony": async () => {
      const { cookie: browser, challenge } = begin(null);
      return add(makePasskeyRegistration(challenge), browser, owner.cookie);
    },
    "another member's ceremony": async () => {
      const { cookie: browser, challenge } = begin(neighbor.id);
      return add(makePasskeyRegistration(challenge), browser, owner.cookie);
    },
    "a forged browser": async () =>
      add(makePasskeyRegistration(begin(owner.id).challenge), random(), owner.cookie),
    anonymous: async () => {
      const { cookie: browser, challenge } = begin(owner.id);
      return add(makePasskeyRegistration(challenge), browser, undefined);
    },
    "an old login": async () => {
      const { cookie: browser, challenge } = begin(owner.id);
      return add(makePasskeyRegistration(challenge), browser, owner.cookieOfOlderLogin);
    },
    "another site": async () => {
      const { cookie: browser, challenge } = begin(owner.id);
      return add(
        makePasskeyRegistration(challenge, { origin: "https://evil.example" }),
        browser,
        owner.cookie,
      );
    },
    "another relying party": async () => {
      const { cookie: browser, challenge } = begin(owner.id);
      return add(
        makePasskeyRegistration(challenge, { host: "evil.example" }),
        browser,
        owner.cookie,
      );
    },
    "an assertion": async () => {
      const { cookie: browser, challenge } = begin(owner.id);
      return add(
        makePasskeyRegistration(challenge, { type: "webauthn.get" }),
        browser,
        owner.cookie,
      );
    },
    "no user present": async () => {
      const { cookie: browser, challenge } = begin(owner.id);
      return add(makePasskeyRegistration(challenge, { flags: 0x40 }), browser, owner.cookie);
    },
    "six minutes later": async () => {
      const { cookie: browser, challenge } = begin(owner.id);
      await setClock(6 * MINUTE_MS);
      const response = await add(makePasskeyRegistration(challenge), browser, owner.cookie);
      await setClock(0);
      return response;
    },
  };
  for (const [what, attack] of Object.entries(wrongs)) {
    const { status, text } = await attack();
    expect([what, status >= 400 && status < 500], `${status} ${text}`).toEqual([what, true]);
  }
  expect(keys()).toEqual(before);
  const { cookie: browser, challenge } = begin(owner.id);
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => add(makePasskeyRegistration(challenge), browser, owner.cookie)),
  );
  expect(
    answers.filter(({ status }) => status === 200),
    "of six in parallel",
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
  const issueToken = () => issueDwellToken({ slug, nowMs: early });
  const read = (token: string, cookie?: string, post = slug) =>
    sendAttack({
      method: "POST",
      ...makeJsonRequest("/reads", { token, slug: post }),
      cookie,
    });
  const before = await hashTablesWhenIdle();
  const good = issueToken();
  const parts = good.split(".");
  const reader = signReaderId(createReaderId(Date.now()));
  const tries: Record<string, [string, number]> = {
    forged: [`${parts.slice(0, 3).join(".")}.${"A".repeat(43)}`, 400],
    truncated: [good.slice(0, -1), 400],
    "with another time": [[parts[0], (early - 1).toString(36), parts[2], parts[3]].join("."), 400],
    "with another post's name": [["a-tour-of-the-code", ...parts.slice(1)].join("."), 400],
    "a reader's signature": [[...parts.slice(0, 3), reader.split(".")[1]].join("."), 400],
    "for another post": [issueDwellToken({ slug: "a-tour-of-the-code", nowMs: early }), 403],
    "just issued": [issueDwellToken({ slug, nowMs: Date.now() }), 403],
    "from the future": [issueDwellToken({ slug, nowMs: Date.now() + 24 * 60 * MINUTE_MS }), 403],
    expired: [issueDwellToken({ slug, nowMs: Date.now() - 24 * 60 * MINUTE_MS }), 403],
  };
  for (const [what, [token, status]] of Object.entries(tries))
    expect([what, (await read(token)).status]).toEqual([what, status]);
  await setClock(24 * 60 * MINUTE_MS);
  expect((await read(good)).status, "a day later").toBe(403);
  await setClock(0);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);

  const forgedReader = `__Host-reader=${createReaderId(Date.now())}.${"A".repeat(43)}`;
  const answers = await Promise.all(Array.from({ length: 8 }, () => read(good, forgedReader)));
  expect(answers.map(({ status }) => status).sort(), "of eight in parallel").toEqual([
    204,
    ...Array<number>(7).fill(409),
  ]);
  const stored = db
    .prepare(`SELECT "clientId" FROM "PostRead" ORDER BY "createdAt" DESC, rowid DESC LIMIT 1`)
    .pluck()
    .get() as string;
  expect(forgedReader).not.toContain(stored);
});

test("subscribing and unsubscribing in turn sends ten emails a day, by a link or as a member", async ({
  insertFixture,
  site: { db, server },
}) => {
  const { owner } = await insertFixture();
  const email = `${randomUUID()}@example.test`;
  const token = signConfirmationToken(email);
  const confirm = () =>
    act("app/subscribe/actions.ts#confirmSubscription", "/subscribe/confirm", { token });
  const unsubscribe = async () =>
    act("app/unsubscribe/actions.ts#unsubscribe", "/unsubscribe", {
      token: signUnsubscribeToken(await insertSubscriber(db.name, email)),
    });
  const change = (isGranted: string) =>
    act(
      "app/me/actions.ts#changeConsent",
      "/me",
      { purpose: "NEWSLETTER", isGranted },
      owner.cookie,
    );
  const countEmails = (to: string) =>
    server.smtp.emails.filter((sent) => sent.to.includes(to)).length;
  for (let i = 1; i <= 10; i++) {
    expect((await confirm()).status).toBe("redirect");
    // Unsubscribing deletes an email that has not been sent yet.
    await expect.poll(() => countEmails(email)).toBe(i);
    await unsubscribe();
    expect((await change("yes")).status).toBe("done");
    await expect.poll(() => countEmails(owner.email)).toBe(i);
    await change("no");
  }
  expect((await confirm()).code).toBe("rate_limited");
  expect((await change("yes")).code).toBe("rate_limited");
  expect((await change("no")).status).toBe("done");
  expect([countEmails(email), countEmails(owner.email)]).toEqual([10, 10]);
});
