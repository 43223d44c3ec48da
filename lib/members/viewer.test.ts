import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, setClock } from "#lib/core/clock.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { read, write } from "#lib/db/database.ts";
import { SESSION_DAYS } from "./cookies.ts";
import { createSession } from "./sessions.ts";
import { resolveViewer } from "./viewer.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");

/** Creates a member who logs in at NOW. */
async function logIn(firstName = "Ada") {
  setClock(NOW);
  return write(async (tx) => {
    const user = insertUser(tx, { firstName });
    const { id } = await createSession(tx, user.id);
    return { user, cookieId: id, sessionKey: hashSecret(id) };
  });
}
const memberOf = (sessionKey: string | null) =>
  read(async (tx) => (await resolveViewer(tx, { sessionKey, clientId: null })).member);

test("a session resolves to its own member and the time of the login", async () => {
  for (const [firstName, loggedInAtMs] of [
    ["Ada", NOW - HOUR_MS],
    ["Grace", NOW - DAY_MS],
  ] as const) {
    const { user, sessionKey } = await logIn(firstName);
    await write((tx) =>
      tx.session.update({
        where: { id: sessionKey },
        data: { createdAt: new Date(loggedInAtMs) },
      }),
    );
    expect(await memberOf(sessionKey)).toEqual({
      id: user.id,
      firstName,
      team: "RED",
      role: "MEMBER",
      sessionKey,
      loggedInAtMs,
    });
  }
});

test("an expired session has no member", async () => {
  const { user, sessionKey } = await logIn();
  setClock(NOW + SESSION_DAYS * DAY_MS - MINUTE_MS);
  expect(await memberOf(sessionKey)).toMatchObject({ id: user.id });
  await write((tx) => tx.session.updateMany({ data: { expirationDate: new Date(NOW + HOUR_MS) } }));
  setClock(NOW + HOUR_MS + MINUTE_MS);
  expect(await memberOf(sessionKey)).toBeNull();
  await write((tx) => tx.session.updateMany({ data: { expirationDate: new Date(0) } }));
  setClock(NOW);
  expect(await memberOf(sessionKey)).toBeNull();
});

test("a session deleted alone or with its account has no member", async () => {
  const [ada, grace] = [await logIn(), await logIn("Grace")];
  await write((tx) => tx.session.delete({ where: { id: ada.sessionKey } }));
  expect(await memberOf(ada.sessionKey)).toBeNull();
  expect(await memberOf(grace.sessionKey)).toMatchObject({ id: grace.user.id });
  await write((tx) => tx.user.delete({ where: { id: grace.user.id } }));
  expect(await memberOf(grace.sessionKey)).toBeNull();
});

test("only the hash of the cookie's ID finds a session", async () => {
  const { user, cookieId, sessionKey } = await logIn();
  for (const forged of [
    cookieId,
    user.id,
    hashSecret(sessionKey),
    sessionKey.toUpperCase(),
    sessionKey.slice(0, -1),
    "%",
    "' OR 1=1 --",
    "",
    null,
  ])
    expect(await memberOf(forged), String(forged)).toBeNull();
});

test("a write sees its own changes to the member and the session", async () => {
  const { user, sessionKey } = await logIn();
  const seen = await write(async (tx) => {
    const resolve = async () => (await resolveViewer(tx, { sessionKey, clientId: null })).member;
    await tx.user.update({ where: { id: user.id }, data: { role: "ADMIN" } });
    const promoted = await resolve();
    await tx.session.delete({ where: { id: sessionKey } });
    return { promoted, loggedOut: await resolve() };
  });
  expect(seen).toMatchObject({ promoted: { role: "ADMIN" }, loggedOut: null });
});
