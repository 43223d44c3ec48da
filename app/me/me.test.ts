import { beforeEach, describe, expect, test, vi } from "vitest";
import { createVirtualAuthenticator } from "#tests/support/virtual-authenticator.ts";
import { selectRows } from "#tests/support/database.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { insertRead } from "#tests/support/factories.ts";
import { logInMember } from "#tests/support/log-in-member.ts";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { write } from "#lib/db/database.ts";
import { INITIAL_FORM_STATE } from "#lib/http/form-state.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { addPasskey } from "#lib/members/passkeys.ts";
import { createSessionHandle } from "#lib/members/sessions.ts";
import { unsealSession } from "#lib/members/cookies.ts";
import { createSession } from "#lib/members/sessions.ts";
import { POST as loginOptions } from "../login/passkey/options/route.ts";
import { POST as loginVerify } from "../login/passkey/verify/route.ts";
import { logInOnDevice } from "../login/device/actions.ts";
import {
  updateFirstName,
  revokeSession,
  revokeOtherSessions,
  logOut,
  removePasskey,
  renamePasskey,
  showDeviceCode,
} from "./actions.ts";
import { GET as data } from "./data/route.ts";
import { deleteMyAccount } from "./delete/actions.ts";
import { POST as addOptions } from "./passkeys/options/route.ts";
import { POST as addVerify } from "./passkeys/verify/route.ts";

// Next's cookies(), headers() and redirect() work only inside Next: here a jar replaces the browser.
const browser = vi.hoisted(() => ({
  jar: new Map<string, string>(),
  headers: new Headers(),
  flags: new Map<string, Record<string, unknown>>(),
}));
vi.mock("next/headers", () => ({
  headers: async () => browser.headers,
  cookies: async () => ({
    get: (name: string) =>
      browser.jar.has(name) ? { name, value: browser.jar.get(name) } : undefined,
    set: ({ name, value, ...flags }: { name: string; value: string; maxAge: number }) => {
      browser.flags.set(name, flags);
      if (flags.maxAge > 0) browser.jar.set(name, value);
      else browser.jar.delete(name);
    },
  }),
}));
vi.mock("next/cache", () => ({ refresh: () => {} }));
vi.mock("next/navigation", () => ({
  redirect: (to: string) => {
    throw Object.assign(new Error("redirect"), { redirectTo: to });
  },
}));

const ORIGIN = "http://localhost:3000";
let address = 0;
beforeEach(() => {
  address += 1; // rate limits are per process: each test is in another network
  browser.jar.clear();
  browser.headers = new Headers({
    host: "localhost:3000",
    origin: ORIGIN,
    "sec-fetch-site": "same-origin",
    "user-agent": "Mozilla/5.0 (X11; Linux x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "fly-client-ip": `198.51.${address}.1`,
  });
  overrideEnv({ TRUST_PROXY: "fly" });
  setClock(nowMs());
});

/** Logs this browser in as a new member. */
async function logIn(fields: Parameters<typeof logInMember>[0] = {}) {
  const { cookie, member, ...user } = await logInMember(fields);
  const [name = "", value = ""] = cookie.split(/=(.*)/s);
  browser.jar.set(name, value);
  return { ...user, key: member.sessionKey };
}
const forgetSession = () => browser.jar.delete("session");
const sessionKey = async () => {
  const session = await unsealSession(browser.jar.get("session"));
  return session && hashSecret(session.id);
};

type Handler = (request: Request) => Promise<Response>;
async function send(handler: Handler, body: unknown = {}, headers: Record<string, string> = {}) {
  const all = new Headers(browser.headers);
  for (const [name, value] of Object.entries({
    "content-type": "application/json",
    accept: "application/json",
    ...headers,
  }))
    all.set(name, value);
  const response = await handler(
    new Request(`${ORIGIN}/`, {
      method: "POST",
      headers: all,
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  );
  return {
    status: response.status,
    json: (await response.json()) as Record<string, unknown> & { challenge: string },
    response,
  };
}
type Action = typeof updateFirstName;
/** Returns the form's state, or where the action redirects. */
async function act(action: Action, fields: Record<string, string> = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  try {
    return { state: await action(INITIAL_FORM_STATE, form), to: null };
  } catch (error) {
    const to = (error as { redirectTo?: string }).redirectTo;
    if (to === undefined) throw error;
    return { state: null, to };
  }
}
const count = async (table: string) => (await selectRows(`SELECT 1 FROM "${table}"`)).length;

/** Adds a passkey of a new member through the handlers. The browser stays logged in. */
async function withPasskey() {
  const member = await logIn();
  const device = createVirtualAuthenticator();
  const { json } = await send(addOptions);
  expect((await send(addVerify, { response: device.register(json.challenge) })).status).toBe(200);
  return { member, device };
}

describe("a login with a passkey", () => {
  test("creates a new session, and redirects to this site only", async () => {
    const { member, device } = await withPasskey();
    forgetSession();
    const { json: options } = await send(loginOptions);
    expect(browser.flags.get("passkey")).toMatchObject({
      httpOnly: true,
      sameSite: "lax",
      path: "/",
    });
    const { status, json } = await send(loginVerify, {
      response: device.logIn(options.challenge, { userId: member.id }),
      next: "//evil.example",
    });
    expect({ status, json }).toEqual({ status: 200, json: { next: "/me" } });
    const key = (await sessionKey())!;
    expect(key).not.toBe(member.key);
    expect(await selectRows(`SELECT "userId" FROM "Session" WHERE "id" = ?`, key)).toEqual([
      { userId: member.id },
    ]);
    expect(await selectRows(`SELECT "device" FROM "SessionInfo"`)).toEqual([
      { device: "Firefox on Linux" },
    ]);
    expect(await selectRows(`SELECT "lastUsedAt" FROM "Passkey"`)).toEqual([
      { lastUsedAt: expect.any(Number) as number },
    ]);
    expect(browser.jar.has("passkey")).toBe(false);
  });

  test("replaces the browser's session", async () => {
    const { member, device } = await withPasskey();
    const { json: options } = await send(loginOptions);
    await send(loginVerify, { response: device.logIn(options.challenge) });
    expect(await selectRows(`SELECT "id" FROM "Session"`)).toEqual([{ id: await sessionKey() }]);
    expect(await sessionKey()).not.toBe(member.key);
  });

  test("is refused a second time with the same response", async () => {
    const { device } = await withPasskey();
    forgetSession();
    const { json: options } = await send(loginOptions);
    const cookie = browser.jar.get("passkey")!;
    const response = device.logIn(options.challenge);
    expect((await send(loginVerify, { response })).status).toBe(200);
    forgetSession();
    browser.jar.set("passkey", cookie);
    expect((await send(loginVerify, { response })).status).toBe(409);
    expect(await sessionKey()).toBeNull();
  });

  test("is refused without the ceremony's cookie, and for an unknown, a forged and a removed passkey", async () => {
    const { member, device } = await withPasskey();
    forgetSession();
    const before = await count("Session");
    const start = async () => (await send(loginOptions)).json.challenge;
    let challenge = await start();
    browser.jar.delete("passkey");
    expect((await send(loginVerify, { response: device.logIn(challenge) })).status).toBe(409);
    challenge = await start();
    expect(
      (await send(loginVerify, { response: createVirtualAuthenticator().logIn(challenge) })).status,
    ).toBe(401);
    challenge = await start();
    expect(
      (
        await send(loginVerify, {
          response: {
            ...createVirtualAuthenticator().logIn(challenge),
            id: device.id,
            rawId: device.id,
          },
        })
      ).status,
    ).toBe(401);
    await write((tx) => tx.passkey.deleteMany({ where: { userId: member.id } }));
    challenge = await start();
    expect((await send(loginVerify, { response: device.logIn(challenge) })).status).toBe(401);
    expect([await sessionKey(), await count("Session")]).toEqual([null, before]);
  });

  test("is rate limited per client", async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 62; i++) statuses.push((await send(loginVerify)).status);
    expect([...new Set(statuses)]).toEqual([400, 429]);
    expect(statuses.filter((status) => status === 400)).toHaveLength(60);
  });

  test("starts without a write, with the same challenge in every tab", async () => {
    const [first, second] = [await send(loginOptions), await send(loginOptions)];
    expect(second.json.challenge).toBe(first.json.challenge);
    expect(await count("PasskeyChallenge")).toBe(0);
  });
});

describe("adding a passkey", () => {
  test("stores it under the device's name, and excludes it next time", async () => {
    const { member, device } = await withPasskey();
    expect(await selectRows(`SELECT "userId", "name", "counter" FROM "Passkey"`)).toEqual([
      { userId: member.id, name: "Firefox on Linux", counter: 0 },
    ]);
    expect((await send(addOptions)).json).toMatchObject({
      excludeCredentials: [{ id: device.id }],
      user: { name: member.email },
    });
  });

  test("requires a member with a recent login", async () => {
    expect((await send(addOptions)).status).toBe(401);
    await logIn();
    const { json } = await send(addOptions);
    setClock(nowMs() + 15 * MINUTE_MS);
    expect((await send(addOptions)).json).toMatchObject({ code: "unauthorized", field: "login" });
    expect(
      (await send(addVerify, { response: createVirtualAuthenticator().register(json.challenge) }))
        .json,
    ).toMatchObject({ code: "unauthorized", field: "login" });
    forgetSession();
    expect(
      (await send(addVerify, { response: createVirtualAuthenticator().register(json.challenge) }))
        .status,
    ).toBe(401);
    expect(await count("Passkey")).toBe(0);
  });

  test("is refused with the challenge of another member or of a login, which stays valid", async () => {
    await logIn();
    const { json } = await send(addOptions);
    await logIn();
    expect(
      (await send(addVerify, { response: createVirtualAuthenticator().register(json.challenge) }))
        .status,
    ).toBe(409);
    const login = await send(loginOptions);
    expect(
      (
        await send(addVerify, {
          response: createVirtualAuthenticator().register(login.json.challenge),
        })
      ).status,
    ).toBe(409);
    expect([await count("Passkey"), await count("PasskeyChallenge")]).toEqual([0, 0]);
  });

  test("is refused for a stored passkey", async () => {
    const { device } = await withPasskey();
    await logIn();
    const { json } = await send(addOptions);
    expect((await send(addVerify, { response: device.register(json.challenge) })).status).toBe(409);
    expect(await count("Passkey")).toBe(1);
  });
});

test.each<[string, Handler]>([
  ["/login/passkey/options", loginOptions],
  ["/login/passkey/verify", loginVerify],
  ["/me/passkeys/options", addOptions],
  ["/me/passkeys/verify", addVerify],
])("%s refuses a cross-site request (CSRF)", async (_, handler) => {
  await logIn();
  expect(
    (await send(handler, {}, { "sec-fetch-site": "cross-site", origin: "https://evil.example" }))
      .status,
  ).toBe(403);
});

test.each<[string, Handler]>([
  ["/login/passkey/verify", loginVerify],
  ["/me/passkeys/verify", addVerify],
])("%s refuses malformed bodies", async (_, handler) => {
  await logIn();
  const good =
    handler === loginVerify
      ? createVirtualAuthenticator().logIn("AAAA")
      : createVirtualAuthenticator().register("AAAA");
  const bad = [
    "",
    "{",
    "null",
    "[]",
    "\ud800",
    {},
    { response: null },
    { response: { ...good, id: 5 } },
    { response: { ...good, id: "not base64url!" } },
    { response: { ...good, response: {} } },
    { response: { ...good, type: "password" } },
  ];
  for (const body of bad)
    expect((await send(handler, body)).status, JSON.stringify(body)).toBe(400);
  expect((await send(handler, { response: good }, { "content-type": "text/plain" })).status).toBe(
    400,
  );
  expect((await send(handler, { response: good, junk: "x".repeat(20_001) })).status).toBe(413);
});

describe("on /me", () => {
  test("a member changes their own first name", async () => {
    const { id } = await logIn();
    expect((await act(updateFirstName, { firstName: "  Augusta  Ada " })).state).toMatchObject({
      status: "done",
      message: "Name saved.",
    });
    expect((await act(updateFirstName, { firstName: "" })).state).toMatchObject({
      status: "refused",
      errors: { firstName: expect.any(String) as string },
    });
    expect(await selectRows(`SELECT "firstName" FROM "User" WHERE "id" = ?`, id)).toEqual([
      { firstName: "Augusta Ada" },
    ]);
  });

  test("a member revokes only their own sessions", async () => {
    const bob = await logIn();
    const ada = await logIn();
    const other = await write(async (tx) => hashSecret((await createSession(tx, ada.id)).id));
    expect(
      (await act(revokeSession, { session: createSessionHandle(bob.key) })).state,
    ).toMatchObject({
      code: "not_found",
    });
    expect((await act(revokeSession, { session: createSessionHandle(other) })).state).toMatchObject(
      {
        status: "done",
      },
    );
    await write((tx) => createSession(tx, ada.id));
    expect((await act(revokeOtherSessions)).state).toMatchObject({
      message: "Logged out of 1 other device.",
    });
    expect(
      (await selectRows<{ id: string }>(`SELECT "id" FROM "Session"`)).map(({ id }) => id).sort(),
    ).toEqual([ada.key, bob.key].sort());
  });

  test("a member renames and removes only their own passkeys", async () => {
    const { device } = await withPasskey();
    const mallory = await logIn();
    expect((await act(renamePasskey, { id: device.id, name: "Mine now" })).state).toMatchObject({
      code: "not_found",
    });
    expect((await act(removePasskey, { id: device.id })).state).toMatchObject({
      code: "not_found",
    });
    expect(await selectRows(`SELECT "name" FROM "Passkey"`)).toEqual([
      { name: "Firefox on Linux" },
    ]);
    await write((tx) =>
      addPasskey(tx, {
        id: "own",
        userId: mallory.id,
        publicKey: new Uint8Array([1]),
        counter: 0,
        transports: "",
        name: "Old",
      }),
    );
    expect((await act(renamePasskey, { id: "own", name: "New" })).state).toMatchObject({
      status: "done",
    });
    expect((await act(removePasskey, { id: "own" })).state).toMatchObject({ status: "done" });
    expect(await count("Passkey")).toBe(1);
  });

  test("a logout deletes the session and its cookie", async () => {
    await logIn();
    expect((await act(logOut)).to).toBe("/login/go?to=%2F");
    expect([await count("Session"), browser.jar.has("session")]).toEqual([0, false]);
  });

  test.each<[string, Action, Record<string, string>]>([
    ["change a name", updateFirstName, { firstName: "Eve" }],
    ["log out a device", revokeSession, { session: "x" }],
    ["log out other devices", revokeOtherSessions, {}],
    ["rename a passkey", renamePasskey, { id: "x", name: "x" }],
    ["remove a passkey", removePasskey, { id: "x" }],
    ["show a code", showDeviceCode, {}],
    ["delete an account", deleteMyAccount, { confirmation: "delete" }],
  ])("%s requires a session and a same-origin request", async (_, action, fields) => {
    await logIn();
    browser.headers.set("sec-fetch-site", "cross-site");
    expect((await act(action, fields)).state).toMatchObject({ code: "forbidden" });
    browser.headers.set("sec-fetch-site", "same-origin");
    await write((tx) => tx.session.deleteMany());
    expect((await act(action, fields)).state).toMatchObject({ code: "unauthorized" });
    forgetSession();
    expect((await act(action, fields)).state).toMatchObject({ code: "unauthorized" });
    expect([await count("User"), await count("DeviceLink")]).toEqual([1, 0]);
  });
});

describe("a device link", () => {
  test("is kept in a cookie, logs in once, and does not count as a recent login", async () => {
    const ada = await logIn();
    expect((await act(showDeviceCode)).to).toBe("/me/device");
    const token = browser.jar.get("device-code")!;
    expect(browser.flags.get("device-code")).toMatchObject({
      httpOnly: true,
      sameSite: "lax",
      maxAge: 60,
    });
    browser.jar.clear();
    expect((await act(logInOnDevice, { token })).to).toBe("/me");
    const key = await sessionKey();
    expect(await selectRows(`SELECT "userId" FROM "Session" WHERE "id" = ?`, key)).toEqual([
      { userId: ada.id },
    ]);
    expect((await act(deleteMyAccount, { confirmation: "delete" })).state).toMatchObject({
      code: "unauthorized",
    });
    expect((await send(addOptions)).json).toMatchObject({ field: "login" });
    browser.jar.clear();
    const second = await act(logInOnDevice, { token });
    expect(second.state).toMatchObject({ code: "conflict" });
    expect(JSON.stringify(second.state)).not.toContain(token);
    expect(await sessionKey()).toBeNull();
  });

  test("does not log in if it is forged or has expired", async () => {
    const ada = await logIn();
    const { token } = await write((tx) => createDeviceLink(tx, ada.id));
    browser.jar.clear();
    for (const forged of ["", "x".repeat(22), "x".repeat(101)])
      expect((await act(logInOnDevice, { token: forged })).state).toMatchObject({
        status: "refused",
      });
    setClock(nowMs() + MINUTE_MS);
    expect((await act(logInOnDevice, { token })).state).toMatchObject({ code: "conflict" });
    expect([await sessionKey(), await count("Session")]).toEqual([null, 1]);
  });
});

describe("deleting an account", () => {
  test("requires the word, then deletes the member and logs out", async () => {
    const bob = await logIn();
    await logIn({ firstName: "Ada" });
    await write((tx) => insertRead(tx, { userId: bob.id, clientId: null }));
    expect((await act(deleteMyAccount, { confirmation: "yes" })).state).toMatchObject({
      status: "refused",
      errors: { confirmation: expect.any(String) as string },
    });
    expect(await count("User")).toBe(2);
    expect((await act(deleteMyAccount, { confirmation: "ada" })).to).toBe("/goodbye");
    expect([
      await selectRows(`SELECT "id" FROM "User"`),
      await count("PostRead"),
      browser.jar.has("session"),
    ]).toEqual([[{ id: bob.id }], 1, false]);
  });

  test("is refused without a recent login, and to the last admin", async () => {
    await logIn({ role: "ADMIN" });
    expect((await act(deleteMyAccount, { confirmation: "delete" })).state).toMatchObject({
      code: "conflict",
    });
    setClock(nowMs() + 15 * MINUTE_MS);
    expect((await act(deleteMyAccount, { confirmation: "delete" })).state).toMatchObject({
      code: "unauthorized",
      errors: { login: expect.any(String) as string },
    });
    expect(await count("User")).toBe(1);
  });
});

describe("a data export", () => {
  const get = (headers: Record<string, string> = {}) =>
    data(new Request(`${ORIGIN}/me/data`, { headers }));

  test("is an uncached file of the member's own data", async () => {
    await logIn({ firstName: "Bob", email: "bob@example.test" });
    await logIn({ firstName: "Ada", email: "ada@example.test" });
    const response = await get();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "cache-control": "private, no-store",
      "content-type": "application/json; charset=utf-8",
      "content-disposition": expect.stringMatching(
        /^attachment; filename="my-data-[\d-]+\.json"$/,
      ) as string,
    });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ user: { email: "ada@example.test" } });
    expect(text).not.toContain("bob@example.test");
  });

  test("requires a session", async () => {
    await logIn();
    await write((tx) => tx.session.deleteMany());
    expect((await get()).status).toBe(401);
    forgetSession();
    expect((await get({ accept: "application/json" })).status).toBe(401);
  });

  test("stops reading when it is canceled", async () => {
    await logIn();
    const { body } = await get();
    const reader = body!.getReader();
    await reader.read();
    await reader.cancel();
    await expect(reader.read()).resolves.toEqual({ done: true, value: undefined });
  });

  test("runs once per member and twice in all at the same time", async () => {
    await logIn({ firstName: "Ada", email: "ada@example.test" });
    const first = await get();
    const second = await get();
    expect([second.status, second.headers.get("retry-after"), await second.text()]).toEqual([
      429,
      "60",
      expect.stringMatching(/^Your download is already running\./),
    ]);
    await first.text();
    const retry = await get();
    expect(retry.status).toBe(200);
    await logIn({ firstName: "Bob", email: "bob@example.test" });
    const bobs = await get();
    expect(bobs.status).toBe(200);
    await logIn({ firstName: "Eve", email: "eve@example.test" });
    const third = await get();
    expect([third.status, third.headers.get("retry-after"), await third.text()]).toEqual([
      429,
      "60",
      expect.stringMatching(/^Too many downloads/),
    ]);
    await retry.body!.cancel();
    const eves = await get();
    expect(eves.status).toBe(200);
    await Promise.all([bobs, eves].map(({ body }) => body!.cancel()));
  });

  test("takes no slot for HEAD, whose body no one reads", async () => {
    await logIn();
    const head = await data(new Request(`${ORIGIN}/me/data`, { method: "HEAD" }));
    expect([head.status, head.body]).toEqual([200, null]);
    const response = await get();
    expect(response.status).toBe(200);
    await response.body!.cancel();
  });

  test("ends after a minute if the client reads nothing, and releases its slot", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      await logIn();
      const { body } = await get();
      const reader = body!.getReader();
      await reader.read();
      expect((await get()).status).toBe(429);
      vi.advanceTimersByTime(MINUTE_MS);
      await expect(reader.read()).rejects.toThrow(/read nothing/);
      const retry = await get();
      expect(retry.status).toBe(200);
      await retry.body!.cancel();
    } finally {
      vi.useRealTimers();
    }
  });
});
