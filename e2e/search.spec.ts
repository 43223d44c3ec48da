// Tests the search palette with the keyboard, and the search page.

import { PHONE, expectAccessible } from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";

test("the palette opens on /, searches as the reader types, and opens the chosen result", async ({
  page,
}) => {
  await page.goto("/about", { waitUntil: "networkidle" });
  const link = page.getByRole("banner").getByRole("link", { name: "Search" });
  await link.focus();
  await page.keyboard.press("/");
  const field = page.getByRole("combobox");
  await expect(field).toBeFocused();
  await field.pressSequentially("marzipn zebra"); // with a typo
  const options = page.getByRole("option");
  await expect(options.first()).toContainText("A film about lecterns");
  await expectAccessible(page, "the palette", [PHONE]);
  await expect(field).not.toHaveAttribute("aria-activedescendant");
  await page.keyboard.press("ArrowDown");
  await expect(options.first()).toHaveAttribute("aria-selected", "true");
  await expect(field).toHaveAttribute(
    "aria-activedescendant",
    (await options.first().getAttribute("id"))!,
  );
  await page.keyboard.press("ArrowUp");
  await expect(field).not.toHaveAttribute("aria-activedescendant");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(link).toBeFocused();

  await page.keyboard.press("Control+k");
  await field.pressSequentially("zebra");
  await expect(options.first()).toContainText("A film about lecterns");
  // An element of a post may have any id.
  await page.evaluate(() => {
    const link = Object.assign(document.createElement("a"), { id: "found-0", href: "/privacy" });
    document.querySelector("main")!.prepend(link);
  });
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/blog\/a-film-about-lecterns$/);
});

test("the palette's keys do nothing in form fields, and its script is loaded only when it opens", async ({
  page,
}) => {
  const scripts: string[] = [];
  page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.push(request.url());
  });
  await page.goto("/blog", { waitUntil: "networkidle" });
  const before = scripts.length;
  await page.getByRole("searchbox").fill("a");
  await page.keyboard.press("/");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("searchbox")).toHaveValue("a/");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(scripts.length).toBe(before);
  await page.getByRole("banner").getByRole("link", { name: "Search" }).click();
  await expect(page.getByRole("combobox")).toBeFocused();
  expect(scripts.length).toBeGreaterThan(before);
  // The key can be turned off, because speech input may press it by accident.
  await page.getByRole("checkbox").uncheck();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("main").click({ position: { x: 5, y: 5 } });
  await page.keyboard.press("/");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toBeVisible();
});

test("arrow keys that choose a word of an input method choose no result", async ({ page }) => {
  await page.goto("/");
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox");
  await field.fill("lease");
  await expect(page.getByRole("option").first()).toBeVisible();
  const press = (isComposing: boolean) =>
    field.evaluate(
      (element, isComposing) =>
        element.dispatchEvent(
          new KeyboardEvent("keydown", {
            key: "ArrowDown",
            bubbles: true,
            cancelable: true,
            isComposing,
          }),
        ),
      isComposing,
    );
  expect(await press(true)).toBe(true);
  await expect(page.locator("[role=option][aria-selected=true]")).toHaveCount(0);
  expect(await press(false)).toBe(false);
  await expect(page.locator("[role=option][aria-selected=true]")).toHaveCount(1);
});

test("Enter without a chosen result leads to the search page", async ({ page }) => {
  await page.goto("/about", { waitUntil: "networkidle" });
  await page.keyboard.press("/");
  await page.getByRole("combobox").fill("zebra");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/search\?q=zebra$/);
});

test("FTS syntax and long queries cause no error", async ({ request }) => {
  for (const q of ['"', "title:x", "NEAR(a b, 2)", "a* OR *", "'; DROP TABLE x", "x".repeat(9_000)])
    for (const path of ["/search/results", "/search"]) {
      const response = await request.get(`${path}?q=${encodeURIComponent(q)}`);
      expect(response.status(), `${path} ${q.slice(0, 20)}`).toBe(200);
    }
});

test("a topic has a page and a feed, and a year has an archive", async ({ page, request }) => {
  await page.goto("/blog?topic=testing");
  await page.getByRole("article").getByRole("link", { name: "testing" }).first().click();
  await expect(page).toHaveURL(/\/blog\/topics\/testing$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("testing");
  const feed = await page.getByRole("link", { name: "Feed" }).first().getAttribute("href");
  const response = await request.get(feed!);
  expect(response.headers()["content-type"]).toContain("application/rss+xml");
  expect((await response.text()).match(/<item>/g)).toHaveLength(
    await page.getByRole("main").getByRole("article").count(),
  );
  await page.goto("/blog");
  await page.getByRole("navigation", { name: "Archive" }).getByRole("link").first().click();
  await expect(page).toHaveURL(/\/blog\/archive\/\d{4}$/);
  for (const path of [
    "/blog/topics/nothing",
    "/blog/topics/nothing/feed.xml",
    "/blog/archive/1999",
  ])
    expect((await request.get(path)).status(), path).toBe(404);
});

test("posts since a member's last visit are new to them", async ({ page, context, logIn }) => {
  await logIn({});
  const visitBefore = (date: string) =>
    context.addCookies([
      {
        name: "visit",
        value: `0.${Date.parse(date)}`,
        url: new URL(page.url()).origin,
      },
    ]);
  await page.goto("/blog");
  await visitBefore("2020-01-01");
  await page.goto("/blog");
  await expect(page.getByText(/new posts? since your last visit/)).toBeVisible();
  await expect(page.getByRole("article").getByText("New", { exact: true }).first()).toBeVisible();
  await page.reload();
  await expect(page.getByText(/new posts? since your last visit/)).toBeVisible();
});
