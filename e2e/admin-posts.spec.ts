// Tests the admin pages of posts: the list, preview links, and viewing a post as a reader.

import { expect, test } from "#tests/support/e2e/fixtures.ts";

test("a preview link opens a draft without an account, until an admin withdraws it", async ({
  page,
  browser,
  logIn,
  expectedErrors,
}) => {
  expectedErrors.push("404");
  await logIn({ role: "ADMIN" });
  await page.goto("/admin/posts?state=draft");
  await page.getByRole("link", { name: "A draft for the browser tests" }).click();
  await expect(page).toHaveURL("/admin/posts/a-draft");
  await page.getByRole("button", { name: "Create link" }).click();
  const links = page.getByRole("region", { name: "Preview links" });
  const url = await links.getByRole("link").getAttribute("href");

  const guest = await browser.newContext();
  const preview = await guest.newPage();
  expect((await preview.goto(url!))?.status()).toBe(200);
  await expect(preview.getByRole("heading", { level: 1 })).toHaveText(/A draft/);
  expect(await preview.locator("meta[name=robots]").getAttribute("content")).toContain("noindex");
  expect((await preview.goto(`${url!.slice(0, -1)}_`))?.status()).toBe(404);

  await links.getByRole("button", { name: "Withdraw" }).click();
  await expect(links.getByRole("link")).toHaveCount(0);
  expect((await preview.goto(url!))?.status()).toBe(404);
  await guest.close();
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
