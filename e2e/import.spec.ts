// Runs the commands of a new owner: npm run init and npm run import. The site shows nothing of the
// example authors, and every old address redirects to the new one.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "@playwright/test";
import {
  ghostExportZip,
  substackExportZip,
  wordPressExportXml,
} from "#tests/support/blog-exports.ts";
import { type BuiltSite, startBuiltSite } from "#tests/support/built-site.ts";

let folder = "";
let site: BuiltSite | null = null;

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lectern-import-"));
  cpSync("package.json", join(folder, "package.json"));
  // The configuration imports its types from here.
  symlinkSync(resolve("lib"), join(folder, "lib"));
  // A page that the site's footer links to, the same for every owner.
  mkdirSync(join(folder, "content/pages"), { recursive: true });
  cpSync("content/pages/how-we-count.mdx", join(folder, "content/pages/how-we-count.mdx"));
});
test.afterEach(async () => {
  await site?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [resolve(command), ...args], {
    encoding: "utf8",
    cwd: folder,
    input: "",
  });
  expect([status, stderr]).toEqual([0, ""]);
}

const initialize = (features: string) =>
  run(
    "cli/init/main.ts",
    ...["--name", "Ada's Notes", "--author", "Ada Lovelace"],
    ...["--description", "Notes on engines", "--features", features],
  );

async function start(): Promise<void> {
  site = await startBuiltSite({
    folder: join(folder, "data"),
    env: {
      CONTENT_DIR: join(folder, "content"),
      SITE_CONFIG: join(folder, "site.config.ts"),
    },
  });
}

async function get(path: string) {
  const response = await fetch(site!.url + path, { redirect: "manual" });
  return {
    status: response.status,
    location: response.headers.get("location"),
    text: await response.text(),
  };
}

/** Returns the text of every page that links lead to from the home page. */
async function crawl(): Promise<Map<string, { status: number; text: string }>> {
  const pages = new Map<string, { status: number; text: string }>();
  const waiting = ["/", "/feed.xml", "/atom.xml", "/feed.json", "/no-such-page", "/robots.txt"];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (pages.has(path)) continue;
    const page = await get(path);
    pages.set(path, page);
    for (const [, href] of page.text.matchAll(/<a [^>]*href="(\/[^"#?]*)/g)) waiting.push(href!);
    if (page.location?.startsWith("/")) waiting.push(page.location.replace(/[?#].*$/, ""));
  }
  return pages;
}

for (const features of ["none", "teams,calls,members"]) {
  test(`a new site with ${features} on speaks of its owner only`, async () => {
    initialize(features);
    await start();
    const pages = await crawl();
    expect([...pages.keys()]).toEqual(
      expect.arrayContaining(["/", "/blog", "/blog/hello", "/about"]),
    );
    for (const [path, { status, text }] of pages) {
      expect([path, status]).toEqual([path, path === "/no-such-page" ? 404 : expect.any(Number)]);
      if (path !== "/no-such-page") expect([path, status < 400]).toEqual([path, true]);
      expect([path, /.{0,40}Lectern.{0,40}/.exec(text)?.[0]]).toEqual([path, undefined]);
    }
    expect(pages.get("/")!.text).toContain("Ada&#x27;s Notes");
  });
}

test("old addresses of imported posts answer with a permanent redirect to the new ones", async () => {
  initialize("none");
  writeFileSync(join(folder, "ghost.zip"), ghostExportZip());
  // No one listens there, so that the images stay links.
  writeFileSync(join(folder, "wordpress.xml"), wordPressExportXml("https://old.invalid"));
  writeFileSync(join(folder, "substack.zip"), substackExportZip("https://old.invalid"));
  for (const [platform, file] of [
    ["ghost", "ghost.zip"],
    ["wordpress", "wordpress.xml"],
    ["substack", "substack.zip"],
  ] as const)
    run("cli/import/main.ts", platform, join(folder, file));
  await start();
  // cli/import/import-site.test.ts resolves all of them.
  for (let index = 0; index < 40; index += 6) {
    const month = String(1 + (index % 12)).padStart(2, "0");
    const addresses = [
      [`/ghost-post-${index}`, `/blog/ghost-post-${index}`],
      [`/2021/${month}/wp-post-${index}`, `/blog/wp-post-${index}`],
      [`/p/letter-${index}`, `/blog/letter-${index}`],
    ];
    for (const [from, to] of addresses) {
      const { status, location } = await get(from!);
      expect([from, status, location]).toEqual([from, 301, to]);
      expect([to, (await get(to!)).status]).toEqual([to, 200]);
    }
    const { status, location } = await get(`/?p=${100 + index}`);
    expect([status, location?.split("?")[0]]).toEqual([301, `/blog/wp-post-${index}`]);
  }
  expect((await get("/wp-page-48")).status).toBe(200);
  expect(await get("/rss")).toMatchObject({ status: 301, location: "/feed.xml" });
});
