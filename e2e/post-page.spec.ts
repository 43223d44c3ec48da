// Tests what a post's page does while it is read.

import { expect, test } from "#tests/support/e2e/fixtures.ts";

const POST = "/blog/a-tour-of-the-code";

test("the table of contents marks the section that is being read, also after a jump", async ({
  page,
}) => {
  await page.goto(POST);
  const contents = page.locator(".toc-aside");
  const current = contents.locator("[aria-current=location]");
  const headings = page.locator(".prose h2");
  await expect(contents.getByRole("link").first()).toBeVisible();
  await expect(current).toHaveCount(0);
  const texts = await contents.getByRole("link").allTextContents();
  await contents.getByRole("link").nth(1).click();
  await expect(current).toHaveText([texts[1]!]);
  await page.locator("[data-article-end]").scrollIntoViewIfNeeded();
  await expect(current).toHaveCount(1);
  await expect(current).not.toHaveText(texts[1]!);
  await headings.first().evaluate((heading) => heading.scrollIntoView());
  await expect(current).toHaveText([texts[0]!]);
  await page.evaluate(() => scrollTo(0, 0));
  await expect(current).toHaveCount(0);
});

test("a member saves a post, finds it on their account page, and removes it there", async ({
  page,
  logIn,
}) => {
  await logIn();
  await page.goto(POST);
  const save = page.getByRole("button", { name: /^Save/ });
  await save.click();
  await expect(save).toHaveAccessibleName(/^Saved/);
  await expect(save).toBeFocused();
  await page.reload();
  await expect(save).toHaveAccessibleName(/^Saved/);
  await page.goto("/me");
  const saved = page.getByRole("region", { name: "Saved posts" });
  await expect(saved.getByRole("link")).toHaveAttribute("href", POST);
  await saved.getByRole("button").click();
  await expect(saved.getByRole("link")).toHaveCount(0);
  await expect(page.locator(":focus")).toContainText("Removed.");
});

test("a double click saves a post, and the button says so", async ({ page, logIn }) => {
  await logIn();
  await page.goto(POST);
  const save = page.getByRole("button", { name: /^Save/ });
  const doubleClick = Promise.withResolvers<void>();
  await page.route("**/me/saved", async (route) => {
    await doubleClick.promise;
    await route.continue();
  });
  const answers = [0, 1].map((index) => {
    let count = 0;
    return page.waitForResponse((r) => r.url().endsWith("/me/saved") && count++ === index);
  });
  await save.dblclick();
  doubleClick.resolve();
  await Promise.all(answers);
  await expect(save).toHaveAccessibleName(/^Saved/);
  await page.reload();
  await expect(save).toHaveAccessibleName(/^Saved/);
});

test("a heading's id may contain a percent sign", async ({ page }) => {
  await page.route(POST, async (route) => {
    const response = await route.fetch();
    const html = await response.text();
    const id = /<h2 id="([^"]+)"/.exec(html)![1]!;
    await route.fulfill({
      response,
      body: html.replaceAll(`id="${id}"`, 'id="100%"').replaceAll(`"#${id}"`, '"#100%"'),
    });
  });
  const token = page.waitForResponse((response) => response.url().includes("/reads/token"));
  await page.goto(POST);
  expect((await token).status()).toBe(200);
  await page
    .locator(".prose h2")
    .first()
    .evaluate((heading) => heading.scrollIntoView());
  await expect(page.locator(".toc-aside [aria-current]")).toHaveAttribute("href", "#100%");
});

test("a long post continues on another device where the member stopped, until it is finished", async ({
  page,
  database,
  logIn,
  serverClock,
}) => {
  const userId = await logIn();
  await page.clock.install();
  const token = page.waitForResponse((response) => response.url().includes("/reads/token"));
  await page.goto(POST);
  await token;
  // By the server's clock, the page must have been open for a few seconds when a view starts.
  await serverClock.forward(6_000);
  const heading = page.locator(".prose h2").nth(1);
  const id = await heading.getAttribute("id");
  const sent = page.waitForResponse((response) => response.url().endsWith("/reads/place"));
  await heading.evaluate((element) => element.scrollIntoView());
  await expect(page.locator(".toc-aside [aria-current]")).toHaveAttribute("href", `#${id}`);
  await page.clock.runFor(6_000);
  expect((await sent).status()).toBe(204);

  const link = page.locator(".continue-reading a");
  await page.goto("/me");
  await expect(
    page.getByRole("region", { name: "Continue reading" }).getByRole("link"),
  ).toHaveAttribute("href", `${POST}#${id}`);
  await page.goto(POST);
  await expect(link).toHaveAttribute("href", `#${id}`);
  await expect(page).toHaveURL(POST);
  database
    .prepare(`INSERT INTO "PostRead" ("id", "createdAt", "userId", "postSlug") VALUES (?, ?, ?, ?)`)
    .run(`read of ${userId}`, Date.now() + 60_000, userId, POST.split("/").at(-1));
  await page.reload();
  await expect(page.locator("[data-keep-place]")).toBeAttached();
  await expect(link).toHaveCount(0);
});
