// Follows an admin without JavaScript: they share a draft, publish and unpublish an episode, decline a
// call, and send a newsletter.

import { readFileSync } from "node:fs";
import { sqlOf } from "#lib/db/sql.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { writeToSite } from "#tests/support/e2e/site-database.ts";
import { insertAnswer, insertCall, insertUser } from "#tests/support/factories.ts";

test.use({ javaScriptEnabled: false, expectedErrors: ["404"] });

test.afterEach(({ database }) => {
  database.prepare(`DELETE FROM "User" WHERE "role" = 'ADMIN'`).run();
});

test("an admin shares a draft with a preview link, and withdraws it", async ({
  page,
  browser,
  logIn,
}) => {
  await logIn({ role: "ADMIN" });
  await page.goto("/admin/posts?state=draft");
  await page.getByRole("link", { name: "A draft for the browser tests" }).click();
  await page.getByRole("button", { name: "Create link" }).click();
  const links = page.getByRole("region", { name: "Preview links" });
  const url = (await links.getByRole("link").getAttribute("href"))!;

  const guest = await browser.newContext();
  const preview = await guest.newPage();
  expect((await preview.goto(url))?.status()).toBe(200);
  await expect(preview.getByRole("heading", { level: 1 })).toHaveText(/A draft/);
  expect(await preview.locator("meta[name=robots]").getAttribute("content")).toContain("noindex");
  expect((await preview.goto(`${url.slice(0, -1)}_`))?.status()).toBe(404);
  await links.getByRole("button", { name: "Withdraw" }).click();
  await expect(links.getByRole("link")).toHaveCount(0);
  expect((await preview.goto(url))?.status()).toBe(404);
  await guest.close();
});

test(
  "an admin claims, edits, publishes, unpublishes and declines a call",
  { tag: "@replica" },
  async ({ page, database, logIn, waitForEmail }) => {
    test.setTimeout(90_000);
    const { email, id, freshId } = await writeToSite(database, (tx) => {
      const caller = insertUser(tx, { firstName: "Ada" });
      const { id } = insertCall(tx, { userId: caller.id });
      sqlOf(tx).run(`UPDATE "CallReview" SET "state" = 'ANSWERED' WHERE "callId" = ?`, id);
      const audio = readFileSync("tests/fixtures/audio/tone.mp3");
      insertAnswer(tx, { callId: id, contentType: "audio/mpeg", durationMs: 2_100, audio });
      return { email: caller.email, id, freshId: insertCall(tx, { userId: caller.id }).id };
    });
    const stateOf = (callId: string) =>
      database.prepare(`SELECT "state" FROM "CallReview" WHERE "callId" = ?`).pluck().get(callId);
    await logIn({ role: "ADMIN", firstName: "Grace" });
    await page.goto(`/admin/calls/${freshId}`);
    await page.getByRole("button", { name: "Assign to me" }).click();
    await expect(page.getByText("Assigned to you.")).toBeVisible();
    expect(stateOf(freshId)).toBe("REVIEWING");
    await page.getByRole("button", { name: "Unassign" }).click();
    await expect(page.getByText("Moved back to New.")).toBeVisible();

    await page.goto(`/admin/calls/${id}`);
    await expect(page.locator("audio[controls]").first()).toBeVisible();
    await page.getByLabel("Title").fill("No");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Use at least 5 characters (you have 2).")).toBeVisible();
    await page.getByLabel("Title").fill("A title without scripts");
    await page.getByLabel("Note").fill("Nice one.");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Saved.")).toBeVisible();
    await page.getByRole("button", { name: "Publish" }).click();
    await expect(page.getByText(/Published as episode \d+/)).toBeVisible({ timeout: 30_000 });
    expect((await waitForEmail(email)).subject).toContain("A title without scripts");
    await page.locator("summary", { hasText: "Unpublish" }).click();
    await page.getByRole("button", { name: "Unpublish" }).click();
    await expect(page.getByText("Unpublished. The caller was not notified.")).toBeVisible();
    await page.getByLabel("Reason").fill("It was asked before.");
    await page.getByRole("button", { name: "Decline" }).click();
    await expect(page.getByText("Declined. We’ll email your reason to the caller.")).toBeVisible();
    expect((await waitForEmail(email)).text).toContain("It was asked before.");
  },
);

test("an admin previews a post, sends a test, and sends it to subscribers", async ({
  page,
  database,
  logIn,
  waitForEmail,
}) => {
  const adminId = await logIn({ role: "ADMIN", firstName: "Hedy" });
  const adminEmail = database
    .prepare(`SELECT "email" FROM "User" WHERE "id" = ?`)
    .pluck()
    .get(adminId) as string;
  const emails = [`all-${Date.now()}@example.test`, `sqlite-${Date.now()}@example.test`];
  const other = `mdx-${Date.now()}@example.test`;
  const insert = database.prepare(
    `INSERT INTO "Subscriber" ("id", "email", "topics", "subscribedAt") VALUES (?, ?, ?, ?)`,
  );
  insert.run(emails[0], emails[0], "[]", Date.now());
  insert.run(emails[1], emails[1], '["sqlite","reads"]', Date.now());
  insert.run(other, other, '["mdx"]', Date.now());

  await page.goto("/admin/newsletter");
  await page.getByLabel("Post", { exact: true }).selectOption("one-door-for-writes");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page).toHaveURL(/\/admin\/newsletter\/\d+$/);
  const issue = page.url();
  await page.getByLabel("Subject").fill("News from Hedy");
  await page.getByLabel("Note").fill("Hello.");
  await page.getByRole("button", { name: "Send me a test" }).click();
  expect((await waitForEmail(adminEmail)).subject).toBe("[Test] News from Hedy");
  for (const view of ["", "?as=text"])
    expect(await (await page.request.get(`${issue}/preview${view}`)).text()).toContain("Hello.");

  const send = page.getByRole("button", { name: "Send", exact: true });
  await send.click();
  await expect(page.getByText(/^Sending at/)).toContainText(/ UTC to 2 subscribers\.$/);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("Canceled. Nothing was sent.")).toBeVisible();
  await send.click();
  await expect(page.getByText(/^Sending at/)).toBeVisible();
  database
    .prepare(`UPDATE "NewsletterIssue" SET "sendAt" = ? WHERE "state" = 'SCHEDULED'`)
    .run(Date.now());
  for (const email of emails) {
    const { subject, headerNames } = await waitForEmail(email);
    expect(subject).toBe("News from Hedy");
    expect(headerNames).toContain("list-unsubscribe");
  }
  await expect(async () => {
    await page.goto("/admin/newsletter");
    await expect(page.getByRole("row", { name: /News from Hedy/ })).toContainText("Sent", {
      timeout: 100,
    });
  }).toPass({ timeout: 10_000 });
  expect(
    database
      .prepare(`SELECT "recipientCount", "sentCount" FROM "NewsletterIssue" WHERE "subject" = ?`)
      .get("News from Hedy"),
  ).toEqual({ recipientCount: 2, sentCount: 2 });

  const readCsv = async () => (await page.request.get("/admin/newsletter/subscribers.csv")).text();
  expect(await readCsv()).toContain(`"${emails[1]}","sqlite; reads",`);
  await page.goto(`/admin/newsletter/subscribers?q=${other}`);
  await page.locator("summary", { hasText: "Remove" }).click();
  await page.getByRole("button", { name: "Remove" }).click();
  await expect.poll(readCsv).not.toContain(other);
});
