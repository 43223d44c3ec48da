// Tests members and readers with cookies of the source site, whose names the build does not know
// (docs/decisions/024).

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

interface MigratedMember {
  readonly userId: string;
  readonly id: string;
  /** The cookie's encoded value. */
  readonly value: string;
  readonly header: string;
  readonly expiresAtMs: () => number | undefined;
}

const encodedSession = (id: string, secret: string = SECRET) =>
  encodeURIComponent(createLegacyCookie({ sessionId: id }, secret));

/**
 * Inserts a member with a migrated session that is `ageDays` old, and returns its legacy cookie.
 */
function insertMigratedMember(
  db: Database.Database,
  firstName: string,
  { ageDays = 10 } = {},
): MigratedMember {
  const [userId, id, createdAtMs] = [
    insertUser(createSql(db), { firstName }).id,
    randomUUID(),
    Date.now() - ageDays * DAY_MS,
  ];
  db.prepare(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
  ).run(hashSecret(id), createdAtMs, userId, createdAtMs + 365 * DAY_MS);
  const value = encodedSession(id);
  const expiresAtMs = () =>
    db
      .prepare(`SELECT "expirationDate" FROM "Session" WHERE "id" = ?`)
      .pluck()
      .get(hashSecret(id)) as number | undefined;
  return { userId, id, value, header: `${SESSION}=${value}`, expiresAtMs };
}

const request = (path: string, cookie: string, init: RequestInit = {}) =>
  fetch(ORIGIN + path, {
    redirect: "manual",
    signal: AbortSignal.timeout(20_000),
    ...init,
    headers: { cookie, ...init.headers },
  });
/** Returns the cookies that a response sets, by name, without a cluster's txid. */
const getSetCookies = (response: Response) =>
  Object.fromEntries(
    response.headers
      .getSetCookie()
      .filter((line) => !IS_CLUSTER || !line.startsWith("txid="))
      .map((line) => [line.slice(0, line.indexOf("=")), line]),
  );
const cookiePair = (line: string | undefined) => line?.slice(0, line.indexOf(";")) ?? "";
const expiredPattern = (name: string) =>
  new RegExp(`^${name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=lax$`);
const addCookie = (context: BrowserContext, value: string, name: string = SESSION) =>
  context.addCookies([{ name, value, url: ORIGIN, httpOnly: true, sameSite: "Lax" }]);
/** Without the passkey challenge, which login and account pages set for five minutes, and the visit. */
const listCookieNames = async (context: BrowserContext) =>
  (await context.cookies())
    .map(({ name }) => name)
    .filter((name) => !["txid", "passkey", "visit"].includes(name))
    .sort();
const expectAccountOf = (page: Page, name: string) =>
  expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

test(
  "upgrades the cookie on the member's first request, also on static pages",
  { tag: "@replica" },
  async ({ database }) => {
    for (const path of ["/", "/blog/one-door-for-writes", "/teams", "/about"]) {
      const member = insertMigratedMember(database, "Ada");
      const before = member.expiresAtMs();
      const response = await request(path, `theme=dark; ${member.header}`);
      expect(response.status, path).toBe(200);
      expect(await response.text(), path).toContain(">Account<");
      const cookies = getSetCookies(response);
      expect(Object.keys(cookies).sort(), path).toEqual([SESSION, "session"]);
      expect(cookies.session).toMatch(
        /^session=Fe26\S+;.*Max-Age=31536000; HttpOnly; SameSite=lax$/i,
      );
      expect(cookies[SESSION]).toMatch(expiredPattern(SESSION));
      // A shared cache must not store a response with a session.
      expect(response.headers.get("cache-control"), path).not.toMatch(/public|s-maxage/);
      expect(member.expiresAtMs()).toBe(before);

      const next = await request("/me", cookiePair(cookies.session));
      expect([next.status, getSetCookies(next)]).toEqual([200, {}]);
      expect(await next.text()).toContain("Ada");
    }
  },
);

test("accepts Express's cookies, and an older secret", async ({ database }) => {
  const member = insertMigratedMember(database, "Ada");
  for (const value of [
    createLegacyExpressCookie(member.id, SECRET),
    createLegacyCookie(
      { sessionId: member.id, name: "Zoë" },
      LEGACY_SITE_ENV.LEGACY_COOKIE_SECRET.split(",")[0]!,
    ),
  ]) {
    const response = await request("/me", `${SESSION}=${encodeURIComponent(value)}`);
    expect([response.status, Object.keys(getSetCookies(response)).sort()]).toEqual([
      200,
      [SESSION, "session"],
    ]);
  }
});

test(
  "renews a session that is due with the same request",
  { tag: "@replica" },
  async ({ database }) => {
    const member = insertMigratedMember(database, "Ada", { ageDays: 200 });
    const responses = await Promise.all(
      Array.from({ length: 5 }, () => request("/teams", member.header)),
    );
    for (const response of responses) {
      expect(response.status).toBe(200);
      expect(
        response.headers.getSetCookie().filter((line) => line.startsWith("session=")),
      ).toHaveLength(1);
    }
    expect(member.expiresAtMs()).toBeGreaterThan(Date.now() + 364.9 * DAY_MS);
  },
);

test("handlers know the member, with and without the middleware", async ({ database }) => {
  const member = insertMigratedMember(database, "Ada");
  // 404 for a member, 401 for anyone else.
  expect((await request(`/calls/recording/${randomUUID()}`, member.header)).status).toBe(404);
  expect(
    (await request(`/calls/upload/${randomUUID()}`, member.header, { method: "GET" })).status,
  ).toBe(404);
  expect(
    (
      await request(
        `/calls/upload/${randomUUID()}`,
        `${SESSION}=${encodedSession(member.id, "another-secret")}`,
        { method: "GET" },
      )
    ).status,
  ).toBe(401);
});

test("rejects expired, logged-out and unknown sessions, and removes their cookie", async ({
  database,
}) => {
  const [ended, loggedOut] = [
    insertMigratedMember(database, "Ada", { ageDays: 365 }),
    insertMigratedMember(database, "Bob"),
  ];
  database.prepare(`DELETE FROM "Session" WHERE "id" = ?`).run(hashSecret(loggedOut.id));
  for (const cookie of [
    ended.header,
    loggedOut.header,
    `${SESSION}=${encodedSession(randomUUID())}`,
  ]) {
    const page = await request("/teams", cookie);
    const html = await page.text();
    expect(html).toContain(">Log in<");
    expect(html).not.toContain(">Account<");
    expect(Object.keys(getSetCookies(page))).toEqual([SESSION]);
    const response = await request("/me", cookie);
    expect([response.status, response.headers.get("location")]).toEqual([307, "/login?next=/me"]);
    expect(getSetCookies(response)).toEqual({
      [SESSION]: expect.stringMatching(expiredPattern(SESSION)),
    });
  }
});

test("ignores and keeps a forged, damaged or unsigned cookie, also under the internal names", async ({
  database,
}) => {
  const member = insertMigratedMember(database, "Ada");
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
      const response = await request("/me", `${name}=${value}`);
      expect(
        [response.status, response.headers.get("location")],
        `${name} ${value.slice(0, 80)}`,
      ).toEqual([307, "/login?next=/me"]);
      // As an Express cookie, this signature is valid but belongs to no session.
      if (!value.startsWith("s%3Aey"))
        expect(getSetCookies(response), `${name} ${value.slice(0, 80)}`).toEqual({});
    }
  }
});

test("keeps an anonymous reader's id, also if their first request is a read", async ({
  database,
  serverClock,
}) => {
  const clientId = randomUUID();
  const cookie = `${CLIENT}=${encodeURIComponent(createLegacyCookie({ clientId }, SECRET))}`;
  const page = getSetCookies(await request("/blog/one-door-for-writes", cookie));
  expect(Object.keys(page).sort()).toEqual([CLIENT, "reader"]);
  expect(page.reader).toMatch(
    new RegExp(
      `^reader=${clientId}\\.[\\w-]{43}; Path=/; .*Max-Age=34560000; HttpOnly; SameSite=lax$`,
    ),
  );
  expect(page[CLIENT]).toMatch(expiredPattern(CLIENT));

  const token = (await (await request("/reads/token?slug=one-door-for-writes", cookie)).json()) as {
    token: string;
  };
  await serverClock.forward(60 * 60_000);
  const beacon = await request("/reads", cookie, {
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
  expect(getSetCookies(beacon).reader).toBeUndefined();
  expect(
    database.prepare(`DELETE FROM "PostRead" WHERE "clientId" = ?`).run(clientId).changes,
  ).toBe(1);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "in the browser" : "in the browser, without scripts", () => {
    test.use({ javaScriptEnabled });

    test("a member stays logged in, and logs in again only for sensitive actions", async ({
      page,
      context,
      database,
    }) => {
      const member = insertMigratedMember(database, "Grace");
      await addCookie(context, member.value);
      await page.goto("/");
      await expect(page.getByRole("banner").getByRole("link", { name: "Account" })).toBeVisible();
      expect(await listCookieNames(context)).toEqual(["session"]);
      await page.goto("/me");
      await expectAccountOf(page, "Grace");
      await page.goto("/me/delete");
      await expect(page.getByRole("link", { name: "Log in again" })).toBeVisible();
    });

    test("logging out also ends a legacy session", async ({ page, context, database }) => {
      const member = insertMigratedMember(database, "Grace");
      await addCookie(context, member.value);
      await page.goto("/me");
      // Simulates a lost upgrade response: the form sends the legacy cookie.
      await context.clearCookies();
      await addCookie(context, member.value);
      await page.getByRole("button", { name: "Log out", exact: true }).click();
      await expect(page).not.toHaveURL(/\/me$/);
      expect(member.expiresAtMs()).toBeUndefined();
      await addCookie(context, member.value);
      await page.goto("/me");
      await expect(page).toHaveURL(/\/login\?next=\/me$/);
      expect(await listCookieNames(context)).toEqual([]);
    });

    test("a new login takes precedence over a legacy cookie, and ends its session", async ({
      page,
      context,
      database,
      waitForEmail,
      serverClock,
    }) => {
      await serverClock.forward(120 * 60_000);
      const [before, now] = [
        insertMigratedMember(database, "Grace"),
        insertUser(createSql(database), { firstName: "Heidi" }),
      ];
      await page.goto("/login");
      await page.getByLabel("Email address").fill(now.email);
      await page.getByRole("button", { name: "Email me a login link" }).click();
      await expect(page).toHaveURL(/\/login\/code$/);
      const { text } = await waitForEmail(now.email);
      await page.getByLabel("6-digit code").fill(/^\d{6}$/m.exec(text)?.[0] ?? "");
      await addCookie(context, before.value);
      await page.getByRole("main").getByRole("button", { name: "Log in", exact: true }).click();
      await expect(page).toHaveURL(/\/me$/);
      await expectAccountOf(page, "Heidi");
      expect(await listCookieNames(context)).toEqual(["session"]);
      expect(before.expiresAtMs()).toBeUndefined();

      await addCookie(context, before.value);
      await page.reload();
      await expectAccountOf(page, "Heidi");
      expect(await listCookieNames(context)).toEqual(["session"]);
    });
  });
}

test("a session of this site takes precedence over a legacy one, which is removed", async ({
  database,
}) => {
  const member = insertMigratedMember(database, "Ada");
  const own = await insertMemberSession(
    database,
    insertUser(createSql(database), { firstName: "Heidi" }).id,
  );
  const response = await request("/me", `${own.name}=${own.value}; ${member.header}`);
  expect(await response.text()).toContain("Heidi");
  expect(Object.keys(getSetCookies(response))).toEqual([SESSION]);
});
