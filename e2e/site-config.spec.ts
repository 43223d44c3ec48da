// Serves the same build with the site.config.ts of other owners: nothing speaks of Lectern, and no
// link is dead.

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Page, expect, test } from "@playwright/test";
import type { SiteConfigInput } from "#lib/core/site-config-schema.ts";
import { type BuiltSite, startBuiltSite } from "#tests/support/built-site.ts";
import { writeSiteConfig } from "#tests/support/override-site-config.ts";

const NAME = "Ada’s notebook";
const OWNER: SiteConfigInput = {
  name: NAME,
  description: "Notes on engines.",
  language: "en-GB",
  author: {
    name: "Ada King",
    bio: "I write about engines.",
    email: "ada@example.com",
    links: [{ label: "Mastodon", url: "https://social.example/@ada" }],
  },
  license: { name: "CC BY 4.0", url: "https://creativecommons.org/licenses/by/4.0/" },
  editUrl: "https://git.example/ada/notes/edit/main/{path}",
  discussUrl: "https://social.example/search?q={url}",
};

/** Starts the build with `config`, two posts and `posts` by slug, and stops it after `run`. */
async function withSite(
  config: SiteConfigInput,
  run: (site: BuiltSite, folder: string) => Promise<void>,
  posts: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lectern-owner-"));
  const blog = join(folder, "content", "blog");
  mkdirSync(blog, { recursive: true });
  for (const [slug, date] of [
    ["first", "2026-11-01"],
    ["second", "2026-11-02"],
  ])
    writeFileSync(
      join(blog, `${slug}.mdx`),
      `---\ntitle: The ${slug} note\ndate: ${date}\ndescription: About the ${slug} engine\n---\n\nText.\n`,
    );
  for (const [slug, body] of Object.entries(posts))
    writeFileSync(
      join(blog, `${slug}.mdx`),
      `---\ntitle: ${slug}\ndate: 2026-11-01\ndescription: By a guest\n---\n\n${body}\n`,
    );
  const site = await startBuiltSite({
    folder,
    env: { CONTENT_DIR: join(folder, "content"), SITE_CONFIG: writeSiteConfig(config) },
  });
  try {
    await run(site, folder);
  } finally {
    await site.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the text of every page, feed and file that is linked from `start`, by path. */
async function crawl(origin: string, start: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const queue = [...start];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (texts.has(path)) continue;
    const response = await fetch(origin + path);
    expect(response.status, path).toBeLessThan(400);
    const type = response.headers.get("content-type") ?? "";
    const text = /text|json|xml/.test(type) ? await response.text() : "";
    texts.set(path, text);
    if (!/html|xml/.test(type)) continue;
    const links = [...text.matchAll(/(?:href|src)="([^"#]+)|<(?:loc|link)>([^<]+)/g)];
    for (const [, attribute, element] of links) {
      const url = URL.parse((attribute ?? element!).replaceAll("&amp;", "&"), origin + path);
      if (url?.origin === origin && !url.pathname.startsWith("/_next/"))
        queue.push(url.pathname + url.search);
    }
  }
  return texts;
}

/** Logs in with a new address, up to the sign-up page. Returns the login email. */
async function logInAsNewMember(page: Page, site: BuiltSite, folder: string): Promise<string> {
  await page.goto(`${site.url}/login`);
  await page.getByLabel("Email address").fill("grace@example.com");
  await page.getByRole("button", { name: "Email me a login link" }).click();
  await page.waitForURL("**/login/code*");
  const outbox = join(folder, "outbox");
  const email = readFileSync(join(outbox, readdirSync(outbox)[0]!), "utf8");
  await page.getByLabel("6-digit code").fill(/"code":\s*"(\d{6})"/.exec(email)![1]!);
  await page.getByRole("main").getByRole("button", { name: "Log in", exact: true }).click();
  await page.waitForURL("**/signup");
  return email;
}

test("a plain blog of another owner has no trace of teams, calls, members or Lectern", async ({
  page,
}) => {
  test.setTimeout(120_000);
  await withSite({ ...OWNER, features: { members: false } }, async (site) => {
    const texts = await crawl(site.url, ["/", "/robots.txt", "/sitemap.xml"]);
    expect([...texts.keys()]).toEqual(
      expect.arrayContaining(["/blog", "/blog/first", "/blog/second", "/about", "/feed.xml"]),
    );
    const missing = await fetch(`${site.url}/nothing-here`);
    expect(missing.status).toBe(404);
    texts.set("/nothing-here", await missing.text());
    for (const [path, text] of texts) {
      // Next's payload repeats the page, with the names of its routes.
      expect(text.replaceAll(/<script[^>]*>[^<]*__next_f[^<]*<\/script>/g, ""), path).not.toMatch(
        /Lectern|Log in|\bteams?\b|href="\/(calls|login|me|teams|how-we-count)\b/i,
      );
    }
    expect(texts.get("/blog/first")).toContain("https://git.example/ada/notes/edit/main/content/");
    expect(texts.get("/feed.xml")).toContain("<dc:creator>Ada King</dc:creator>");
    // A list of two posts has no featured post, which would be one of the two again.
    expect(texts.get("/blog")!.match(/<article\b/g)).toHaveLength(2);

    for (const path of [
      "/login",
      "/signup",
      "/me",
      "/admin",
      "/teams",
      "/calls",
      "/calls/feed.xml",
    ])
      expect((await fetch(site.url + path, { redirect: "manual" })).status, path).toBe(404);

    await page.goto(`${site.url}/blog/first`);
    await expect(page.locator("html")).toHaveAttribute("lang", "en-GB");
    await expect(page.getByRole("heading", { name: "Ada King" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Mastodon" }).first()).toHaveAttribute("rel", "me");
    await expect(page.getByRole("link", { name: "CC BY 4.0" }).first()).toBeVisible();
    await expect(page.getByRole("link", { name: "Discuss this post" })).toHaveAttribute(
      "href",
      `https://social.example/search?q=${encodeURIComponent(`${site.url}/blog/first`)}`,
    );

    // With few links, the search must not cover the last one on a phone.
    await page.setViewportSize({ width: 390, height: 844 });
    const nav = page.getByRole("navigation", { name: "Main" });
    const link = (await nav.getByRole("link", { name: "About" }).boundingBox())!;
    const search = (await nav.getByRole("link", { name: "Search" }).boundingBox())!;
    const isApart = search.x >= link.x + link.width || search.y + search.height <= link.y;
    expect(isApart, JSON.stringify({ link, search })).toBe(true);
  });
});

test("an owner's teams and colors are in sign-up, standings and emails", async ({ page }) => {
  test.setTimeout(120_000);
  const config: SiteConfigInput = {
    ...OWNER,
    accent: { light: "#5b2a86", dark: "#c9a7f5" },
    teams: {
      RED: { name: "Cats", tagline: "For people who nap.", color: "#8a1c5a" },
      BLUE: { name: "Dogs" },
    },
    features: { calls: false },
  };
  await withSite(config, async (site, folder) => {
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto(`${site.url}/teams`);
    await expect(page.getByText("Every member reads for Cats, Dogs or Yellow.")).toBeVisible();
    expect(
      await page
        .locator(".dot-red")
        .first()
        .evaluate((dot) => getComputedStyle(dot).backgroundColor),
    ).toBe("rgb(138, 28, 90)");

    const email = await logInAsNewMember(page, site, folder);
    expect(email).not.toMatch(/Lectern/);
    expect(email).toContain(`${NAME} login code`);
    await expect(page.getByLabel("Cats")).toBeVisible();
    await expect(page.getByText("For people who nap.")).toBeVisible();
    await expect(page.locator("body")).not.toContainText(/published calls|Lectern/);
  });
});

test("without teams, sign-up asks for the name only, and accounts don't mention them", async ({
  page,
}) => {
  test.setTimeout(120_000);
  await withSite({ ...OWNER, features: { teams: false, calls: false } }, async (site, folder) => {
    await logInAsNewMember(page, site, folder);
    await expect(page.getByRole("main").getByRole("radio")).toHaveCount(0);
    await page.getByLabel("First name").fill("Grace");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL("**/me*");
    await expect(page.getByRole("heading", { name: "Grace" })).toBeVisible();
    await expect(page.getByRole("main")).not.toContainText(/\bteams?\b|\bcalls?\b/i);
  });
});

test("a post by others can't draw over the page or take its clicks", async ({ page }) => {
  test.setTimeout(120_000);
  const rect = `<rect x="-5000" y="-5000" width="10000" height="10000" fill="#fff" />`;
  const body = [
    `<a href="https://evil.example" className="card-link" style={{ position: "fixed", inset: 0 }}>x</a>`,
    `<svg width="9" height="9" overflow="visible" style="overflow:visible">${rect}</svg>`,
    `<svg width="9" height="9" transform="scale(999)">${rect}</svg>`,
    String.raw`$$\kern-1000em\rule{2000em}{2000em}$$`,
  ].join("\n\n");
  await withSite(
    { ...OWNER, content: { trust: "strict" } },
    async (site) => {
      await page.goto(`${site.url}/blog/overlay`);
      const isReachable = (name: string) =>
        page
          .getByRole("link", { name, exact: true })
          .first()
          .evaluate((link) => {
            const { x, y, width, height } = link.getBoundingClientRect();
            const hit = document.elementFromPoint(x + width / 2, y + height / 2);
            return link.contains(hit);
          });
      expect(await isReachable(NAME)).toBe(true);
      expect(await isReachable("Log in")).toBe(true);
      // Nothing of the post is outside its text.
      const outside = await page.evaluate(() => {
        const { bottom, top } = document.querySelector(".prose")!.getBoundingClientRect();
        return [...Array(40).keys()]
          .map((index) => document.elementFromPoint(innerWidth / 2, index * 20))
          .filter((hit, index) => (index * 20 < top - 5 || index * 20 > bottom + 5) && hit)
          .filter((hit) => hit!.closest(".prose")).length;
      });
      expect(outside).toBe(0);
    },
    { overlay: body },
  );
});
