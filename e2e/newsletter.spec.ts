// Tests the newsletter as a reader and as an admin, without JavaScript where forms allow it.

import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { PORT } from "#tests/support/e2e/site-under-test.ts";
import { NoJsBrowser, findForm } from "#tests/support/no-js-browser.ts";
import { expectAccessible } from "#tests/support/e2e/accessibility.ts";

const ORIGIN = `http://localhost:${PORT}`;

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

test("a member subscribes on the account page with one press", async ({
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
