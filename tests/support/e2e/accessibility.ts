// Checks pages with axe: all rules in every viewport, and colors also in the dark scheme. Also fails
// if a page scrolls sideways.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import AxeBuilder from "@axe-core/playwright";
import { type Page, expect } from "@playwright/test";

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** The rules whose result depends on the color scheme. */
const COLOR_RULES = ["color-contrast", "link-in-text-block"];

const axeSource = readFileSync(
  createRequire(import.meta.resolve("@axe-core/playwright")).resolve("axe-core/axe.min.js"),
  "utf8",
);

/**
 * Returns one line per violation. Uses axe's legacy mode, which needs no second page, but skips
 * frames of other origins, such as embeds. Each document loads axe once, because loading it takes
 * longer than a run.
 */
async function findViolations(page: Page, runOnly: { type: "tag" | "rule"; values: string[] }) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const { violations } = await new AxeBuilder({ page, axeSource: ";" })
    .setLegacyMode()
    // Only an experimental rule, which doesn't run, reads the style sheets that axe would load. For
    // the length of each audio element that hasn't loaded, axe would wait ten seconds.
    .options({ runOnly, resultTypes: ["violations"], preload: false })
    .analyze();
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
  );
}

/** Returns how many pixels wider than its viewport the page is. */
export const measureOverflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/**
 * Fails if the page in its current state has a violation or scrolls sideways. Runs every rule once
 * per viewport, and in the first one color rules also in the dark scheme. The page keeps the last
 * viewport.
 */
export async function expectAccessible(
  page: Page,
  state: string,
  viewports = [DESKTOP, PHONE],
): Promise<void> {
  // After a client-side navigation, Next adds the title a moment later than the content.
  await expect(page).toHaveTitle(/\S/);
  for (const [i, viewport] of viewports.entries()) {
    await page.setViewportSize(viewport);
    for (const colorScheme of i === 0 ? (["dark", "light"] as const) : (["light"] as const)) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
      expect(
        await findViolations(
          page,
          colorScheme === "dark"
            ? { type: "rule", values: COLOR_RULES }
            : { type: "tag", values: TAGS },
        ),
        `${state}: ${colorScheme}, ${viewport.width} px wide`,
      ).toEqual([]);
    }
    expect(
      await measureOverflow(page),
      `${state} scrolls sideways at ${viewport.width} px`,
    ).toBeLessThanOrEqual(0);
  }
}
