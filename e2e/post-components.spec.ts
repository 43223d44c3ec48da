// Tests posts with components: their HTML, their interaction, their failures, and a push that changes them.

import type { Browser } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBuiltSite } from "#tests/support/built-site.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { readFilesBelow, startGitHost } from "#tests/support/git-host.ts";

const FIXTURE = "tests/fixtures/posts/interactive-post";

test("components are in the HTML, and look right, without JavaScript", async ({ browser }) => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto("/blog/interactive-post");
  const demo = page.getByRole("region", { name: "Starts at 3" });
  await expect(demo.getByRole("button", { name: "Pressed 3 times" })).toBeVisible();
  await expect(demo.getByText("Some static text.")).toBeVisible();
  expect(await demo.evaluate((element) => getComputedStyle(element).borderTopColor)).toBe(
    "rgb(1, 2, 3)",
  );
  await expect(page.getByText("The second panel.")).toBeVisible();
  await expect(page.getByRole("tablist")).toBeHidden();
  await page.close();
});

for (const kind of ["visitor", "member"] as const)
  test(`a ${kind} can use the components of a post`, async ({ page, logIn }) => {
    if (kind === "member") await logIn();
    await page.goto("/blog/interactive-post");
    const demo = page.getByRole("region", { name: "Starts at 3" });
    const element = await demo.elementHandle();
    await expect(async () => {
      await demo.getByRole("button", { name: /^Pressed/ }).click();
      await expect(demo.getByRole("button", { name: /^Pressed [4-9]/ })).toBeVisible({
        timeout: 500,
      });
    }).toPass();
    await demo.getByRole("button", { name: "Toggle text" }).click();
    await expect(page.getByTestId("late")).toHaveText("Some static text.");
    // The server's elements are adopted, not replaced.
    expect(await element!.evaluate((one) => one.isConnected)).toBe(true);
    await page.getByRole("tab", { name: "One" }).press("ArrowRight");
    await expect(page.getByRole("tab", { name: "Two" })).toBeFocused();
    await expect(page.getByRole("tabpanel", { name: "Two" })).toBeVisible();
    await expect(page.getByText("The first panel.")).toBeHidden();
    // With a modifier, the key is the browser's: Alt+Left goes back.
    await page.keyboard.press("Alt+ArrowLeft");
    await expect(page.getByRole("tabpanel", { name: "Two" })).toBeVisible();
  });

test.describe("failing components", () => {
  test.use({ expectedErrors: ["thrown", "failed", "Minified React error", "418"] });

  test("each is a named box, and the rest of the post works", async ({ page }) => {
    await page.goto("/blog/broken-components");
    for (const name of ["Throws", "Window", "Objects", "Mount"])
      await expect(page.getByText(`${name} could not be shown.`)).toBeVisible();
    await page.getByRole("button", { name: "Press me" }).click();
    await expect(page.getByText("Press could not be shown.")).toBeVisible();
    await page.getByRole("button", { name: /^browser 0/ }).click();
    await expect(page.getByRole("button", { name: "browser 1" })).toBeVisible();
    await expect(page.getByText("The first sentence.")).toBeVisible();
    await expect(page.getByText("The last sentence.")).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  });
});

/** Returns the scripts that a browser with an empty cache loads: their paths and bytes. */
async function weighScripts(browser: Browser, path: string): Promise<Map<string, number>> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const scripts = new Map<string, number>();
  const pending: Promise<void>[] = [];
  page.on("response", (response) => {
    const request = response.request();
    const { pathname } = new URL(response.url());
    if (request.resourceType() === "script")
      pending.push(
        request.sizes().then(({ responseBodySize }) => {
          scripts.set(pathname, responseBodySize);
        }),
      );
  });
  await page.goto(path, { waitUntil: "networkidle" });
  await Promise.all(pending);
  await context.close();
  return scripts;
}

test("a post's code loads on its own page only, and adds no more than its own size", async ({
  browser,
}) => {
  // With this query, every page has React.
  const plain = await weighScripts(browser, "/blog/three-dates-in-one-column?listening");
  const withCode = await weighScripts(browser, "/blog/interactive-post?listening");
  const isPostCode = (url: string) => url.startsWith("/post-code/");
  const total = (scripts: Map<string, number>) =>
    [...scripts.values()].reduce((sum, bytes) => sum + bytes, 0);
  expect([...plain.keys()].filter(isPostCode)).toEqual([]);
  const own = [...withCode].filter(([url]) => isPostCode(url));
  expect(own).toHaveLength(1);
  const added = total(withCode) - total(plain);
  console.log(
    `JavaScript: ${total(plain)} bytes without components, ${added} more with them, of which ${own[0]![1]} are the post's own`,
  );
  for (const bytes of [...plain.values(), ...withCode.values()]) expect(bytes).toBeGreaterThan(0);
  expect(own[0]![1]).toBeLessThanOrEqual(added);
  expect(added).toBeLessThan(8_000);
});

test("a component changed by a push is live within seconds, without a restart", async ({
  page,
}) => {
  const repository = "ada/site";
  const secret = "only-for-the-webhook-of-this-test";
  const git = await startGitHost({ repository });
  const folder = mkdtempSync(join(tmpdir(), "lectern-components-"));
  const files = readFilesBelow(FIXTURE, "content/blog/interactive-post");
  git.commit(files);
  const site = await startBuiltSite({
    folder,
    env: {
      CONTENT_SOURCE: "git",
      CONTENT_GIT_API: git.api,
      CONTENT_GIT_REPOSITORY: repository,
      CONTENT_GIT_PATH: "content",
      CONTENT_WEBHOOK_SECRET: secret,
      FETCH_ALLOW_PRIVATE: git.address,
      SESSION_SECRET: "only-for-the-browser-tests-0123456789",
    },
  });
  try {
    await page.goto(`${site.url}/blog/interactive-post`);
    await expect(page.getByRole("button", { name: "Pressed 3 times" })).toBeVisible();
    const describe = "content/blog/interactive-post/components/describe.js";
    const commit = git.commit({
      ...files,
      [describe]: "export const describe = (start) => `Changed, from ${start}`;",
    });
    const { body, headers } = git.makePushWebhook(secret, commit);
    const pushed = await fetch(`${site.url}/api/content-webhook`, {
      method: "POST",
      body,
      headers,
    });
    expect(pushed.ok).toBe(true);
    const pushedMs = Date.now();
    const demo = page.getByRole("region", { name: "Changed, from 3" });
    await expect(async () => {
      await page.reload();
      await expect(demo).toBeVisible({ timeout: 100 });
    }).toPass({ timeout: 30_000 });
    console.log(`A changed component was live ${Date.now() - pushedMs} ms after the webhook`);
    await expect(async () => {
      await demo.getByRole("button", { name: /^Pressed/ }).click();
      await expect(demo.getByRole("button", { name: /^Pressed [4-9]/ })).toBeVisible({
        timeout: 500,
      });
    }).toPass();
  } finally {
    await site.stop();
    await git.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
