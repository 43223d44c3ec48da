// Checks pages for accessibility violations.

import { expectAccessible } from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";

const PAGES = [
  "/",
  "/blog",
  "/blog/topics/sqlite",
  "/search?q=write",
  "/blog/one-door-for-writes",
  "/blog/what-counts-as-a-read",
  "/blog/a-tour-of-the-code",
  "/about",
  "/how-we-count",
  "/teams",
  "/no-such-page",
];

test.use({ expectedErrors: ["404"] });

test("no page has an accessibility violation", async ({ page }) => {
  test.setTimeout(120_000);
  for (const path of PAGES) {
    await page.goto(path);
    await expectAccessible(page, path);
  }
});

test("in forced colors, the search field shows its focus, and topics and tabs their selection", async ({
  page,
}) => {
  await page.emulateMedia({ forcedColors: "active" });
  await page.goto("/blog?topic=sqlite");
  const field = page.getByRole("searchbox");
  await field.focus();
  await expect(field).toHaveCSS("outline-style", "solid");
  await expect(page.locator(".topics a[aria-current]")).toHaveCSS("border-top-width", "3px");
  const tabs = await page.evaluate(() => {
    const list = document.createElement("div");
    list.className = "tab-list";
    list.innerHTML =
      '<button role="tab" aria-selected="true">A</button><button role="tab" aria-selected="false">B</button>';
    document.body.append(list);
    return [...list.children].map((tab) => getComputedStyle(tab).borderBottomColor);
  });
  expect(tabs[0]).not.toBe(tabs[1]);
});

test("the post page can be used with the keyboard, with visible focus", async ({ page }) => {
  await page.goto("/blog/one-door-for-writes");
  await page.keyboard.press("Tab");
  await expect(page.locator(":focus")).toHaveText(/skip|content/i);
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    const outline = await page.locator(":focus").evaluate((element) => {
      const style = getComputedStyle(element);
      return style.outlineStyle !== "none" || style.boxShadow !== "none";
    });
    expect(outline).toBe(true);
  }
});
