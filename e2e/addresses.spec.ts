// Serves posts with unusual slugs, aliases and redirects: at /blog/:slug, and at another pattern.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "@playwright/test";
import { type BuiltSite, startBuiltSite } from "#tests/support/built-site.ts";
import { writeSiteConfig } from "#tests/support/override-site-config.ts";

let folder = "";
let site: BuiltSite | null = null;

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lectern-addresses-"));
});
test.afterEach(async () => {
  await site?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function writePost(name: string, fields = ""): void {
  const file = join(folder, "content/blog", name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `---\ntitle: Title of ${name}\ndate: 2024-05-09\ndescription: About\n${fields}---\n\nHello.\n`,
  );
}

async function start(address?: string) {
  site = await startBuiltSite({
    folder,
    env: {
      CONTENT_DIR: join(folder, "content"),
      ...(address && { SITE_CONFIG: writeSiteConfig({ content: { address } }) }),
    },
  });
}

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(site!.url + path, { headers, redirect: "manual" });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const NAMES = [
  "café.mdx",
  "数据库.mdx",
  "v1.0.mdx",
  "readme.md.mdx",
  "CamelCase.MDX",
  "2024/deep.mdx",
];

const encodeName = (name: string) =>
  name
    .replace(/\.mdx$/i, "")
    .split("/")
    .map(encodeURIComponent)
    .join("/");

/** Expects each post at its address in pages, lists, feeds and the sitemap. */
async function expectAddresses(pathsByName: Record<string, string>): Promise<void> {
  const places = await Promise.all(
    ["/blog", "/feed.xml", "/atom.xml", "/feed.json", "/sitemap.xml"].map(
      async (path) => (await get(path)).text,
    ),
  );
  const { items } = JSON.parse(places[3]!) as { items: { id: string; url: string }[] };
  for (const [name, path] of Object.entries(pathsByName)) {
    const url = site!.url + path;
    for (const cookie of ["", "session=x"]) {
      const page = await get(path, { cookie });
      expect([path, cookie, page.status]).toEqual([path, cookie, 200]);
      expect(page.text).toContain(`<link rel="canonical" href="${url}"/>`);
      expect(page.text).toContain(`"@id":"${url}"`);
      expect(page.text).toContain(`${path}.md`);
      const picture = /property="og:image" content="([^"]*)"/.exec(page.text)![1]!;
      expect((await get(new URL(picture).pathname)).headers.get("content-type")).toBe("image/png");
    }
    for (const markdown of [
      await get(`${path}.md`),
      await get(path, { accept: "text/markdown" }),
    ]) {
      expect(markdown.headers.get("content-type")).toContain("text/markdown");
      expect(markdown.text).toContain(`- URL: ${url}\n`);
    }
    for (const place of places) expect(place).toContain(path);
    expect(items.some((item) => item.url === url)).toBe(true);
    const slug = name.replace(/\.mdx$/i, "");
    const token = await get(`/reads/token?slug=${encodeURIComponent(slug)}`);
    expect(token.status).toBe(200);
  }
}

test("slugs with letters of any script, dots and capitals have one address everywhere", async () => {
  for (const name of NAMES) writePost(name, name === "v1.0.mdx" ? "aliases: [/2019/old]\n" : "");
  writeFileSync(
    join(folder, "content/_redirects"),
    "/gone 410\n/go/* /blog/:splat 302\n/nobody /nothing\n",
  );
  await start();
  await expectAddresses(
    Object.fromEntries(NAMES.map((name) => [name, `/blog/${encodeName(name)}`])),
  );
  const answers = async (path: string) => {
    const { status, headers } = await get(path);
    return [status, headers.get("location")];
  };
  expect(await answers("/2019/old?x=1")).toEqual([301, "/blog/v1.0?x=1"]);
  expect(await answers("/2019/old/")).toEqual([301, "/blog/v1.0"]);
  expect(await answers("/go/a?y")).toEqual([302, "/blog/a?y"]);
  expect(await answers("/blog/cafe%CC%81")).toEqual([301, "/blog/caf%C3%A9"]);
  expect(await answers("/gone")).toEqual([410, null]);
  expect(await answers("/neither")).toEqual([404, null]);
  expect(await answers("/blog/neither")).toEqual([404, null]);
  expect(await answers("/blog/neither.md")).toEqual([404, null]);
});

test("with the pattern /:year/:month/:slug, every address follows it", async ({ page }) => {
  for (const name of NAMES) writePost(name);
  await start("/:year/:month/:slug");
  await expectAddresses(
    Object.fromEntries(NAMES.map((name) => [name, `/2024/05/${encodeName(name)}`])),
  );
  for (const end of ["", ".md"]) {
    const moved = await get(`/blog/caf%C3%A9${end}?x=1`);
    expect([moved.status, moved.headers.get("location")]).toEqual([
      301,
      `/2024/05/caf%C3%A9${end}?x=1`,
    ]);
  }
  await page.goto(`${site!.url}/blog`);
  await page.getByRole("link", { name: "Title of 数据库.mdx" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Title of 数据库.mdx");
  expect(new URL(page.url()).pathname).toBe("/2024/05/%E6%95%B0%E6%8D%AE%E5%BA%93");
});
