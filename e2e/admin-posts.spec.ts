// Tests viewing a post as a reader from its admin page.

import { expect, test } from "#tests/support/e2e/fixtures.ts";

test.afterEach(({ database }) => {
  database.prepare(`DELETE FROM "PreviewLink"`).run();
});

test("an admin sees a post as a reader does, without a count, and can send it", async ({
  page,
  logIn,
}) => {
  await logIn({ role: "ADMIN" });
  await page.goto("/admin/posts/a-tour-of-the-code");
  await expect(page.getByRole("link", { name: "Send to subscribers" })).toHaveAttribute(
    "href",
    "/admin/newsletter?post=a-tour-of-the-code",
  );
  await expect(page.getByRole("link", { name: "Edit" })).toHaveAttribute("href", /a-tour/);
  await page.getByRole("link", { name: "View as reader" }).click();
  await expect(page.getByRole("heading", { level: 1 })).not.toHaveText(/admin/i);
  await expect(page.locator("[data-article-end]")).toBeAttached();
  await expect(page.locator("[data-read-mark], .save-post")).toHaveCount(0);
});

test("a double click on a button submits its form once", async ({ page, logIn, database }) => {
  await logIn({ role: "ADMIN" });
  await page.goto("/admin/posts/a-draft");
  const countLinks = () => database.prepare(`SELECT COUNT(*) FROM "PreviewLink"`).pluck().get();
  const before = countLinks() as number;
  await page.getByRole("button", { name: "Create link" }).dblclick();
  await expect(page.getByText("Link created.")).toBeVisible();
  // A second request would follow the first.
  await page.waitForLoadState("networkidle");
  expect(countLinks()).toBe(before + 1);
});

test("withdrawing a preview link says so", async ({ page, logIn, database }) => {
  await logIn({ role: "ADMIN" });
  await page.goto("/admin/posts/a-draft");
  await page.getByRole("button", { name: "Create link" }).click();
  await expect(page.getByText("Link created.")).toBeVisible();
  const countLinks = () => database.prepare(`SELECT COUNT(*) FROM "PreviewLink"`).pluck().get();
  const before = countLinks() as number;
  await page.getByRole("button", { name: "Withdraw" }).first().click();
  await expect(page.getByText("Withdrawn. The link no longer works.")).toBeVisible();
  await expect(page.locator("[data-form-message]")).toBeFocused();
  expect(countLinks()).toBe(before - 1);
});
