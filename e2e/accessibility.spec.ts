// Checks pages for accessibility violations.

import { expect, test } from "#tests/support/e2e/fixtures.ts";

const PAGES = [
  "/",
  "/blog",
  "/blog?q=write",
  "/blog/one-door-for-writes",
  "/blog/what-counts-as-a-read",
  "/blog/a-tour-of-the-code",
  "/blog/the-session-that-renews-itself",
  "/about",
  "/how-we-count",
  "/teams",
  "/no-such-page",
];

test.use({ expectedErrors: ["404"] });

for (const colorScheme of ["light", "dark"] as const) {
  for (const [name, viewport] of [
    ["desktop", { width: 1280, height: 900 }],
    ["phone", { width: 390, height: 844 }],
  ] as const) {
    test(`no page has an accessibility violation: ${colorScheme}, ${name}`, async ({
      page,
      makeAxeBuilder,
    }) => {
      test.setTimeout(120_000);
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const path of PAGES) {
        await page.goto(path);
        const { violations } = await makeAxeBuilder().analyze();
        expect(
          violations.map(
            ({ id, nodes }) =>
              `${path} ${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
          ),
        ).toEqual([]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
      }
    });
  }
}

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
