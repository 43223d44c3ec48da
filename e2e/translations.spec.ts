// Tests translated posts: their language, frame, addresses and lists.

import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { expectAccessible } from "#tests/support/e2e/accessibility.ts";
import { insertRead } from "#tests/support/factories.ts";
import { createSql } from "#lib/db/connection.ts";

const ORIGINAL = "/blog/no-file-means-two-things";
const TITLES = {
  en: "A missing .primary file doesn’t make you the primary",
  de: "Wem .primary fehlt, der ist noch nicht der Primary",
};

test("a translated post has its language, also in the frame, and all know each other", async ({
  page,
  database,
}) => {
  // The shared page and one for a reader with a cookie.
  for (const isMember of [false, true]) {
    if (isMember)
      await page
        .context()
        .addCookies([{ name: "reader", value: "x", url: page.url() || "http://localhost" }]);
    await page.goto(`${ORIGINAL}-de`);
    await expect(page.locator("html")).toHaveAttribute("lang", "de");
    await expect(page.getByRole("link", { name: "Zum Inhalt springen" })).toBeAttached();
    await expect(page.getByRole("navigation", { name: "Hauptmenü" })).toContainText("Anmelden");
    await expect(page.locator(".post-when")).toContainText("3. November 2026");
    await expect(page.getByRole("heading", { name: "Wer hier liest" })).toBeVisible();
    await expect(page.getByRole("heading", { name: "Weiterlesen" })).toBeVisible();
    await expect(page.locator("body")).not.toContainText(/min read|Copy link|Keep reading/);
  }
  await expectAccessible(page, `${ORIGINAL}-de`);
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Suche" });
  await palette.getByRole("combobox").fill("Primary");
  await expect(palette.getByRole("option").first()).toContainText("Beitrag, ");
  await expect(palette.getByRole("status")).toContainText("Treffer für „Primary“");
  await page.keyboard.press("Escape");
  await expect(page.locator(".recommend h3").first()).toHaveAttribute("lang", "en");
  await expect(page.locator('meta[name="robots"]')).toHaveCount(0);
  const alternates = async () =>
    page
      .locator('link[rel="alternate"][hreflang]')
      .evaluateAll((links) =>
        links.map((link) => [
          link.getAttribute("hreflang"),
          new URL((link as HTMLLinkElement).href).pathname,
        ]),
      );
  const expected = [
    ["en", ORIGINAL],
    ["de", `${ORIGINAL}-de`],
    ["es", `${ORIGINAL}-es`],
    ["x-default", ORIGINAL],
  ];
  expect(await alternates()).toEqual(expected);
  await page.getByRole("link", { name: "English" }).click();
  await expect(page).toHaveURL(ORIGINAL);
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  expect(await alternates()).toEqual(expected);

  // Reads of each count for all.
  database.prepare(`DELETE FROM "PostRead" WHERE "postSlug" LIKE 'no-file-%'`).run();
  insertRead(createSql(database), { postSlug: "no-file-means-two-things" });
  await page.context().addCookies([{ name: "reader", value: "x", url: page.url() }]);
  await page.goto(`${ORIGINAL}-es`);
  await expect(page.getByText("Leído hasta el final 1 vez.")).toBeVisible();
});

test("lists have a post once, in the reader's language, with and without a cookie", async ({
  browser,
}) => {
  for (const [locale, shown, hidden] of [
    ["de-AT", TITLES.de, TITLES.en],
    ["en-US", TITLES.en, TITLES.de],
  ] as const) {
    const context = await browser.newContext({ locale });
    const page = await context.newPage();
    for (const path of ["/blog?q=primary+file", "/blog", "/blog/archive/2026"]) {
      await page.goto(path);
      const links = page.getByRole("link", { name: /\.primary/ });
      await expect(links, path).toHaveCount(1);
      if (path === "/blog?q=primary+file") continue;
      await expect(page.getByRole("link", { name: shown })).toBeVisible();
      await expect(page.getByRole("link", { name: hidden })).toHaveCount(0);
    }
    await context.close();
  }
});
