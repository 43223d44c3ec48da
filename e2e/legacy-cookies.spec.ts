// Members and readers who come with the cookies of the site before, which the build knows nothing of (decision 024).

import { randomUUID } from "node:crypto";
import type { BrowserContext, Page } from "@playwright/test";
import type Database from "better-sqlite3";
import { hashSecret } from "#lib/core/secret.ts";
import { createSql } from "#lib/db/connection.ts";
import { insertUser } from "#tests/support/factories.ts";
import { createLegacyCookie, createLegacyExpressCookie } from "#tests/support/legacy-cookie.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { IS_CLUSTER, LEGACY_SITE_ENV, PORT } from "#tests/support/e2e/site-under-test.ts";

const ORIGIN = `http://localhost:${PORT}`;
const DAY_MS = 86_400_000;
const SECRET = LEGACY_SITE_ENV.LEGACY_COOKIE_SECRET.split(",")[1]!;
const SESSION = "former_session";
const CLIENT = LEGACY_SITE_ENV.LEGACY_CLIENT_COOKIE;

interface MovedIn {
  readonly userId: string;
  readonly id: string;
  /** The cookie's value as the browser has it. */
  readonly value: string;
  readonly header: string;
  readonly expiresAtMs: () => number | undefined;
}

const encodedSession = (id: string, secret: string = SECRET) =>
  encodeURIComponent(createLegacyCookie({ sessionId: id }, secret));

/** A member whose session, begun `ageDays` ago, moved in, and the cookie that the site before gave them. */
function movedIn(db: Database.Database, firstName: string, { ageDays = 10 } = {}): MovedIn {
  const [userId, id, beganAtMs] = [
    insertUser(createSql(db), { firstName }).id,
    randomUUID(),
    Date.now() - ageDays * DAY_MS,
  ];
  db.prepare(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
  ).run(hashSecret(id), beganAtMs, userId, beganAtMs + 365 * DAY_MS);
  const value = encodedSession(id);
  const expiresAtMs = () =>
    db
      .prepare(`SELECT "expirationDate" FROM "Session" WHERE "id" = ?`)
      .pluck()
      .get(hashSecret(id)) as number | undefined;
  return { userId, id, value, header: `${SESSION}=${value}`, expiresAtMs };
}

const ask = (path: string, cookie: string, init: RequestInit = {}) =>
  fetch(ORIGIN + path, {
    redirect: "manual",
    signal: AbortSignal.timeout(20_000),
    ...init,
    headers: { cookie, ...init.headers },
  });
/** What an answer sets, by name; on a cluster whoever wrote gets the number of their transaction besides. */
const setBy = (answer: Response) =>
  Object.fromEntries(
    answer.headers
      .getSetCookie()
      .filter((line) => !IS_CLUSTER || !line.startsWith("txid="))
      .map((line) => [line.slice(0, line.indexOf("=")), line]),
  );
const pair = (line: string | undefined) => line?.slice(0, line.indexOf(";")) ?? "";
const isGone = (name: string) =>
  new RegExp(`^${name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=lax$`);
const give = (context: BrowserContext, value: string, name: string = SESSION) =>
  context.addCookies([{ name, value, url: ORIGIN, httpOnly: true, sameSite: "Lax" }]);
const namesIn = async (context: BrowserContext) =>
  (await context.cookies())
    .map(({ name }) => name)
    .filter((name) => name !== "txid")
    .sort();
const ownName = (page: Page, name: string) =>
  expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

test("the first request is the member's already, and its answer exchanges the cookie: on pages, shared ones too", async ({
  database,
}) => {
  for (const path of ["/", "/blog/one-door-for-writes", "/teams", "/about", "/feed.xml"]) {
    const member = movedIn(database, "Ada");
    const before = member.expiresAtMs();
    const answer = await ask(path, `theme=dark; ${member.header}`);
    expect(answer.status, path).toBe(200);
    const html = await answer.text();
    if (path !== "/feed.xml") expect(html, path).toContain(">Account<");
    const set = setBy(answer);
    expect(Object.keys(set).sort(), path).toEqual([SESSION, "session"]);
    expect(set.session).toMatch(/^session=Fe26\S+;.*Max-Age=31536000; HttpOnly; SameSite=lax$/i);
    expect(set[SESSION]).toMatch(isGone(SESSION));
    // No cache in front may keep what gives somebody a session.
    expect(answer.headers.get("cache-control"), path).not.toMatch(/public|s-maxage/);
    expect(member.expiresAtMs()).toBe(before);

    const again = await ask("/me", pair(set.session));
    expect([again.status, setBy(again)]).toEqual([200, {}]);
    expect(await again.text()).toContain("Ada");
  }
});

test("Express' cookies, and one signed with the secret before last, are as good", async ({
  database,
}) => {
  const member = movedIn(database, "Ada");
  for (const value of [
    createLegacyExpressCookie(member.id, SECRET),
    createLegacyCookie(
      { sessionId: member.id, name: "Zoë" },
      LEGACY_SITE_ENV.LEGACY_COOKIE_SECRET.split(",")[0]!,
    ),
  ]) {
    const answer = await ask("/me", `${SESSION}=${encodeURIComponent(value)}`);
    expect([answer.status, Object.keys(setBy(answer)).sort()]).toEqual([200, [SESSION, "session"]]);
  }
});

test("a session that is due is renewed by the request that exchanges it", async ({ database }) => {
  const member = movedIn(database, "Ada", { ageDays: 200 });
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask("/teams", member.header)));
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(
      answer.headers.getSetCookie().filter((line) => line.startsWith("session=")),
    ).toHaveLength(1);
  }
  expect(member.expiresAtMs()).toBeGreaterThan(Date.now() + 364.9 * DAY_MS);
});

test("handlers know the member, too, those that the middleware passes on to and those that it does not see", async ({
  database,
}) => {
  const member = movedIn(database, "Ada");
  // Not there for its owner; not to be asked for by anybody else.
  expect((await ask(`/calls/recording/${randomUUID()}`, member.header)).status).toBe(404);
  expect(
    (await ask(`/calls/upload/${randomUUID()}`, member.header, { method: "GET" })).status,
  ).toBe(404);
  expect(
    (
      await ask(
        `/calls/upload/${randomUUID()}`,
        `${SESSION}=${encodedSession(member.id, "another-secret")}`,
        { method: "GET" },
      )
    ).status,
  ).toBe(401);
});

test("a session that has ended, was logged out or never moved in logs nobody in, and its cookie goes", async ({
  database,
}) => {
  const [ended, loggedOut] = [movedIn(database, "Ada", { ageDays: 365 }), movedIn(database, "Bob")];
  database.prepare(`DELETE FROM "Session" WHERE "id" = ?`).run(hashSecret(loggedOut.id));
  for (const cookie of [
    ended.header,
    loggedOut.header,
    `${SESSION}=${encodedSession(randomUUID())}`,
  ]) {
    const page = await ask("/teams", cookie);
    const html = await page.text();
    expect(html).toContain(">Log in<");
    expect(html).not.toContain(">Account<");
    expect(Object.keys(setBy(page))).toEqual([SESSION]);
    const answer = await ask("/me", cookie);
    expect([answer.status, answer.headers.get("location")]).toEqual([307, "/login?next=/me"]);
    expect(setBy(answer)).toEqual({ [SESSION]: expect.stringMatching(isGone(SESSION)) });
  }
});

test("a forged, damaged or unsigned cookie is nobody's and stays as it is; under the build's own names as well", async ({
  database,
}) => {
  const member = movedIn(database, "Ada");
  const text = member.value.slice(0, member.value.lastIndexOf("."));
  for (const value of [
    encodedSession(member.id, "another-secret"),
    `${member.value}x`,
    member.value.slice(0, -1),
    text,
    `${text}.`,
    member.id,
    `s%3A${member.id}`,
    `s%3A${member.value}`,
    "%%%",
    "x".repeat(6_000),
  ]) {
    for (const name of [SESSION, "legacy-session"]) {
      const answer = await ask("/me", `${name}=${value}`);
      expect(
        [answer.status, answer.headers.get("location")],
        `${name} ${value.slice(0, 80)}`,
      ).toEqual([307, "/login?next=/me"]);
      // A signature of the base64 is good for Express: as the id of no session.
      if (!value.startsWith("s%3Aey"))
        expect(setBy(answer), `${name} ${value.slice(0, 80)}`).toEqual({});
    }
  }
});

test("an anonymous reader keeps their id, also where the first they send is a read", async ({
  database,
  serverClock,
}) => {
  const clientId = randomUUID();
  const cookie = `${CLIENT}=${encodeURIComponent(createLegacyCookie({ clientId }, SECRET))}`;
  const page = setBy(await ask("/blog/one-door-for-writes", cookie));
  expect(Object.keys(page).sort()).toEqual([CLIENT, "reader"]);
  expect(page.reader).toMatch(
    new RegExp(
      `^reader=${clientId}\\.[\\w-]{43}; Path=/; .*Max-Age=34560000; HttpOnly; SameSite=lax$`,
    ),
  );
  expect(page[CLIENT]).toMatch(isGone(CLIENT));

  const token = (await (await ask("/reads/token?slug=one-door-for-writes", cookie)).json()) as {
    token: string;
  };
  await serverClock.forward(60 * 60_000);
  const beacon = await ask("/reads", cookie, {
    method: "POST",
    body: JSON.stringify({ slug: "one-door-for-writes", token: token.token }),
    headers: {
      "content-type": "application/json",
      origin: ORIGIN,
      "sec-fetch-site": "same-origin",
      "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    },
  });
  expect([beacon.status, beacon.headers.get("x-read")]).toEqual([204, "counted"]);
  expect(setBy(beacon).reader).toBeUndefined();
  expect(
    database.prepare(`DELETE FROM "PostRead" WHERE "clientId" = ?`).run(clientId).changes,
  ).toBe(1);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "in the browser" : "in the browser, without scripts", () => {
    test.use({ javaScriptEnabled });

    test("a member stays logged in, and has to log in again only for what wants a new log-in", async ({
      page,
      context,
      database,
    }) => {
      const member = movedIn(database, "Grace");
      await give(context, member.value);
      await page.goto("/");
      await expect(page.getByRole("banner").getByRole("link", { name: "Account" })).toBeVisible();
      expect(await namesIn(context)).toEqual(["session"]);
      await page.goto("/me");
      await ownName(page, "Grace");
      await page.goto("/me/delete");
      await expect(page.getByRole("link", { name: "Log in again" })).toBeVisible();
    });

    test("who logs out is logged out, whatever old cookie is left", async ({
      page,
      context,
      database,
    }) => {
      const member = movedIn(database, "Grace");
      await give(context, member.value);
      await page.goto("/me");
      // As if the answer that exchanged it had got lost: the form is the first to bring it.
      await context.clearCookies();
      await give(context, member.value);
      await page.getByRole("button", { name: "Log out", exact: true }).click();
      await expect(page).not.toHaveURL(/\/me$/);
      expect(member.expiresAtMs()).toBeUndefined();
      await give(context, member.value);
      await page.goto("/me");
      await expect(page).toHaveURL(/\/login\?next=\/me$/);
      expect(await namesIn(context)).toEqual([]);
    });

    test("a new log-in wins over an old cookie, and ends its session", async ({
      page,
      context,
      database,
      waitForEmail,
      serverClock,
    }) => {
      await serverClock.forward(120 * 60_000);
      const [before, now] = [
        movedIn(database, "Grace"),
        insertUser(createSql(database), { firstName: "Heidi" }),
      ];
      await page.goto("/login");
      await page.getByLabel("Email address").fill(now.email);
      await page.getByRole("button", { name: "Email me a login link" }).click();
      await expect(page).toHaveURL(/\/login\/code$/);
      const { text } = await waitForEmail(now.email);
      await page.getByLabel("6-digit code").fill(/^\d{6}$/m.exec(text)?.[0] ?? "");
      await give(context, before.value);
      await page.getByRole("main").getByRole("button", { name: "Log in", exact: true }).click();
      await expect(page).toHaveURL(/\/me$/);
      await ownName(page, "Heidi");
      expect(await namesIn(context)).toEqual(["session"]);
      expect(before.expiresAtMs()).toBeUndefined();

      await give(context, before.value);
      await page.reload();
      await ownName(page, "Heidi");
      expect(await namesIn(context)).toEqual(["session"]);
    });
  });
}

test("a session of ours wins over one of the site before, which goes", async ({ database }) => {
  const member = movedIn(database, "Ada");
  const own = await insertMemberSession(
    database,
    insertUser(createSql(database), { firstName: "Heidi" }).id,
  );
  const answer = await ask("/me", `${own.name}=${own.value}; ${member.header}`);
  expect(await answer.text()).toContain("Heidi");
  expect(Object.keys(setBy(answer))).toEqual([SESSION]);
});
