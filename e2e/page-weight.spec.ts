// Limits what pages send.

import type { Page } from "@playwright/test";
import { expect, test } from "#tests/support/e2e/fixtures.ts";

/** Opens `path` and returns its scripts, with their sizes in transit in kB. */
async function loadScripts(page: Page, path: string) {
  const scripts: { url: string; text: string; sentKb: number }[] = [];
  const pending: Promise<void>[] = [];
  page.on("response", (response) => {
    if (response.request().resourceType() === "script")
      pending.push(
        Promise.all([response.text(), response.request().sizes()]).then(
          ([text, { responseBodySize }]) =>
            void scripts.push({ url: response.url(), text, sentKb: responseBodySize / 1_000 }),
        ),
      );
  });
  await page.goto(path, { waitUntil: "networkidle" });
  await Promise.all(pending);
  return scripts;
}

const sumKb = (scripts: readonly { sentKb: number }[]) =>
  scripts.reduce((sum, { sentKb }) => sum + sentKb, 0);

test("a post with a component sends at most 130 kB of JavaScript, and no MDX compiler in it", async ({
  page,
}) => {
  const scripts = await loadScripts(page, "/blog/one-door-for-writes");
  expect(scripts.length).toBeGreaterThan(0);
  expect(sumKb(scripts)).toBeLessThanOrEqual(130);
  for (const { url, text } of scripts)
    expect(/micromark|mdxJsx|remark-|hast-util/.test(text), url).toBe(false);
});

/** Reading pages, including searched and filtered lists, and a URL with a query parameter. */
const READING_PAGES = [
  "/",
  "/blog?q=zebra",
  "/blog?topic=testing&sort=most-read",
  "/blog?page=2",
  "/blog/topics/testing",
  "/blog/archive/2026",
  "/blog/one-key-one-producer?ref=newsletter",
  "/calls/subscribe",
  "/teams",
  "/about",
  "/how-we-count",
  "/search?q=zebra",
];

test.describe("a page without interactive components", () => {
  test.skip(process.env.PAGE_CACHE === "off", "Next sends React with every page.");

  for (const kind of ["guest", "member"] as const) {
    test(`sends a ${kind} no React, even if it is searched or has a query`, async ({
      page,
      logIn,
    }) => {
      if (kind === "member") await logIn();
      for (const path of READING_PAGES) {
        const response = await page.request.get(path);
        expect(response.status(), path).toBe(200);
        const html = await response.text();
        expect(html, path).not.toContain("__next_f");
        expect(html.match(/<script\b[^>]*\bsrc=/g), path).toHaveLength(1);
      }
    });

    test(`sends a ${kind} the list of posts with at most 5 kB of JavaScript`, async ({
      page,
      logIn,
    }) => {
      if (kind === "member") await logIn();
      const scripts = await loadScripts(page, "/blog");
      expect(scripts.length).toBe(2);
      expect(sumKb(scripts)).toBeLessThanOrEqual(5);
    });
  }
});

test.describe("a post without interactive components", () => {
  test.skip(process.env.PAGE_CACHE === "off", "Next sends React with every page.");

  for (const kind of ["guest", "member"] as const)
    test(`sends a ${kind} one small script, and its text once`, async ({ page, logIn }) => {
      if (kind === "member") await logIn();
      const scripts = await loadScripts(page, "/blog/one-key-one-producer");
      expect(scripts.length).toBe(1);
      expect(sumKb(scripts)).toBeLessThanOrEqual(4);
      const html = await (await page.request.get("/blog/one-key-one-producer")).text();
      const sentence = await page.locator(".prose > .post-html > p").first().innerText();
      expect(html.split(sentence.slice(0, 40))).toHaveLength(2);
      expect(html).not.toContain("__next_f");
    });

  test("has the search palette with its styles", async ({ page }) => {
    await page.goto("/blog/one-key-one-producer");
    await page.keyboard.press("/");
    const field = page.getByRole("combobox");
    await expect(field).toBeFocused();
    expect(await page.getByRole("dialog").evaluate((e) => getComputedStyle(e).padding)).toBe("0px");
    await field.pressSequentially("zebra");
    await expect(page.getByRole("option").first()).toContainText("A film about lecterns");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
  });

  test("has tabs, which load only their own script", async ({ page }) => {
    const scripts = await loadScripts(page, "/blog/only-tabs");
    expect(scripts.length).toBe(2);
    expect(sumKb(scripts)).toBeLessThanOrEqual(5);
    await page.getByRole("tab", { name: "One" }).press("ArrowRight");
    await expect(page.getByRole("tab", { name: "Two" })).toBeFocused();
    await expect(page.getByRole("tabpanel", { name: "Two" })).toBeVisible();
    await expect(page.getByText("The first panel.")).toBeHidden();
    // A link to a heading in another panel opens that panel, and so does reloading its URL.
    await page.getByRole("tab", { name: "One" }).click();
    const heading = page.getByRole("heading", { name: "In the second panel" });
    await expect(heading).toBeHidden();
    await page.evaluate(() => (location.hash = "#in-the-second-panel"));
    await expect(heading).toBeInViewport();
    await page.reload();
    await expect(heading).toBeInViewport();
  });
});
