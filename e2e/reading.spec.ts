// Tests reading: counted reads, link previews, search, themes and feeds.

import { get } from "node:http";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { EMBED_PROVIDER_PORT, PORT } from "#tests/support/e2e/site-under-test.ts";

const MINUTE_MS = 60_000;
/** The longest delay before a failed link is fetched again. */
const DAY_MS = 86_400_000;
const COUNTED = { slug: "a-short-post", path: "/blog/a-short-post" };

function readsOf(
  database: { prepare(sql: string): { get(...values: unknown[]): unknown } },
  slug: string,
): number {
  return (
    database.prepare(`SELECT count(*) AS n FROM "PostRead" WHERE "postSlug" = ?`).get(slug) as {
      n: number;
    }
  ).n;
}

type Views = { host: string; started: number; finished: number };
const viewsOf = (
  database: { prepare(sql: string): { all(...values: unknown[]): unknown[] } },
  slug: string,
) =>
  database
    .prepare(`SELECT "host", "started", "finished" FROM "DailyViews" WHERE "postSlug" = ?`)
    .all(slug) as Views[];

test("a read counts once: at the end of the post, after the time it takes, and not twice", async ({
  page,
  context,
  database,
  serverClock,
}) => {
  // Removes reads and views of earlier tests.
  for (const table of ["PostRead", "DailyViews"])
    database.prepare(`DELETE FROM "${table}" WHERE "postSlug" = ?`).run(COUNTED.slug);
  await page.clock.install();
  const token = page.waitForResponse((response) => response.url().includes("/reads/token"));
  // Before the visit, because the page's clock also runs by itself.
  const start = page.waitForResponse((response) => response.url().endsWith("/reads/start"));
  await page.goto(COUNTED.path);
  await token;
  expect(await context.cookies()).toEqual([]);

  // After five seconds, the view has started. Reaching the end is not enough for a read.
  await page.locator("[data-article-end]").scrollIntoViewIfNeeded();
  await serverClock.forward(5_000);
  await page.clock.runFor(5_000);
  expect((await start).status()).toBe(204);
  expect(readsOf(database, COUNTED.slug)).toBe(0);
  expect(viewsOf(database, COUNTED.slug)).toEqual([{ host: "", started: 1, finished: 0 }]);
  expect(await context.cookies()).toEqual([]);

  await serverClock.forward(MINUTE_MS);
  const beacon = page.waitForResponse((response) => response.url().endsWith("/reads"));
  await page.clock.runFor(MINUTE_MS);
  expect((await beacon).status()).toBe(204);
  expect(readsOf(database, COUNTED.slug)).toBe(1);
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ name: "reader", httpOnly: true, sameSite: "Lax" });

  // On the same reader's second visit, the beacon is sent but the read is not stored again.
  const secondToken = page.waitForResponse((response) => response.url().includes("/reads/token"));
  await page.goto(COUNTED.path);
  await secondToken;
  await page.locator("[data-article-end]").scrollIntoViewIfNeeded();
  await serverClock.forward(MINUTE_MS);
  const secondBeacon = page.waitForResponse((response) => response.url().endsWith("/reads"));
  await page.clock.runFor(MINUTE_MS);
  expect((await secondBeacon).status()).toBe(204);
  expect(readsOf(database, COUNTED.slug)).toBe(1);
  expect(viewsOf(database, COUNTED.slug)).toEqual([{ host: "", started: 1, finished: 1 }]);
  await page.reload();
  await expect(page.getByText("Read to the end once.")).toBeVisible();
});

test("a view that finishes counts for the site that linked to it", async ({
  page,
  database,
  serverClock,
}) => {
  database.prepare(`DELETE FROM "DailyViews" WHERE "postSlug" = ?`).run(COUNTED.slug);
  await page.clock.install();
  const token = page.waitForResponse((response) => response.url().includes("/reads/token"));
  const start = page.waitForRequest((request) => request.url().endsWith("/reads/start"));
  await page.goto(COUNTED.path, { referer: "https://www.News.example/private/ada?token=secret" });
  await token;
  await page.locator("[data-article-end]").scrollIntoViewIfNeeded();
  await serverClock.forward(MINUTE_MS);
  const beacon = page.waitForResponse((response) => response.url().endsWith("/reads"));
  await page.clock.runFor(MINUTE_MS);
  await beacon;
  expect((await start).postData()).not.toMatch(/private|secret/);
  await expect
    .poll(() => viewsOf(database, COUNTED.slug))
    .toEqual([{ host: "news.example", started: 1, finished: 1 }]);
});

test("opening and leaving a page counts no read and sets no cookie", async ({
  page,
  context,
  database,
}) => {
  await page.goto("/blog/sqlite-beside-the-reader");
  await page.goto("/");
  await page.goto("/blog");
  expect(await context.cookies()).toEqual([]);
  expect(readsOf(database, "sqlite-beside-the-reader")).toBe(0);
});

test("a member's read puts their team in the lead of the post, and sets the page's accent", async ({
  page,
  database,
  serverClock,
  logIn,
}) => {
  const userId = await logIn({ team: "BLUE" });
  await page.clock.install();
  const token = page.waitForResponse((response) => response.url().includes("/reads/token"));
  await page.goto("/blog/a-film-about-lecterns");
  await token;
  await page.locator("[data-article-end]").scrollIntoViewIfNeeded();
  await serverClock.forward(MINUTE_MS);
  const beacon = page.waitForResponse((response) => response.url().endsWith("/reads"));
  await expect(page.locator("[data-read-mark]")).toBeHidden();
  await page.clock.runFor(MINUTE_MS);
  await beacon;
  await expect(page.getByRole("status").filter({ hasText: "Blue" })).toBeVisible();
  expect(
    database
      .prepare(
        `SELECT "userId", "clientId" FROM "PostRead" WHERE "postSlug" = 'a-film-about-lecterns'`,
      )
      .all(),
  ).toEqual([{ userId, clientId: null }]);
  await page.reload();
  await expect(page.locator("[data-leading-team=BLUE]").first()).toBeAttached();
  expect(
    database
      .prepare(
        `SELECT "postSlug", "team" FROM "OwnershipChange" WHERE "postSlug" = 'a-film-about-lecterns'`,
      )
      .all(),
  ).toEqual([{ postSlug: "a-film-about-lecterns", team: "BLUE" }]);
});

test("a link is plain while its host hangs, and becomes a card once it recovers", async ({
  page,
  serverClock,
}) => {
  test.setTimeout(90_000); // failed links are retried every half minute
  await page.goto("/blog/a-film-about-lecterns");
  await expect(page.getByText("marzipan zebra")).toBeVisible();
  await expect(page.locator(".prose").getByRole("link", { name: /youtube\.com/ })).toBeVisible();
  await fetch(`http://127.0.0.1:${EMBED_PROVIDER_PORT}/mode?is=ok`);
  await expect(async () => {
    // Repeatedly, because an attempt may still hang, and fails after this.
    await serverClock.forward(DAY_MS);
    await page.reload();
    await expect(page.locator(".prose").getByText("The maker")).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 60_000 });
  await expect(page.getByRole("button", { name: /^Play video/ })).toBeVisible();
  if (process.env.PAGE_CACHE !== "off") expect(await page.content()).not.toContain("__next_f");
});

test("search runs as you type, keeps the focus, and marks matches", async ({ page }) => {
  await page.goto("/blog");
  const field = page.getByRole("searchbox");
  await field.pressSequentially("zebra");
  await expect(page).toHaveURL(/[?&]q=zebra/);
  await expect(
    page.getByRole("main").getByRole("link", { name: "A film about lecterns" }).first(),
  ).toBeVisible();
  await expect(page.locator("mark").first()).toHaveText(/zebra/i);
  await expect(field).toBeFocused();
  await field.fill("qqzzxxqq");
  await expect(page.getByRole("status").filter({ hasText: /post/ })).toHaveText(/0 posts/);
});

test("what is typed before the search has loaded is searched, too", async ({ page }) => {
  test.skip(process.env.PAGE_CACHE === "off", "React loads the search then, from another file.");
  let load = () => {};
  const isTyped = new Promise<void>((resolve) => (load = resolve));
  await page.route("**/load-post-list-*.js", async (route) => {
    await isTyped;
    await route.continue();
  });
  await page.goto("/blog", { waitUntil: "commit" });
  await page.getByRole("searchbox").fill("zebra");
  load();
  await expect(page).toHaveURL(/[?&]q=zebra/);
});

test("a topic is a link that filters the list, and Back undoes it", async ({ page }) => {
  await page.goto("/blog");
  await page
    .getByRole("main")
    .getByRole("link", { name: /^testing/i })
    .first()
    .click();
  await expect(page).toHaveURL(/topic=testing/);
  await expect(page.getByRole("status").filter({ hasText: /post/ })).toHaveText(/2 posts/);
  await page.goBack();
  await expect(page).toHaveURL(/\/blog$/);
});

test("the list changes in the same document, and keeps the focus and its live region", async ({
  page,
}) => {
  await page.goto("/blog", { waitUntil: "networkidle" });
  const main = page.getByRole("main");
  const field = page.getByRole("searchbox");
  const status = page.getByRole("status").filter({ hasText: /post/ });
  const all = await status.innerText();
  const liveRegion = await status.elementHandle();

  const topic = main.locator("search").getByRole("link", { name: /^testing/i });
  await topic.focus();
  await page.keyboard.press("Enter");
  await expect(topic).toHaveAttribute("aria-current", "true");
  await expect(topic).toBeFocused();
  await field.fill("zebra");
  await expect(page).toHaveURL(/\?q=zebra&topic=testing$/);
  await expect(page).toHaveTitle(/zebra/);
  await field.fill("");
  await expect(page).toHaveURL(/\?topic=testing$/);
  await field.fill("zebra");
  await expect(page).toHaveURL(/\?q=zebra&topic=testing$/);
  expect(await liveRegion!.evaluate((element) => element.isConnected)).toBe(true);
  await field.blur();

  // Typing replaces the topic's history entry.
  await page.goBack();
  await expect(page).toHaveURL(/\/blog$/);
  await expect(status).toHaveText(all);
  await expect(field).toHaveValue("");
  await page.goForward();
  await expect(field).toHaveValue("zebra");
  await expect(status).toContainText("“zebra”");
  await expect(topic).toHaveAttribute("aria-current", "true");
});

test("load more is a link that shows more of the same list", async ({ page }) => {
  // Until its script is loaded, the link loads the page, which does not move the focus.
  await page.goto("/blog", { waitUntil: "networkidle" });
  const cards = page.getByRole("main").locator("article");
  const before = await cards.count();
  const more = page.getByRole("link", { name: /load more/i });
  const added = (await more.getAttribute("data-then"))!;
  await more.click();
  await expect(page).toHaveURL(/page=2/);
  await expect.poll(() => cards.count()).toBeGreaterThan(before);
  await expect(page.locator(added).getByRole("link").first()).toBeFocused();
  await page.goBack();
  await expect(page).toHaveURL(/\/blog$/);
  await expect(cards).toHaveCount(before);
});

test.describe("without a connection", () => {
  test.use({ expectedErrors: ["Failed to load resource", "Failed to fetch"] });
  test("the browser navigates to a list that can't be fetched", async ({ page }) => {
    await page.goto("/blog", { waitUntil: "networkidle" });
    await page.route("**/blog?*", (route) =>
      route.request().resourceType() === "fetch" ? route.abort() : route.continue(),
    );
    const opened = page.waitForEvent("load");
    await page.getByRole("searchbox").fill("zebra");
    await opened;
    await expect(page).toHaveURL(/\/blog\?q=zebra$/);
    await expect(page.getByRole("searchbox")).toHaveValue("zebra");
  });

  test("a list that fails late does not replace the page of a link", async ({ page }) => {
    await page.goto("/blog", { waitUntil: "networkidle" });
    const [list, about] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await page.route("**/blog?*", async (route) => {
      await list.promise;
      await route.fulfill({ status: 503, contentType: "text/html", body: "Busy" });
    });
    await page.route("**/about", async (route) => {
      await about.promise;
      await route.continue();
    });
    const listRequest = page.waitForRequest("**/blog?*");
    await page.getByRole("searchbox").fill("zebra");
    await listRequest;
    const aboutRequest = page.waitForRequest("**/about");
    // Not a click: its hover would prefetch the page.
    await page.getByRole("link", { name: "About", exact: true }).first().focus();
    await page.keyboard.press("Enter");
    await aboutRequest;
    const listResponse = page.waitForResponse("**/blog?*");
    list.resolve();
    await listResponse;
    about.resolve();
    await expect(page).toHaveURL(/\/about$/);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  });

  test("a download that starts while a list loads does not stop the list", async ({ page }) => {
    await page.goto("/blog", { waitUntil: "networkidle" });
    const list = Promise.withResolvers<void>();
    await page.route("**/blog?*", async (route) => {
      await list.promise;
      await route.continue();
    });
    await page.route("**/about", (route) =>
      route.fulfill({ headers: { "content-disposition": "attachment" }, body: "A file" }),
    );
    const searched = page.waitForRequest("**/blog?*");
    await page.getByRole("searchbox").fill("zebra");
    await searched;
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "About", exact: true }).first().focus();
    await page.keyboard.press("Enter");
    await download;
    list.resolve();
    await expect(page).toHaveURL(/\/blog\?q=zebra$/);
  });
});

test("drafts are reachable and marked, but not listed", async ({ page, request }) => {
  const response = await page.goto("/blog/a-draft");
  expect(response?.status()).toBe(200);
  await expect(page.getByText("Draft.", { exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Who’s reading" })).toHaveCount(0);
  await expect(page.locator('meta[name="robots"]')).toHaveAttribute("content", /noindex/);
  for (const path of ["/blog", "/feed.xml", "/sitemap.xml", "/feed.json"]) {
    expect(await (await request.get(path)).text(), path).not.toContain("a-draft");
  }
});

test.describe("a missing post", () => {
  test.use({ expectedErrors: ["404"] });
  test("is a 404 with three recommended posts", async ({ page }) => {
    // Requested twice, because the cached page must also be a 404.
    for (const path of [
      "/blog/no-such-post",
      "/blog/no-such-post",
      "/blog/broken",
      "/no-such-page",
    ]) {
      const response = await page.goto(path);
      expect(response?.status(), path).toBe(404);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    }
    await page.goto("/blog/no-such-post");
    expect(await page.getByRole("main").locator("article").count()).toBe(3);
  });
});

test("the theme follows the system until one is chosen, and the choice is kept", async ({
  page,
}) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("/");
  const background = () =>
    page.evaluate(
      () =>
        getComputedStyle(document.documentElement).backgroundColor ||
        getComputedStyle(document.body).backgroundColor,
    );
  const dark = await background();
  await page
    .getByRole("radio", { name: /light/i })
    .or(page.getByRole("button", { name: /light/i }))
    .first()
    .click({ force: true });
  await expect.poll(background).not.toBe(dark);
  const light = await background();
  await page.reload();
  expect(await background()).toBe(light);
});

test("without storage, a theme applies to the page, and a failed copy is shown", async ({
  page,
}) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("Blocked.", "SecurityError");
      },
    });
    Object.defineProperty(navigator, "clipboard", { value: undefined });
  });
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/blog/one-door-for-writes", { waitUntil: "networkidle" });
  const html = page.locator("html");
  for (const [name, theme] of [
    [/dark/i, "dark"],
    [/system/i, "light"],
  ] as const) {
    await page.getByRole("radio", { name }).click({ force: true });
    await expect(html).toHaveAttribute("data-theme", theme);
  }
  for (const button of [".prose button[data-copy]", ".post-share button[data-copy]"]) {
    await page.locator(button).first().click();
    await expect(page.locator(button).first()).toHaveText("Couldn’t copy");
  }
});

test("a page that the back button restores shows the theme chosen since", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/");
  await page.evaluate(() => {
    // Pages in the back/forward cache get no storage event.
    localStorage.setItem("theme", "dark");
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  });
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.locator(".theme-control [value=dark]")).toBeChecked();
});

test("the copy button copies code", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto("/blog/one-door-for-writes");
  const block = page.locator(".prose pre").first();
  await block.scrollIntoViewIfNeeded();
  await page.locator(".prose button[data-copy]").first().click();
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toContain((await block.innerText()).trim().split("\n")[0]?.trim() ?? "");
});

test("a post is served as Markdown on request", async ({ request }) => {
  const asMarkdown = await request.get("/blog/one-door-for-writes", {
    headers: { accept: "text/markdown" },
  });
  expect(asMarkdown.headers()["content-type"]).toContain("text/markdown");
  expect(await asMarkdown.text()).toMatch(/^# /);
  expect((await request.get("/blog/one-door-for-writes.md")).headers()["content-type"]).toContain(
    "text/markdown",
  );
});

test("feeds, sitemap, robots.txt and social images are served", async ({ request }) => {
  for (const [path, type] of [
    ["/feed.xml", "xml"],
    ["/atom.xml", "xml"],
    ["/feed.json", "json"],
    ["/sitemap.xml", "xml"],
    ["/robots.txt", "text/plain"],
    ["/llms.txt", "text/plain"],
    ["/blog/one-door-for-writes/social.png", "image/png"],
  ] as const) {
    const response = await request.get(path);
    expect(response.status(), path).toBe(200);
    expect(response.headers()["content-type"], path).toContain(type);
  }
});

test("a program can search, list and read posts, but no drafts (MCP)", async ({ request }) => {
  const callTool = async (name: string, args: object) => {
    const response = await request.post("/mcp", {
      headers: { accept: "application/json, text/event-stream" },
      data: {
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name, arguments: args },
      },
    });
    expect(response.status()).toBe(200);
    const text = (await response.text()).replace(/^event: message\ndata: /, "");
    return (
      JSON.parse(text) as {
        result: { structuredContent: Record<string, unknown>; isError?: boolean };
      }
    ).result;
  };
  const found = (await callTool("search", { query: "marzipan zebra" })).structuredContent;
  const [{ id, title }] = found.results as [{ id: string; title: string }];
  expect(title).toBe("A film about lecterns");
  const { text } = (await callTool("fetch", { id })).structuredContent;
  expect(text).toContain("marzipan zebra");
  const listed = (await callTool("list", {})).structuredContent.posts as { id: string }[];
  expect(listed.map((post) => post.id)).toContain(id);
  const missing = await callTool("fetch", { id: "no-such-post" });
  expect(missing.isError).toBe(true);
});

test("an image of a post is made in the size that a browser requests, and cached for good", async ({
  request,
}) => {
  const html = await (await request.get("/blog/one-door-for-writes")).text();
  const path = /\/_img\/[0-9a-f]{40}-480\.(?=avif)/.exec(html)![0];
  for (const [format, type] of [
    ["avif", "image/avif"],
    ["webp", "image/webp"],
  ] as const) {
    const response = await request.get(path + format);
    expect(response.status()).toBe(200);
    expect(response.headers()).toMatchObject({
      "content-type": type,
      "cache-control": "public, max-age=31536000, immutable",
      "content-security-policy": expect.stringContaining("sandbox") as unknown,
    });
    expect((await response.body()).subarray(0, 12).toString("latin1")).toMatch(/ftypavif|WEBP/);
  }
  expect((await request.get(path.replace("480", "481") + "avif")).status()).toBe(404);
});

test("malformed requests get a status and break nothing", async ({ request }) => {
  for (const path of ["/%", "/blog/%ff", "/embed-image/%c0%ae"]) {
    const status = await new Promise<number>((resolve, reject) => {
      get({ port: PORT, path }, (response) => resolve(response.resume().statusCode ?? 0)).on(
        "error",
        reject,
      );
    });
    expect(status, path).toBe(404);
  }
  expect((await request.get(`/blog?${"a&".repeat(7_000)}`)).status()).toBe(200);
  expect((await request.get("/_next/image?url=%2Ficon.svg&w=640&q=75")).status()).toBe(404);
  for (const path of ["/_next/static/chunks/nope.js", "/_img/nope.webp"]) {
    const response = await request.get(path, { headers: { "accept-encoding": "br" } });
    expect(response.status(), path).toBe(404);
    expect(response.headers()["cache-control"], path).toBe("no-store");
    expect(response.headers()["content-encoding"], path).not.toBe("br");
  }
});

test("reading pages name the speculation rules for prefetching, account pages don't", async ({
  request,
}) => {
  for (const path of ["/", "/blog", "/blog/one-door-for-writes", "/calls", "/about"])
    expect((await request.get(path)).headers()["speculation-rules"], path).toBe(
      '"/speculation-rules"',
    );
  for (const path of ["/login", "/calls/record"])
    expect((await request.get(path)).headers()["speculation-rules"], path).toBeUndefined();
  const response = await request.get("/speculation-rules");
  expect(response.headers()["content-type"]).toBe("application/speculationrules+json");
  expect((await response.json()).prefetch[0].eagerness).toBe("moderate");
});

test("hovering over a link prefetches its page", async ({ page }) => {
  const cdp = await page.context().newCDPSession(page);
  const prefetched = new Promise<void>((resolve) =>
    cdp.on("Preload.prefetchStatusUpdated", ({ status }) => {
      if (status === "Ready") resolve();
    }),
  );
  await cdp.send("Preload.enable");
  await page.goto("/blog");
  const link = page.locator("a.card-link").nth(1);
  await link.hover();
  await prefetched;
  await link.click();
  await expect
    .poll(() =>
      page.evaluate(() => {
        const [entry] = performance.getEntriesByType("navigation");
        return (entry as unknown as { deliveryType: string }).deliveryType;
      }),
    )
    .toBe("navigational-prefetch");
});
