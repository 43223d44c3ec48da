import { sealData } from "iron-session";
import { afterEach, beforeEach, expect, test } from "vitest";
import { execute, selectRows } from "#tests/support/database.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { insertUser } from "#tests/support/factories.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { read, write } from "#lib/db/database.ts";
import { renewSession } from "#lib/members/renew-session.ts";
import { unsealSession, sealSessionCookie } from "#lib/members/cookies.ts";
import { createSession } from "#lib/members/sessions.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");

beforeEach(() => setClock(NOW));
afterEach(() => overrideEnv({ REPLICATION: undefined, SESSION_RENEW_DAYS: undefined }));

/** Creates a session now, row and cookie. */
async function begin(): Promise<{ id: string; cookie: string }> {
  const session = await write((tx) => createSession(tx, insertUser(tx).id));
  return { id: session.id, cookie: (await sealSessionCookie(session)).value };
}
const expiry = (id: string) =>
  read(async (tx) => {
    const session = await tx.session.findUnique({ where: { id: hashSecret(id) } });
    return session?.expirationDate.getTime() ?? null;
  });
const pass = (days: number, more = 0) => setClock(NOW + days * DAY_MS + more);

test("a session with half a year left is renewed, row and cookie", async () => {
  const { id, cookie } = await begin();
  pass(185, MINUTE_MS);
  const renewed = await renewSession(cookie);
  expect(renewed).toMatchObject({
    name: "session",
    httpOnly: true,
    sameSite: "lax",
    path: "/",
    maxAge: 365 * 86_400,
  });
  expect(await expiry(id)).toBeGreaterThanOrEqual(NOW + (185 + 365) * DAY_MS);
  expect(await unsealSession(renewed?.value)).toMatchObject({ id });
  expect((await unsealSession(renewed?.value))?.sealedAtMs).toBeGreaterThanOrEqual(
    NOW + 185 * DAY_MS,
  );
  // The new cookie needs no renewal.
  pass(186);
  expect(await renewSession(renewed?.value)).toBeNull();
});

test("a renewed cookie keeps the header's link to the admin pages", async () => {
  const session = await write((tx) => createSession(tx, insertUser(tx).id));
  const { value } = await sealSessionCookie({ ...session, isAdmin: true });
  pass(185, MINUTE_MS);
  const renewed = await renewSession(value);
  expect(await unsealSession(renewed?.value)).toMatchObject({ id: session.id, isAdmin: true });
});

test("a migrated session that expires soon is renewed, however new its cookie is", async () => {
  const { id } = await begin();
  await write((tx) =>
    tx.session.updateMany({ data: { expirationDate: new Date(NOW + 10 * DAY_MS) } }),
  );
  const { value } = await sealSessionCookie({ id, expiresAtMs: NOW + 10 * DAY_MS });
  const seal = await unsealSession((await renewSession(value))?.value);
  expect(await expiry(id)).toBeGreaterThanOrEqual(NOW + 365 * DAY_MS);
  expect(seal).toMatchObject({ id, untilMs: await expiry(id) });
});

test("a cookie that shows no renewal is due saves the query; an older cookie does not", async () => {
  const { id, cookie } = await begin();
  await write((tx) =>
    tx.session.updateMany({ data: { expirationDate: new Date(NOW + 10 * DAY_MS) } }),
  );
  expect(await renewSession(cookie)).toBeNull();
  const older = await sealData({ id, sealedAtMs: NOW }, { password: process.env.SESSION_SECRET! });
  expect(await renewSession(older)).not.toBeNull();
});

test("a session is not renewed earlier, and nothing is written", async () => {
  const { id, cookie } = await begin();
  for (const days of [0, 1, 100, 184.99]) {
    pass(days);
    expect(await renewSession(cookie)).toBeNull();
  }
  expect(await expiry(id)).toBeLessThan(NOW + 366 * DAY_MS);
});

test("SESSION_RENEW_DAYS sets when a renewal is due", async () => {
  const { cookie } = await begin();
  overrideEnv({ SESSION_RENEW_DAYS: "364" });
  expect(await renewSession(cookie)).toBeNull();
  pass(2);
  expect(await renewSession(cookie)).not.toBeNull();
  const { cookie: other } = await begin();
  overrideEnv({ SESSION_RENEW_DAYS: "1" });
  setClock(NOW + (2 + 363.9) * DAY_MS);
  expect(await renewSession(other)).toBeNull();
  setClock(NOW + (2 + 364.1) * DAY_MS);
  expect(await renewSession(other)).not.toBeNull();
});

test("only one of ten concurrent requests renews the row and gets the cookie", async () => {
  const { id, cookie } = await begin();
  await execute(`CREATE TABLE "Renewals" ("at" INTEGER)`);
  await execute(
    `CREATE TRIGGER "renewed" AFTER UPDATE ON "Session" BEGIN INSERT INTO "Renewals" VALUES (NEW."expirationDate"); END`,
  );
  pass(200);
  const cookies = await Promise.all(Array.from({ length: 10 }, () => renewSession(cookie)));
  expect(cookies.filter((each) => each !== null)).toHaveLength(1);
  expect(await selectRows(`SELECT * FROM "Renewals"`)).toHaveLength(1);
  expect(await expiry(id)).toBeGreaterThanOrEqual(NOW + 565 * DAY_MS);
  // Later requests with the old cookie find the session already renewed.
  pass(200, 50 * SECOND_MS);
  expect(await renewSession(cookie)).toBeNull();
});

test("a lost cookie is sent again after a minute, and the row stays", async () => {
  const { id, cookie } = await begin();
  pass(200);
  await renewSession(cookie);
  const renewedTo = await expiry(id);
  pass(200, 2 * MINUTE_MS);
  const resent = await renewSession(cookie);
  expect(await unsealSession(resent?.value)).toMatchObject({ id });
  expect(await expiry(id)).toBe(renewedTo);
});

test("an expired session is not renewed", async () => {
  const { id, cookie } = await begin();
  pass(365, MINUTE_MS);
  expect(await renewSession(cookie)).toBeNull();
  expect(await expiry(id)).toBeLessThan(nowMs());
  pass(200);
  await write((tx) => tx.session.deleteMany());
  expect(await renewSession(cookie)).toBeNull();
  expect(await expiry(id)).toBeNull();
});

test("a renewal affects one session of the member", async () => {
  const { id, cookie } = await begin();
  const other = await write(async (tx) =>
    createSession(tx, (await tx.session.findFirstOrThrow()).userId),
  );
  pass(200);
  await renewSession(cookie);
  expect(await expiry(id)).toBeGreaterThan(NOW + 560 * DAY_MS);
  expect(await expiry(other.id)).toBeLessThan(NOW + 366 * DAY_MS);
});

test("a forged, foreign or missing cookie renews nothing", async () => {
  const { id, cookie } = await begin();
  pass(200);
  const other = await sealData(
    { id, sealedAtMs: NOW },
    { password: "another secret, another secret, another one" },
  );
  const changed = (at: number) =>
    cookie.slice(0, at) + (cookie[at] === "A" ? "B" : "A") + cookie.slice(at + 1);
  const strange = await sealData(
    { id: 7, sealedAtMs: "now" },
    { password: process.env.SESSION_SECRET! },
  );
  for (const forged of [
    undefined,
    "",
    "x",
    id,
    hashSecret(id),
    other,
    strange,
    changed(20),
    changed(120),
    changed(200),
    changed(240),
    cookie.replace("Fe26.2", "Fe26.1"),
    "Fe26.2".padEnd(8_000, "*"),
  ]) {
    expect(await renewSession(forged), forged?.slice(0, 40)).toBeNull();
  }
  expect(await expiry(id)).toBeLessThan(NOW + 366 * DAY_MS);
});

test("without a primary the renewal is refused and the session continues", async () => {
  const { id, cookie } = await begin();
  pass(200);
  const before = await expiry(id);
  overrideEnv({ REPLICATION: "on" });
  const error = await renewSession(cookie).catch((each: unknown) => each);
  expect(isAppError(error, "unavailable")).toBe(true);
  expect(await expiry(id)).toBe(before);
  overrideEnv({ REPLICATION: undefined });
  expect(await renewSession(cookie)).not.toBeNull();
});

test("a session that is not due needs no primary", async () => {
  const { cookie } = await begin();
  overrideEnv({ REPLICATION: "on" });
  expect(await renewSession(cookie)).toBeNull();
});
