// Tests the admin pages, with and without JavaScript.

import type Database from "better-sqlite3";
import {
  DESKTOP,
  PHONE,
  expectAccessible,
  measureOverflow,
} from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { PORT } from "#tests/support/e2e/site-under-test.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { NoJsBrowser, parseForms } from "#tests/support/no-js-browser.ts";
import { createSql } from "#lib/db/connection.ts";

const ORIGIN = `http://localhost:${PORT}`;
const PAGES = [
  "/admin",
  "/admin/posts",
  "/admin/posts/a-draft",
  "/admin/posts/a-draft/view",
  "/admin/users",
  "/admin/content",
  "/admin/cache",
  "/admin/cluster",
  "/admin/reads",
  "/admin/deliveries",
  "/admin/log",
];
const MINUTE_MS = 60_000;

const person = (database: Database.Database, fields: Parameters<typeof insertUser>[1] = {}) =>
  insertUser(createSql(database), { firstName: "Hedy", team: "BLUE", ...fields });
const get = (database: Database.Database, text: string, ...values: unknown[]) =>
  database.prepare(text).get(...values) as Record<string, unknown> | undefined;

/** Inserts a delivery that has failed for good. Returns its id. */
function insertDelivery(database: Database.Database, to: string, about: string): number {
  const payload = JSON.stringify({
    kind: "MAIL",
    mail: { to, subject: "We answered your question", parts: ["Listen to it."] },
  });
  const { lastInsertRowid } = database
    .prepare(
      `INSERT INTO "Delivery" ("createdAt", "kind", "about", "payload", "tries", "lastError") VALUES (?, 'MAIL', ?, ?, 8, 'No answer.')`,
    )
    .run(Date.now(), about, payload);
  return Number(lastInsertRowid);
}

/** Returns a browser without JavaScript, logged in as `userId`. */
async function plainAs(database: Database.Database, userId: string | null): Promise<NoJsBrowser> {
  const browser = new NoJsBrowser(ORIGIN);
  if (userId) {
    const { name, value } = await insertMemberSession(database, userId);
    browser.cookies.set(name, value);
  }
  return browser;
}

test.afterEach(({ database }) => {
  database.prepare(`DELETE FROM "User" WHERE "role" = 'ADMIN'`).run();
  database.prepare(`DELETE FROM "Delivery"`).run();
});

test("guests are redirected to the login, and members get a 404", async ({ database }) => {
  const { id } = person(database);
  const [guest, member] = [await plainAs(database, null), await plainAs(database, id)];
  for (const path of [...PAGES, `/admin/users/${id}`]) {
    const redirect = await guest.request(path, {}, { follow: false });
    expect([redirect.status, redirect.headers.get("location")], path).toEqual([
      307,
      `/login?next=${encodeURIComponent(path)}`,
    ]);
    const { status, text } = await member.get(path);
    expect([path, status, text.includes("Page not found")]).toEqual([path, 404, true]);
    expect(text, path).not.toContain("admin-nav");
    expect(/<title>([^<]*)/.exec(text)?.[1], path).toMatch(/^Not found/);
  }
});

test("the header links an admin to the admin pages, and no one else", async ({ database }) => {
  const admin = await plainAs(database, person(database, { role: "ADMIN" }).id);
  const others = [await plainAs(database, null), await plainAs(database, person(database).id)];
  // Cached, rendered by Next, and with a form.
  for (const path of ["/", "/blog/one-door-for-writes", "/blog", "/subscribe"]) {
    expect((await admin.get(path)).text, path).toContain('href="/admin"');
    for (const browser of others)
      expect((await browser.get(path)).text, path).not.toContain('href="/admin"');
  }
});

test("guests and members can’t submit the admin forms", async ({ database }) => {
  const { id } = person(database, { role: "ADMIN" });
  const victim = person(database);
  const deliveryId = insertDelivery(database, victim.email, "An email");
  const admin = await plainAs(database, id);
  const unauthorized = [await plainAs(database, null), await plainAs(database, victim.id)];
  const state = () =>
    JSON.stringify([
      get(database, `SELECT * FROM "User" WHERE "id" = ?`, victim.id),
      get(database, `SELECT * FROM "Delivery" WHERE "id" = ?`, deliveryId),
      get(database, `SELECT COUNT(*) AS n, MAX("id") AS last FROM "AuditEvent"`),
      get(database, `SELECT COUNT(*) AS n FROM "Session" WHERE "userId" = ?`, victim.id),
    ]);
  const before = state();
  const cacheKey = /name="key" value="([^"]+)"/;
  const key = /href="(\/admin\/cache\?key=[^"]+)"/
    .exec((await admin.get("/admin/cache")).text)![1]!
    .replaceAll("&amp;", "&");
  let submissions = 0;
  for (const path of [`/admin/users/${victim.id}`, "/admin/deliveries", "/admin/content", key]) {
    const forms = parseForms((await admin.get(path)).text);
    expect(forms.length, path).toBeGreaterThan(0);
    for (const form of forms) {
      for (const browser of unauthorized) {
        const { status, text } = await browser.submitForm(
          path,
          form,
          {
            ...(form.editableNames.includes("typed") && { typed: victim.email }),
            ...(form.editableNames.includes("team") && { team: "RED", firstName: "Eve" }),
            ...(form.editableNames.includes("slug") && { slug: "one-door-for-writes" }),
          },
          { follow: false },
        );
        expect([path, status < 500, /form-message-done/.test(text)]).toEqual([path, true, false]);
        submissions += 1;
      }
    }
  }
  expect(submissions).toBeGreaterThanOrEqual(2 * 8);
  expect(state()).toBe(before);
  expect((await admin.get(key)).text).toMatch(cacheKey);
});

test("an admin finds and edits a member, and gets a conflict after another edit", async ({
  page,
  database,
  logIn,
}) => {
  await logIn({ role: "ADMIN", firstName: "Root" });
  const { id, email } = person(database, { firstName: "Hedy 100%" });
  insertRead(createSql(database), { userId: id, postSlug: "one-door-for-writes" });
  await page.goto("/admin/users");
  await page.getByRole("searchbox").fill("100%");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("link", { name: "Hedy 100%" }).click();
  await expect(page.getByText(email).first()).toBeVisible();

  const [name, team, save] = [
    page.getByLabel("First name"),
    page.getByLabel("Team", { exact: true }),
    page.getByRole("button", { name: "Save" }),
  ];
  await name.fill(" ");
  await save.click();
  await expect(page.getByText("The first name is missing.")).toBeVisible();
  await name.fill("Grace");
  await team.selectOption("YELLOW");
  await save.click();
  await expect(page.getByText("Saved. Their reads now count for the new team.")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Grace");
  await expect(page.getByText("name changed, team Blue → Yellow")).toBeVisible();
  expect(get(database, `SELECT "firstName", "team" FROM "User" WHERE "id" = ?`, id)).toEqual({
    firstName: "Grace",
    team: "YELLOW",
  });

  // The page has the new version after saving.
  await name.fill("Grace Brewster");
  await save.click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Grace Brewster");
  database
    .prepare(
      `UPDATE "User" SET "firstName" = 'Another', "updatedAt" = "updatedAt" + 1 WHERE "id" = ?`,
    )
    .run(id);
  await name.fill("Mine");
  await save.click();
  await expect(page.getByText("This member has changed since you opened the page.")).toBeVisible();
  await expect(name).toHaveValue("Mine");
  expect(get(database, `SELECT "firstName" FROM "User" WHERE "id" = ?`, id)).toEqual({
    firstName: "Another",
  });
});

test("an id from the source site may contain any character", async ({ page, database, logIn }) => {
  await logIn({ role: "ADMIN" });
  const { id, email } = insertUser(createSql(database), { id: `old/1?a=b c ${Date.now()}` });
  await page.goto(`/admin/users?q=${email}`);
  await page.getByRole("table").getByRole("link").first().click();
  await expect(page.getByText(email, { exact: true })).toBeVisible();
  database.prepare(`DELETE FROM "User" WHERE "id" = ?`).run(id);
});

test("changing a role requires a recent login, and revokes sessions", async ({
  page,
  database,
  logIn,
  serverClock,
  context,
}) => {
  const adminId = await logIn({ role: "ADMIN", firstName: "Root" });
  const { id } = person(database);
  await insertMemberSession(database, id);
  const path = `/admin/users/${id}`;
  await page.goto(path);
  await serverClock.forward(20 * MINUTE_MS);
  await expect(page.getByRole("button", { name: "Make an admin" })).toBeHidden();
  await page.locator("summary", { hasText: "Make an admin" }).click();
  await page.getByRole("button", { name: "Make an admin" }).click();
  await expect(
    page.getByRole("alert").getByText("For your security, log in again first."),
  ).toBeVisible();
  await expect(page.getByRole("alert").getByRole("link", { name: "Log in" })).toHaveAttribute(
    "href",
    `/login?next=${encodeURIComponent(path)}`,
  );
  expect(get(database, `SELECT "role" FROM "User" WHERE "id" = ?`, id)).toEqual({ role: "MEMBER" });
  await page.reload();
  await expect(page.getByText("You logged in more than 15 minutes ago.")).toBeVisible();

  await serverClock.forward(-20 * MINUTE_MS);
  await context.addCookies([{ ...(await insertMemberSession(database, adminId)), url: ORIGIN }]);
  await page.goto(path);
  await page.locator("summary", { hasText: "Make an admin" }).click();
  await page.getByRole("button", { name: "Make an admin" }).click();
  await expect(page.locator("summary", { hasText: "Remove admin role" })).toBeFocused();
  await expect(page.getByRole("button", { name: "Remove admin role" })).toBeHidden();
  expect(
    get(
      database,
      `SELECT "role", (SELECT COUNT(*) FROM "Session" WHERE "userId" = ?) AS "sessions" FROM "User" WHERE "id" = ?`,
      id,
      id,
    ),
  ).toEqual({ role: "ADMIN", sessions: 0 });
  await expect(page.getByText("role member → admin, 1 session ended")).toBeVisible();
});

test("deleting a member requires typing their email, and the last admin can’t be deleted", async ({
  page,
  database,
  logIn,
}) => {
  const adminId = await logIn({ role: "ADMIN", firstName: "Root" });
  const { id, email } = person(database);
  await page.goto(`/admin/users/${id}`);
  const typed = page.getByLabel(`Type ${email}`);
  await typed.fill("Hedy");
  await page.getByRole("button", { name: "Delete member" }).click();
  await expect(
    page.getByText("This is not the member's email address. Nothing was deleted.").first(),
  ).toBeVisible();
  await typed.fill(email.toUpperCase());
  await page.getByRole("button", { name: "Delete member" }).click();
  await expect(page.getByRole("status").getByText("Member deleted.")).toBeVisible();
  expect(get(database, `SELECT 1 FROM "User" WHERE "id" = ?`, id)).toBeUndefined();
  await page.goto("/admin/log");
  await expect(page.getByRole("row", { name: /Root.*Deleted a member/ }).first()).toContainText(id);
  await page.goto(`/admin/users/${adminId}`);
  await expect(page.getByText("You can’t remove the last admin.")).toBeVisible();
  await expect(page.getByRole("button", { name: /Delete member|Remove admin role/ })).toHaveCount(
    0,
  );
});

test("a post with an error is listed with its line, and can be recompiled", async ({
  page,
  logIn,
}) => {
  await logIn({ role: "ADMIN" });
  await page.goto("/admin/content");
  await expect(page.getByText(/^blog\/broken\.mdx:\d+$/)).toBeVisible();
  await page.getByRole("button", { name: "Recompile broken" }).click();
  await expect(page.getByRole("alert").getByText(/blog\/broken\.mdx:\d+: /)).toBeVisible();
  await page.getByLabel("Post", { exact: true }).selectOption("one-door-for-writes");
  await page.getByRole("button", { name: "Compile", exact: true }).click();
  await expect(
    page.getByRole("status").getByText(/one-door-for-writes\S*: \d+ ms \(/),
  ).toBeVisible();
});

test("reads are shown as a chart, a daily table and a sortable table of posts", async ({
  page,
  database,
  logIn,
}) => {
  await logIn({ role: "ADMIN" });
  for (let i = 0; i < 3; i++) insertRead(createSql(database), { postSlug: "a-short-post" });
  database
    .prepare(`INSERT OR REPLACE INTO "DailyViews" VALUES (?, 'a-short-post', 'news.example', 8, 2)`)
    .run(Math.floor(Date.now() / 86_400_000));
  await page.goto("/admin/reads?slug=a-short-post");
  const referrers = page.getByRole("region", { name: "Views by referrer" });
  await expect(referrers.getByRole("row", { name: "news.example 8 2 25%" })).toBeVisible();

  // The arrow keys and the pointer choose a day.
  const today = new Date().toISOString().slice(0, 10);
  const slider = page.getByRole("slider", { name: "Day" });
  await expect(slider).toHaveAttribute("aria-valuetext", new RegExp(`^${today}: `));
  await slider.press("Home");
  await expect(slider).toHaveValue("0");
  await slider.hover();
  await expect(slider).toHaveValue(/^4[45]$/);
  await expect(page.locator(".days-readout")).toHaveText(/^\d{4}-.*: \d+ reads? · .* on \d{4}-/);

  for (const name of ["daily", "views"])
    expect(
      await (await page.request.get(`/admin/reads/${name}.csv?slug=a-short-post`)).text(),
    ).toContain(`"${today}"`);
  await expect(
    page.getByRole("img", { name: /in 90 days, most on \d{4}-\d\d-\d\d/ }),
  ).toBeVisible();
  await page.getByText("Daily numbers").click();
  await expect(page.getByRole("region", { name: /, daily$/ }).getByRole("row")).toHaveCount(91);
  await page.getByRole("columnheader", { name: "Post", exact: false }).getByRole("link").click();
  await expect(page.getByRole("columnheader", { name: "Post" })).toHaveAttribute(
    "aria-sort",
    "ascending",
  );
  await expect(page).toHaveURL(/slug=a-short-post&sort=title/);
  await page.goto("/admin/posts");
  await expect(page.getByRole("row", { name: /a-short-post.* \d+ \d+%$/ })).toBeVisible();
  await page.goto("/admin/reads?slug=no-such-post&sort=constructor");
  await expect(page.getByText("No post “no-such-post”.")).toBeVisible();
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a delivery is retried, another is canceled", async ({
      page,
      database,
      logIn,
      waitForEmail,
    }) => {
      await logIn({ role: "ADMIN", firstName: "Root" });
      const { email } = person(database);
      insertDelivery(database, email, "First email");
      insertDelivery(database, email, "Second email");
      await page.goto("/admin/deliveries");
      await page.getByRole("button", { name: "Try again First email" }).click();
      await expect(page.getByText("Retrying now.")).toBeVisible();
      expect((await waitForEmail(email)).subject).toBe("We answered your question");
      await expect
        .poll(() => get(database, `SELECT COUNT(*) AS "n" FROM "Delivery"`))
        .toEqual({ n: 1 });
      await page.goto("/admin/deliveries");
      await page.locator("summary", { hasText: "Cancel delivery Second email" }).click();
      await page.getByRole("button", { name: "Cancel delivery Second email" }).click();
      await expect(page.getByText("Delivery canceled.")).toBeVisible();
      await expect(page.getByText("The queue is empty.")).toBeVisible();
      await page.goto("/admin/log");
      await expect(page.getByRole("row", { name: /Root Canceled a delivery/ })).toHaveCount(1);
    });

    test("a cache entry is found, shown by its shape only, and deleted", async ({
      page,
      logIn,
    }) => {
      await logIn({ role: "ADMIN" });
      await page.goto("/admin/cache");
      await page.getByRole("searchbox").fill("site.compiled");
      await page.getByRole("button", { name: "Search" }).click();
      await expect(page).toHaveURL(/q=site\.compiled/);
      const links = page.getByRole("rowheader").getByRole("link");
      const count = await links.count();
      expect(count).toBeGreaterThan(0);
      const name = (await links.first().textContent())!;
      await links.first().click();
      await expect(page.getByRole("region", { name: "Shape of the value" })).toContainText(
        "object of",
      );
      await page.getByRole("button", { name: "Delete entry" }).click();
      await expect(page.getByText("Deleted. It will be rebuilt on demand.")).toBeVisible();
      await expect(links.getByText(name, { exact: true })).toHaveCount(0);
    });

    test("a member is renamed and logged out", async ({ page, database, logIn }) => {
      await logIn({ role: "ADMIN" });
      const { id } = person(database);
      await insertMemberSession(database, id);
      await page.goto(`/admin/users/${id}`);
      await page.getByLabel("First name").fill("Grace");
      await page.getByRole("button", { name: "Save" }).click();
      await expect(page.getByText("Saved.")).toBeVisible();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Grace");
      await page.getByRole("button", { name: "Log out everywhere" }).click();
      await expect(page.getByText("Logged out of 1 device.")).toBeVisible();
      expect(get(database, `SELECT COUNT(*) AS "n" FROM "Session" WHERE "userId" = ?`, id)).toEqual(
        { n: 0 },
      );
    });
  });
}

test("the cluster page of a single node isn’t live", async ({ page, logIn }) => {
  await logIn({ role: "ADMIN" });
  await page.goto("/admin/cluster");
  await expect(page.getByText("Single node, no replication.")).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(page.getByRole("row").nth(1)).toContainText("Primary");
  const events = await page.request.get("/admin/cluster/events");
  expect([events.status(), events.headers()["cache-control"]]).toEqual([
    204,
    expect.stringContaining("no-store"),
  ]);
  await expect(page.locator(".instance-banner")).toHaveCount(0);
});

test("members and guests can’t see the cluster", async ({ database, request }) => {
  const member = await plainAs(database, person(database).id);
  expect((await member.get("/admin/cluster")).status).toBe(404);
  expect((await member.get("/admin/cluster/events")).status).toBe(403);
  expect((await request.get("/admin/cluster/events")).status()).toBe(401);
  for (const path of ["/internal/status", "/cluster/here"])
    expect((await request.get(path)).status(), path).toBe(404);
  expect((await request.post("/internal/cache", { data: { key: "x" } })).status()).toBe(404);
});

test("health endpoints reveal nothing internal", async ({ request }) => {
  const alive = await request.get("/healthz");
  expect([alive.status(), await alive.text()]).toEqual([200, "ok\n"]);
  const ready = await request.get("/readyz");
  expect([ready.status(), await ready.json()]).toEqual([
    200,
    {
      ready: true,
      role: "primary",
      region: null,
      txid: null,
      behindMs: 0,
      database: "readable",
      migrationsMissing: 0,
      standby: null,
      problems: [],
      degraded: [],
    },
  ]);
  // Without METRICS_TOKEN, not even this machine may read them.
  expect((await request.get("/metrics")).status()).toBe(404);
});

test("Server-Timing has the duration, and for admins the instance", async ({
  page,
  request,
  logIn,
}) => {
  expect((await request.get("/about")).headers()["server-timing"]).toMatch(
    /^total;dur=[\d.]+(, db;dur=[\d.]+)?$/,
  );
  await logIn({ role: "ADMIN" });
  const shown = await page.goto("/admin");
  expect(await shown!.headerValue("server-timing")).toMatch(
    /^total;dur=[\d.]+, db;dur=[\d.]+, instance;desc="[^"]+"$/,
  );
});

test("no admin page has an accessibility violation or scrolls sideways", async ({
  page,
  database,
  logIn,
}) => {
  test.setTimeout(120_000);
  await logIn({ role: "ADMIN" });
  const { id, email } = person(database);
  insertDelivery(database, email, "An email");
  for (const path of [...PAGES, `/admin/users/${id}`, "/admin/cache?q=a-short-post"]) {
    await page.setViewportSize(DESKTOP);
    await page.goto(path);
    await expectAccessible(page, path, [DESKTOP]);
    await page.setViewportSize(PHONE);
    expect(await measureOverflow(page), `${path} scrolls sideways`).toBeLessThanOrEqual(0);
  }
});
