// Tests the newsletter as a reader and as an admin, without JavaScript where forms allow it.

import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { PORT } from "#tests/support/e2e/site-under-test.ts";
import { createSql } from "#lib/db/connection.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { insertUser } from "#tests/support/factories.ts";
import { NoJsBrowser, findForm } from "#tests/support/no-js-browser.ts";
import { expectAccessible } from "#tests/support/e2e/accessibility.ts";

const ORIGIN = `http://localhost:${PORT}`;

test.afterEach(({ database }) => {
  database.prepare(`DELETE FROM "User" WHERE "role" = 'ADMIN'`).run();
});

/** Fills in and submits the form of the page that has fields of these names. */
async function submit(
  browser: NoJsBrowser,
  path: string,
  names: readonly string[],
  values: Record<string, string> = {},
) {
  const { text, status } = await browser.get(path);
  const form = findForm(text, names);
  if (!form) throw new Error(`${path} (${status}) has no form with ${names.join(", ")}.`);
  return browser.submitForm(path, form, values);
}

test("a reader without an account and without JavaScript subscribes, confirms, chooses a topic, and unsubscribes", async ({
  database,
  waitForEmail,
}) => {
  const email = `reader-${Date.now()}@example.test`;
  const find = () =>
    database.prepare(`SELECT "topics" FROM "Subscriber" WHERE "email" = ?`).pluck().get(email);
  const browser = new NoJsBrowser(ORIGIN);
  await submit(browser, "/subscribe", ["email"], { email });
  const request = await waitForEmail(email);
  expect(find()).toBeUndefined();

  const confirmUrl = /http:\S+\/subscribe\/confirm\?token=\S+/.exec(request.text)![0];
  await submit(browser, confirmUrl.slice(ORIGIN.length), ["token"], { "topic:sqlite": "on" });
  expect(find()).toBe('["sqlite"]');

  const welcome = await waitForEmail(email);
  const pageUrl = /http:\S+\/unsubscribe\?token=\S+/.exec(welcome.text)![0];
  const page = pageUrl.slice(ORIGIN.length);
  await submit(browser, page, ["token", "topic:mdx"], { "topic:mdx": "on" });
  expect(find()).toBe('["sqlite","mdx"]');
  const { text } = await submit(browser, page, ["token"], {});
  expect(text).toContain("Unsubscribed");
  expect(find()).toBeUndefined();
});

test("a member subscribes on the account page with one click", async ({
  page,
  database,
  logIn,
}) => {
  const id = await logIn();
  const isSubscribed = () =>
    database
      .prepare(
        `SELECT COUNT(*) FROM "Subscriber" JOIN "User" ON "User"."email" = "Subscriber"."email" WHERE "User"."id" = ?`,
      )
      .pluck()
      .get(id);
  await page.goto("/subscribe");
  await expect(page).toHaveURL("/me#consent");
  await page.getByRole("button", { name: "Subscribe", exact: true }).click();
  await expect(page.getByRole("group", { name: "Topics" })).toBeVisible();
  expect(isSubscribed()).toBe(1);
  await expectAccessible(page, "topics of the newsletter");
  await page.getByRole("button", { name: "Unsubscribe" }).click();
  await expect(page.getByRole("button", { name: "Subscribe", exact: true })).toBeVisible();
  expect(isSubscribed()).toBe(0);
});

test("an admin previews a post, sends a test, and sends it to subscribers, without JavaScript", async ({
  database,
  waitForEmail,
}) => {
  const admin = insertUser(createSql(database), { role: "ADMIN", firstName: "Hedy" });
  const browser = new NoJsBrowser(ORIGIN);
  const session = await insertMemberSession(database, admin.id);
  browser.cookies.set(session.name, session.value);
  const emails = [`all-${Date.now()}@example.test`, `sqlite-${Date.now()}@example.test`];
  const other = `mdx-${Date.now()}@example.test`;
  const insert = database.prepare(
    `INSERT INTO "Subscriber" ("id", "email", "topics", "subscribedAt") VALUES (?, ?, ?, ?)`,
  );
  insert.run(emails[0], emails[0], "[]", Date.now());
  insert.run(emails[1], emails[1], '["sqlite","reads"]', Date.now());
  insert.run(other, other, '["mdx"]', Date.now());

  const draft = await submit(browser, "/admin/newsletter", ["slug"], {
    slug: "one-door-for-writes",
  });
  const page = draft.path;
  expect(page).toMatch(/^\/admin\/newsletter\/\d+$/);
  const fields = { subject: "News from Hedy", intro: "Hello.", sendAt: "" };
  await submit(browser, page, ["subject"], { ...fields, intent: "test" });
  const test = await waitForEmail(admin.email);
  expect(test.subject).toBe("[Test] News from Hedy");
  const preview = await browser.get(`${page}/preview`);
  expect(preview.text).toContain("Hello.");
  expect((await browser.get(`${page}/preview?as=text`)).text).toContain("Hello.");

  await submit(browser, page, ["subject"], { ...fields, intent: "send" });
  for (const email of emails) {
    const { subject, headerNames } = await waitForEmail(email);
    expect(subject).toBe("News from Hedy");
    expect(headerNames).toContain("list-unsubscribe");
  }
  await expect
    .poll(async () => (await browser.get("/admin/newsletter")).text)
    .toMatch(/News from Hedy[\s\S]*?Sent/);
  expect(
    database
      .prepare(`SELECT "recipientCount", "sentCount" FROM "NewsletterIssue" WHERE "subject" = ?`)
      .get("News from Hedy"),
  ).toEqual({ recipientCount: 2, sentCount: 2 });

  const csv = await browser.get("/admin/newsletter/subscribers.csv");
  expect(csv.text).toContain(`"${emails[1]}","sqlite; reads",`);
  await submit(browser, `/admin/newsletter/subscribers?q=${other}`, ["id"]);
  expect((await browser.get("/admin/newsletter/subscribers.csv")).text).not.toContain(other);
});

test("the newsletter's admin pages are accessible", async ({ page, database, logIn }) => {
  await logIn({ role: "ADMIN" });
  const insert = database.prepare(
    `INSERT INTO "NewsletterIssue" ("createdAt", "postSlug", "subject", "state", "startedAt", "recipientCount") VALUES (?, 'one-door-for-writes', ?, ?, ?, 3)`,
  );
  const draft = insert.run(Date.now(), "A draft", "DRAFT", null).lastInsertRowid;
  const sent = insert.run(Date.now(), "A sent one", "SENT", Date.now()).lastInsertRowid;
  const addDelivery = database.prepare(
    `INSERT INTO "NewsletterDelivery" ("issueId", "subscriberId", "state", "nextTryAt") VALUES (?, ?, ?, 1)`,
  );
  addDelivery.run(sent, "a", "UNCERTAIN");
  addDelivery.run(sent, "b", "FAILED");
  await page.goto("/admin/newsletter?post=one-door-for-writes");
  await expect(page.getByLabel("Post", { exact: true })).toHaveValue("one-door-for-writes");
  for (const path of ["", "/subscribers", `/${draft}`, `/${sent}`]) {
    await page.goto(`/admin/newsletter${path}`);
    await expectAccessible(page, path);
  }
});
