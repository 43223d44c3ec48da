// Follows a reader without an account and without JavaScript: they search, read, follow a topic,
// subscribe and unsubscribe.

import { PHONE } from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";

test.use({
  contextOptions: { reducedMotion: "no-preference" },
  javaScriptEnabled: false,
  viewport: PHONE,
});

test("a reader finds a post, reads it, and subscribes to its topic", async ({
  page,
  database,
  waitForEmail,
}) => {
  const email = `reader-${Date.now()}@example.test`;
  const findTopics = () =>
    database.prepare(`SELECT "topics" FROM "Subscriber" WHERE "email" = ?`).pluck().get(email);
  const main = page.getByRole("main");
  await page.goto("/");
  await page.getByRole("banner").getByRole("link", { name: "Search" }).click();
  await page.getByRole("searchbox").fill("zebra");
  await page.getByRole("searchbox").press("Enter");
  await expect(page).toHaveURL(/\/search\?q=zebra/);
  await main.getByRole("link", { name: "A film about lecterns" }).first().click();
  await expect(page.getByText("marzipan zebra")).toBeVisible();

  await page.goto("/blog");
  await page.getByRole("searchbox").fill("zebra");
  await page.getByRole("searchbox").press("Enter");
  await expect(page).toHaveURL(/\/blog\?q=zebra/);
  await expect(main.getByRole("link", { name: "A film about lecterns" }).first()).toBeVisible();
  await page.goto("/blog/topics/sqlite");
  await main.locator(".card-link").first().click();
  await expect(page.locator("[data-article-end]")).toBeAttached();

  await page.getByRole("contentinfo").getByRole("link", { name: "Subscribe" }).click();
  await page.getByLabel("Email address").fill(email);
  await main.getByRole("button", { name: "Subscribe" }).click();
  const request = await waitForEmail(email);
  expect(findTopics()).toBeUndefined();
  const confirmation = /http:\S+\/subscribe\/confirm\?token=\S+/.exec(request.text)![0];
  await page.goto(confirmation);
  await page.getByRole("checkbox", { name: "SQLite" }).check();
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("You’re subscribed");
  const welcome = await waitForEmail(email);
  expect(findTopics()).toBe('["sqlite"]');
  // Confirming again keeps the topics.
  await page.goto(confirmation);
  await expect(page.getByRole("checkbox", { name: "SQLite" })).toBeChecked();
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("You’re subscribed");
  expect(findTopics()).toBe('["sqlite"]');

  await page.goto(/http:\S+\/unsubscribe\?token=\S+/.exec(welcome.text)![0]);
  await page.getByRole("checkbox", { name: "MDX" }).check();
  await page.getByRole("button", { name: "Save topics" }).click();
  await expect.poll(findTopics).toBe('["mdx","sqlite"]');
  await page.getByRole("button", { name: "Unsubscribe" }).click();
  for (const isFirst of [true, false]) {
    if (!isFirst) await page.reload();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Unsubscribed");
    await expect(main.getByRole("button")).toHaveCount(0);
  }
  expect(findTopics()).toBeUndefined();
});
