// Tests the newsletter for members, and its admin pages. e2e/journeys/ follows readers and admins.

import type { Database } from "better-sqlite3";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { expectAccessible } from "#tests/support/e2e/accessibility.ts";

/** Returns the ID of a new draft. */
const insertDraft = (database: Database, subject: string) =>
  database
    .prepare(
      `INSERT INTO "NewsletterIssue" ("createdAt", "postSlug", "subject", "state", "recipientCount") VALUES (?, 'one-door-for-writes', ?, 'DRAFT', 0)`,
    )
    .run(Date.now(), subject).lastInsertRowid;

test.afterEach(({ database }) => {
  database.prepare(`DELETE FROM "User" WHERE "role" = 'ADMIN'`).run();
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

test("an incomplete unsubscribe link says so instead of offering a button that fails", async ({
  page,
}) => {
  for (const query of ["", "?token=damaged"]) {
    await page.goto(`/unsubscribe${query}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("This link doesn’t work");
    await expect(page.getByRole("main").getByRole("button")).toHaveCount(0);
  }
  await expectAccessible(page, "damaged unsubscribe link");
});

test("the newsletter's admin pages are accessible", async ({ page, database, logIn }) => {
  await logIn({ role: "ADMIN" });
  const insert = database.prepare(
    `INSERT INTO "NewsletterIssue" ("createdAt", "postSlug", "subject", "state", "startedAt", "recipientCount") VALUES (?, 'one-door-for-writes', ?, ?, ?, 3)`,
  );
  const draft = insert.run(Date.now(), "A draft", "DRAFT", null).lastInsertRowid;
  const sent = insert.run(Date.now(), "A sent one", "SENT", Date.now()).lastInsertRowid;
  const stopped = insert.run(Date.now(), "A stopped one", "CANCELED", Date.now()).lastInsertRowid;
  const addDelivery = database.prepare(
    `INSERT INTO "NewsletterDelivery" ("issueId", "subscriberId", "state", "nextTryAt") VALUES (?, ?, ?, 1)`,
  );
  addDelivery.run(sent, "a", "UNCERTAIN");
  addDelivery.run(sent, "b", "FAILED");
  addDelivery.run(stopped, "a", "PENDING");
  await page.goto("/admin/newsletter?post=one-door-for-writes");
  await expect(page.getByLabel("Post", { exact: true })).toHaveValue("one-door-for-writes");
  for (const path of ["", "/subscribers", `/${draft}`, `/${sent}`, `/${stopped}`]) {
    await page.goto(`/admin/newsletter${path}`);
    await expectAccessible(page, path);
  }
});

test("Enter in a draft saves it, and sends nothing", async ({ page, database, logIn }) => {
  await logIn({ role: "ADMIN" });
  const id = insertDraft(database, "A draft");
  await page.goto(`/admin/newsletter/${id}`);
  await expect(page.getByRole("link", { name: "one-door-for-writes" })).toHaveAttribute(
    "href",
    "/admin/posts/one-door-for-writes",
  );
  await page.getByLabel("Subject").fill("A better subject");
  await page.getByLabel("Subject").press("Enter");
  await expect(page.getByText("Saved.")).toBeVisible();
  expect(
    database.prepare(`SELECT "subject", "state" FROM "NewsletterIssue" WHERE "id" = ?`).get(id),
  ).toEqual({ subject: "A better subject", state: "DRAFT" });
});

test.describe("while the server can't be reached", () => {
  test.use({ expectedErrors: ["ERR_FAILED"] });

  test("the chosen topics are kept", async ({ page, logIn }) => {
    await logIn();
    await page.goto("/me");
    await page.getByRole("button", { name: "Subscribe", exact: true }).click();
    const topic = page.getByRole("group", { name: "Topics" }).getByRole("checkbox").first();
    await topic.check();
    await page.route("**/me", (route) =>
      route.request().method() === "POST" ? route.abort() : route.continue(),
    );
    await page.getByRole("button", { name: "Save topics" }).click();
    await expect(page.getByText("No response from the server.")).toBeVisible();
    await expect(topic).toBeChecked();
    await page.getByRole("button", { name: "Unsubscribe" }).click();
    await expect(page.getByText("No response from the server. Please try again.")).toBeVisible();
    await page.unroute("**/me");
    await page.getByRole("button", { name: "Save topics" }).click();
    await expect(page.getByText("Topics saved.")).toBeVisible();
    await expect(topic).toBeChecked();
  });
});

test("a draft keeps its text and its time when it is saved and tested", async ({
  page,
  database,
  logIn,
}) => {
  await logIn({ role: "ADMIN" });
  const id = insertDraft(database, "First");
  const readIssue = () =>
    database
      .prepare(`SELECT "subject", "intro", "state", "sendAt" FROM "NewsletterIssue" WHERE "id" = ?`)
      .get(id);
  const saved = {
    subject: "Second",
    intro: "A note",
    sendAt: Date.UTC(2099, 2, 29, 2, 30),
  };
  const expectFields = async () => {
    await expect(page.getByLabel("Subject")).toHaveValue("Second");
    await expect(page.getByLabel("Note")).toHaveValue("A note");
    await expect(page.getByLabel("Send at (UTC)")).toHaveValue("2099-03-29T02:30");
  };
  await page.goto(`/admin/newsletter/${id}`);
  await page.getByLabel("Subject").fill("Second");
  await page.getByLabel("Note").fill("A note");
  await page.getByLabel("Send at (UTC)").fill("2099-03-29T02:30");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Saved.", { exact: true })).toBeVisible();
  await expectFields();
  await page.getByRole("button", { name: "Send me a test" }).click();
  await expect(page.getByText("Test sent to")).toBeVisible();
  await expectFields();
  await page.reload();
  await expectFields();
  expect(readIssue()).toEqual({ ...saved, state: "DRAFT" });
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.getByText(/^Sending at/)).toContainText("2099-03-29 02:30 UTC to ");
  expect(readIssue()).toEqual({ ...saved, state: "SCHEDULED" });
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("Canceled. Nothing was sent.")).toBeVisible();
  await expectFields();
});

test("a draft that another tab has changed is not overwritten or sent", async ({
  page,
  database,
  logIn,
}) => {
  await logIn({ role: "ADMIN" });
  const id = insertDraft(database, "First");
  const other = await page.context().newPage();
  await page.goto(`/admin/newsletter/${id}`);
  await other.goto(`/admin/newsletter/${id}`);
  await other.getByLabel("Subject").fill("Corrected");
  await other.getByRole("button", { name: "Save", exact: true }).click();
  await expect(other.getByText("Saved.", { exact: true })).toBeVisible();
  await page.getByLabel("Note").fill("My note");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.getByText("This draft has changed since you opened it")).toBeVisible();
  await expect(page.getByLabel("Note")).toHaveValue("My note");
  expect(
    database.prepare(`SELECT "subject", "state" FROM "NewsletterIssue" WHERE "id" = ?`).get(id),
  ).toEqual({ subject: "Corrected", state: "DRAFT" });
});

test("what is typed stays if the session has expired", async ({ page, database, logIn }) => {
  const adminId = await logIn({ role: "ADMIN" });
  const id = insertDraft(database, "First");
  await page.goto(`/admin/newsletter/${id}`);
  await page.getByLabel("Note").fill("A long note");
  database.prepare(`DELETE FROM "Session" WHERE "userId" = ?`).run(adminId);
  const save = page.getByRole("button", { name: "Save", exact: true });
  await save.click();
  const loginTab = page.waitForEvent("popup");
  await page.getByRole("alert").getByRole("link", { name: "Log in" }).click();
  await expect(await loginTab).toHaveURL(/\/login\?next=/);
  await logIn({ role: "ADMIN" });
  await expect(page.getByLabel("Note")).toHaveValue("A long note");
  await save.click();
  await expect(page.getByText("Saved.", { exact: true })).toBeVisible();
  expect(
    database.prepare(`SELECT "intro" FROM "NewsletterIssue" WHERE "id" = ?`).pluck().get(id),
  ).toBe("A long note");
});

test("removing a subscriber says so, and keeps the focus", async ({ page, database, logIn }) => {
  await logIn({ role: "ADMIN" });
  for (const name of ["first", "second"])
    database
      .prepare(`INSERT INTO "Subscriber" ("id", "email", "subscribedAt") VALUES (?, ?, ?)`)
      .run(name, `${name}@removal.test`, Date.now());
  await page.goto("/admin/newsletter/subscribers");
  const button = page.getByRole("button", { name: "Remove first@removal.test" });
  await expect(button).toBeHidden();
  await page.locator("summary", { hasText: "first@removal.test" }).click();
  await button.click();
  await expect(page.getByText("Removed.", { exact: true })).toBeVisible();
  await expect(page.locator("[data-form-message]")).toBeFocused();
  expect(
    database
      .prepare(`SELECT "id" FROM "Subscriber" WHERE "email" LIKE '%@removal.test'`)
      .pluck()
      .all(),
  ).toEqual(["second"]);
});
