// Tests session renewal, Content Security Policy, security headers and prerendered pages.

import { globSync } from "node:fs";
import { createSql } from "#lib/db/connection.ts";
import { MEMBER_PAGES } from "#lib/http/content-security-policy.ts";
import { insertUser } from "#tests/support/factories.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { PORT, SECRET } from "#tests/support/e2e/site-under-test.ts";

const ORIGIN = `http://localhost:${PORT}`;
const DAY_MS = 86_400_000;
/** Pages that a test opens at the same time. */
const TABS = 4;

/** Every page of members and admins without a parameter in its path. */
const PAGES = globSync("app/**/page.tsx")
  .map((file) => `/${file.replace(/^app\//, "").replace(/\/?page\.tsx$/, "")}`)
  .filter(
    (path) =>
      !path.includes("[") &&
      MEMBER_PAGES.some((page) => path === `/${page}` || path.startsWith(`/${page}/`)),
  )
  .sort();

test("a page view renews a session that is due, row and cookie, once for ten concurrent requests", async ({
  database,
}) => {
  for (const path of ["/", "/blog/one-door-for-writes", "/teams"]) {
    const user = insertUser(createSql(database), { firstName: "Ada" });
    const { name, value } = await insertMemberSession(database, user.id, SECRET, {
      ageDays: 200,
    });
    const expiry = () =>
      database
        .prepare(`SELECT "expirationDate" FROM "Session" WHERE "userId" = ?`)
        .pluck()
        .get(user.id) as number;
    const before = expiry();
    const responses = await Promise.all(
      Array.from({ length: 10 }, () =>
        fetch(ORIGIN + path, { headers: { cookie: `${name}=${value}` } }),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const cookies = responses.flatMap(({ headers }) => headers.getSetCookie());
    expect(cookies, path).toHaveLength(1);
    expect(cookies[0]).toMatch(/^session=Fe26\S+;.*Max-Age=31536000; HttpOnly; SameSite=lax/i);
    expect(expiry()).toBeGreaterThan(Date.now() + 364.9 * DAY_MS);
    expect(expiry() - before).toBeGreaterThan(199 * DAY_MS);

    // The new cookie belongs to the same session, and is not renewed again.
    const second = await fetch(ORIGIN + path, {
      headers: { cookie: cookies[0]!.split(";")[0]! },
    });
    expect(second.headers.getSetCookie()).toEqual([]);
    expect(
      database.prepare(`SELECT COUNT(*) FROM "Session" WHERE "userId" = ?`).pluck().get(user.id),
    ).toBe(1);
  }
});

test("a browser keeps the renewed session and stays logged in", async ({
  page,
  context,
  database,
}) => {
  const user = insertUser(createSql(database), { firstName: "Grace" });
  await context.addCookies([
    { ...(await insertMemberSession(database, user.id, SECRET, { ageDays: 364 })), url: ORIGIN },
  ]);
  await page.goto("/");
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ name: "session", httpOnly: true, sameSite: "Lax" });
  expect(cookie!.expires * 1000).toBeGreaterThan(Date.now() + 364 * DAY_MS);
  await page.goto("/me");
  await expect(page).toHaveURL(`${ORIGIN}/me`);
});

test("a session with more than half a year left is not renewed", async ({ database }) => {
  const user = insertUser(createSql(database));
  const { name, value } = await insertMemberSession(database, user.id, SECRET, { ageDays: 180 });
  const response = await fetch(`${ORIGIN}/blog`, { headers: { cookie: `${name}=${value}` } });
  expect(response.headers.getSetCookie()).toEqual([]);
  expect(
    database
      .prepare(`SELECT "expirationDate" FROM "Session" WHERE "userId" = ?`)
      .pluck()
      .get(user.id),
  ).toBeLessThan(Date.now() + 186 * DAY_MS);
});

test("an expired or forged session is ignored and not renewed", async ({ database }) => {
  const user = insertUser(createSql(database));
  const { value } = await insertMemberSession(database, user.id, SECRET, { ageDays: 200 });
  const other = await insertMemberSession(
    database,
    user.id,
    "another site's secret, long enough for a seal",
    { ageDays: 200 },
  );
  database
    .prepare(`UPDATE "Session" SET "expirationDate" = ? WHERE "userId" = ?`)
    .run(Date.now() - 1, user.id);
  for (const cookie of [value, other.value, "x", "Fe26.2*1*a*b*c*d*e*f"]) {
    const response = await fetch(`${ORIGIN}/me`, {
      headers: { cookie: `session=${cookie}` },
      redirect: "manual",
    });
    expect([response.status, response.headers.getSetCookie()]).toEqual([307, []]);
    expect(response.headers.get("location")).toMatch(/^\/login\?next=/);
  }
});

test("members' pages run only scripts with the nonce of their response (CSP)", async ({
  request,
  logIn,
  page,
}) => {
  await logIn({ role: "ADMIN" });
  const html = await (await request.get("/login")).text();
  expect(html).toContain("<form");
  const nonces = new Set<string>();
  for (const path of PAGES) {
    const response = await page.request.get(path, { maxRedirects: 0 });
    const policy = response.headers()["content-security-policy"] ?? "";
    const nonce = /script-src 'self' 'nonce-([^']+)' 'strict-dynamic'/.exec(policy)?.[1];
    expect(nonce, path).toBeTruthy();
    nonces.add(nonce!);
    expect(response.headers()["cache-control"], path).toBe("private, no-store");
    expect(response.headers()["referrer-policy"], path).toBe("same-origin");
    if (response.status() !== 200) continue;
    const scripts = [...(await response.text()).matchAll(/<script\b([^>]*)>/g)].map(
      ([, attributes = ""]) => attributes,
    );
    expect(scripts.length, path).toBeGreaterThan(2);
    // The one script that is identical on every page is allowed by its hash.
    const without = scripts.filter(
      (attributes) =>
        !attributes.includes(`nonce="${nonce}"`) && !attributes.includes("application/ld+json"),
    );
    expect(without, path).toEqual([""]);
  }
  expect(nonces.size).toBe(PAGES.length);
});

test.describe("in the browser", () => {
  test.use({ expectedErrors: ["404"] });
  test("no page of members or admins violates its CSP", async ({ context, logIn }) => {
    test.setTimeout(120_000);
    await logIn({ role: "ADMIN" });
    await context.addInitScript(() => {
      // The blank page before the first one has no storage.
      if (origin !== "null") localStorage.setItem("theme", "dark");
      const violations: string[] = [];
      Object.assign(window, { violations });
      document.addEventListener(
        "securitypolicyviolation",
        ({ violatedDirective, blockedURI, sample }) =>
          violations.push(`${violatedDirective} ${blockedURI} ${sample}`),
      );
    });
    expect(PAGES.length).toBeGreaterThan(8);
    const queue = [...PAGES];
    // Each tab mostly waits until its page has been quiet for half a second.
    await Promise.all(
      Array.from({ length: TABS }, async () => {
        const tab = await context.newPage();
        for (let path = queue.shift(); path; path = queue.shift()) {
          await tab.goto(path, { waitUntil: "networkidle" });
          expect(
            await tab.evaluate(() => (window as unknown as { violations: string[] }).violations),
            path,
          ).toEqual([]);
          // Next's scripts run: one of them shows the chosen theme.
          await expect(tab.locator(".theme-control [value=dark]"), path).toBeChecked();
        }
      }),
    );
  });
});

test("every response has security headers", async ({ request }) => {
  for (const path of [
    "/",
    "/blog",
    "/teams",
    "/login",
    "/feed.xml",
    "/no-such-page",
    "/reads/token?slug=x",
  ]) {
    const headers = (await request.get(path)).headers();
    expect(headers["x-content-type-options"], path).toBe("nosniff");
    expect(headers["content-security-policy"], path).toMatch(/base-uri 'none'; object-src 'none'/);
    expect(headers["content-security-policy"], path).toContain("frame-ancestors 'none'");
    expect(headers["strict-transport-security"], path).toContain("max-age=");
    expect(headers["permissions-policy"], path).toContain("microphone=()");
    expect(headers["x-powered-by"], path).toBeUndefined();
  }
  expect(
    (await request.get("/calls/record", { maxRedirects: 0 })).headers()["permissions-policy"],
  ).toContain("microphone=(self)");
});

test("a request without cookies gets the shared page, a member their own", async ({
  request,
  context,
  logIn,
  page,
}) => {
  const shared = await request.get("/");
  expect(shared.headers().etag).toBeDefined();
  expect(shared.headers()["set-cookie"]).toBeUndefined();
  expect(shared.headers()["content-security-policy"]).not.toContain("nonce-");
  expect(await context.cookies()).toEqual([]);
  await logIn();
  const own = await page.request.get("/");
  expect(own.headers().etag).toBeUndefined();
  await page.goto("/");
  await expect(page.getByRole("link", { name: "Account" })).toBeVisible();
});

test("/teams is public and names the member's own team", async ({ page, logIn }) => {
  await page.goto("/teams");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Three teams");
  await expect(page.getByRole("link", { name: "Join a team" })).toHaveAttribute(
    "href",
    "/login?next=%2Fteams",
  );
  await logIn({ team: "YELLOW" });
  await page.goto("/teams");
  await expect(page.getByText("You’re on team Yellow.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Join a team" })).toHaveCount(0);
});
