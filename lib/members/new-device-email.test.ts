import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { setClock } from "#lib/core/clock.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { read, write } from "#lib/db/database.ts";
import { logInAndClaimReads } from "./log-in.ts";
import { createSession } from "./sessions.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

const newMember = () => write((tx) => insertUser(tx, { firstName: "Ada" }));
const logIn = (userId: string, agent: string, sessionKey: string | null = null) =>
  write((tx) =>
    logInAndClaimReads(tx, {
      userId,
      sessionIds: { sessionKey, clientId: null },
      request: { headers: new Headers({ "user-agent": agent }) },
    }),
  );
const listEmails = async (userId: string) =>
  (
    await read((tx) =>
      tx.delivery.findMany({
        where: { userId },
        orderBy: { id: "asc" },
        select: { payload: true },
      }),
    )
  ).map(({ payload }) => (JSON.parse(payload) as { mail: { to: string; parts: unknown[] } }).mail);

test("a login from a device that has no session tells the member, and a known one doesn't", async () => {
  setClock(Date.UTC(2026, 10, 29, 16, 45));
  const { id, email } = await newMember();
  await logIn(id, FIREFOX);
  expect(await listEmails(id)).toEqual([]);
  await logIn(id, SAFARI);
  expect(await listEmails(id)).toMatchObject([
    {
      to: email,
      subject: "New login to Lectern: Safari on iOS",
      parts: [
        "Hi Ada,",
        "A new device logged in to your account: Safari on iOS, on November 29th, 2026 at 16:45 UTC.",
        expect.any(String),
        { link: "http://localhost:3000/me" },
      ],
    },
  ]);
  await logIn(id, SAFARI);
  await logIn(id, FIREFOX);
  expect(await listEmails(id)).toHaveLength(1);
  setClock(null);
});

test("logging in again in the same browser, which replaces its session, is no new device", async () => {
  const { id } = await newMember();
  const session = await logIn(id, FIREFOX);
  await logIn(id, FIREFOX, hashSecret(session.id));
  expect(await listEmails(id)).toEqual([]);
});

test("an expired or migrated session, or one of another member, doesn't change this", async () => {
  const [ada, eve] = [await newMember(), await newMember()];
  await logIn(eve.id, FIREFOX);
  const expired = await logIn(ada.id, FIREFOX);
  await write((tx) =>
    tx.session.update({
      where: { id: hashSecret(expired.id) },
      data: { expirationDate: new Date(0) },
    }),
  );
  await logIn(ada.id, SAFARI);
  expect(await listEmails(ada.id)).toEqual([]);
  await write((tx) => createSession(tx, ada.id));
  await logIn(ada.id, FIREFOX);
  expect(await listEmails(ada.id)).toEqual([]);
});
