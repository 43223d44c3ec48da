// Imports exports with 50 posts each into an empty content folder, and checks the posts.

import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import {
  PNG_BYTES,
  ghostExportZip,
  substackExportZip,
  wordPressExportXml,
} from "#tests/support/blog-exports.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { AddressTable } from "#lib/posts/addresses/address-table.ts";
import { parseRedirects } from "#lib/posts/addresses/redirect-rules.ts";
import { parsePost } from "#lib/posts/source/parse-post.ts";
import { readGhostExport } from "./ghost.ts";
import { type ImportReport, importSite } from "./import-site.ts";
import { addRedirects } from "./redirects-file.ts";
import { readSubstackExport } from "./substack.ts";
import { readWordPressExport } from "./wordpress.ts";

let folder: string;
let root: string;
let oldSite: TestServer;
let requests: string[];

beforeEach(async () => {
  folder = join(process.env.DATA_DIR!, "import");
  root = join(folder, "content");
  mkdirSync(folder, { recursive: true });
  requests = [];
  oldSite = await serveHttp(({ url }, response) => {
    requests.push(url!);
    if (url!.includes("gone")) response.writeHead(404).end("gone");
    else if (url!.endsWith(".pdf")) response.end("%PDF-1.4");
    else response.setHeader("Content-Type", "image/png").end(PNG_BYTES);
  });
  overrideEnv({ FETCH_ALLOW_PRIVATE: oldSite.hostAndPort });
});

afterEach(async () => {
  overrideEnv({ FETCH_ALLOW_PRIVATE: undefined });
  await oldSite.close();
});

function writeExport(name: string, data: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, data);
  return file;
}

const importGhost = () =>
  importSite(readGhostExport(writeExport("ghost.zip", ghostExportZip()), { url: "" }), {
    root,
    isDryRun: false,
  });
const importWordPress = () =>
  importSite(
    readWordPressExport(writeExport("wordpress.xml", wordPressExportXml(oldSite.origin))),
    { root, isDryRun: false },
  );
const importSubstack = () =>
  importSite(
    readSubstackExport(writeExport("substack.zip", substackExportZip(oldSite.origin)), {
      url: "https://x.substack.com",
    }),
    { root, isDryRun: false },
  );

const textOf = (path: string) => readFileSync(join(root, path, "index.mdx"), "utf8");
const bodyOf = (path: string) => textOf(path).split("---\n").slice(2).join("---\n");
const frontMatterOf = (path: string) =>
  parseYaml(textOf(path).split("---\n")[1]!) as Record<string, unknown>;

/** Runs the site's own check on the imported content. */
function checkContent() {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["cli/content-check/main.ts", "--offline", "--json"],
    { encoding: "utf8", env: { ...process.env, CONTENT_DIR: root, COMPILE_WORKERS: "1" } },
  );
  expect(stderr).toBe("");
  return JSON.parse(stdout) as { posts: number; ok: number; failed: unknown[]; warnings: string[] };
}

/** Returns every file of the content folder with its text. */
function snapshot(): Record<string, string> {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    paths
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path, readFileSync(path, "base64")]),
  );
}

const reasonsFor = ({ warnings }: ImportReport, subject: string) =>
  warnings.filter((warning) => warning.subject.includes(subject)).map(({ reason }) => reason);

test("a Ghost export becomes posts that compile, with the images of its ZIP", async () => {
  const report = await importGhost();
  expect(report).toMatchObject({ posts: 48, pages: 2, drafts: 7, written: 50, aliases: 48 });
  const check = checkContent();
  expect([check.failed, check.posts, check.ok]).toEqual([[], check.posts, check.posts]);
  expect(check.posts).toBeGreaterThanOrEqual(48);
  expect(requests).toEqual([]);

  expect(frontMatterOf("blog/ghost-post-0")).toEqual({
    title: "Ghost post 0",
    date: "2021-01-01T23:30:00+01:00",
    updated: "2021-01-02T00:00:00+01:00",
    description: "Post 0 starts with {braces} & a <tag>, see post 3.",
    categories: ["SQLite"],
    banner: "./banner.png",
    bannerAlt: "A banner",
    bannerCredit: "By Ada",
    aliases: ["/ghost-post-0/"],
  });
  expect(bodyOf("blog/ghost-post-0")).toBe(
    [
      "",
      "Post 0 starts with \\{braces} & a \\<tag>, see [post 3](/blog/ghost-post-3#part).",
      "## Part",
      '![A \\{brace}](./photo-one.png "A caption")',
      "&#105;mport is a word\n",
    ]
      .join("\n\n")
      .slice(1),
  );
  expect(existsSync(join(root, "blog/ghost-post-0/photo-one.png"))).toBe(true);
  expect(bodyOf("blog/ghost-post-1")).toContain("![](./a.png)\n\n![](./b.png)");
  expect(frontMatterOf("blog/ghost-post-1").title).toBe('Quotes: "a" & {b}');
  expect(bodyOf("blog/ghost-post-3")).toContain("> [!NOTE]\n> 💡 Mind the **gap**");
  expect(bodyOf("blog/ghost-post-4")).toContain(
    "<details>\n<summary>More</summary>\n\nHidden text\n\n</details>",
  );
  expect(bodyOf("blog/ghost-post-5")).toContain('<video controls src="./film.mp4"></video>');
  expect(frontMatterOf("blog/ghost-post-5").description).toBe("An excerpt of its own");
  expect(bodyOf("blog/ghost-post-8")).toContain(
    "\n\nhttps://www.youtube.com/watch?v=dQw4w9WgXcQ\n\n",
  );
  expect(bodyOf("blog/ghost-post-9")).toContain("| Name | Size |\n| --- | ---: |\n| a\\|b | 1 |");
});

test("Ghost's drafts, scheduled posts, pages and redirects keep what they are", async () => {
  const report = await importGhost();
  expect(frontMatterOf("blog/ghost-post-40").draft).toBe(true);
  expect(frontMatterOf("blog/ghost-post-46")).toMatchObject({ date: "2099-01-01T11:00:00+01:00" });
  expect(frontMatterOf("blog/ghost-post-46")).not.toHaveProperty("draft");
  expect(frontMatterOf("blog/ghost-post-47").draft).toBe(true);
  expect(reasonsFor(report, "Ghost post 47")).toEqual([
    "was for paid readers only, so it became a draft",
  ]);
  expect(existsSync(join(root, "pages/ghost-post-48/index.mdx"))).toBe(true);
  const redirects = readFileSync(join(root, "_redirects"), "utf8").split("\n");
  for (const line of [
    "/tag/sqlite/  /blog?topic=SQLite  301",
    "/rss/  /feed.xml  301",
    "/old-page/  /ghost-post-1/  301",
    "/soon  /blog  302",
  ])
    expect(redirects).toContain(line);
  expect(reasonsFor(report, "redirects.yaml")).toEqual([
    expect.stringContaining("is a pattern") as string,
  ]);
});

test("a WordPress export becomes posts that compile, with downloaded images", async () => {
  const report = await importWordPress();
  expect(report).toMatchObject({ posts: 48, pages: 2, drafts: 5, written: 50 });
  const check = checkContent();
  expect([check.failed, check.ok]).toEqual([[], check.posts]);
  expect(check.posts).toBeGreaterThanOrEqual(48);

  expect(frontMatterOf("blog/wp-post-0")).toEqual({
    title: "WordPress post 0",
    date: "2021-01-01T00:30:00+02:00",
    description: "Block text with {braces} & post 1.",
    categories: ["News & Views"],
    keywords: ["SQL"],
    banner: "./image-901.png",
    bannerAlt: "Image 901",
    aliases: ["/2021/01/wp-post-0/", "/2021/01/wp-old/"],
  });
  const redirects = readFileSync(join(root, "_redirects"), "utf8").split("\n");
  for (const line of [
    "/  p=100  /blog/wp-post-0  301",
    "/  page_id=148  /wp-page-48  301",
    "/category/news/  /blog?topic=News%20%26%20Views  301",
    "/tag/sql/  /blog?q=SQL  301",
    "/feed/  /feed.xml  301",
  ])
    expect(redirects).toContain(line);
  expect(bodyOf("blog/wp-post-0")).toBe(
    [
      "",
      "Block text with \\{braces} & [post 1](/blog/wp-post-1).",
      "<figure>",
      "![A photo](./photo-1024x768.png)",
      "<figcaption>The *caption*</figcaption>",
      "</figure>\n",
    ]
      .join("\n\n")
      .slice(1),
  );
  expect(frontMatterOf("blog/wp-post-1").title).toBe("Tom & Jerry’s <tag>");
  expect(bodyOf("blog/wp-post-1")).toContain(
    'First classic paragraph\\\nwith a second line.\n\n![Big](./big.png "A classic caption")\n\nLast one.',
  );
  expect(bodyOf("blog/wp-post-2")).toContain("![Image 900](./image-900.png)\n\n![Image 901](");
  expect(bodyOf("blog/wp-post-2")).toContain("\n\nhttps://vimeo.com/76979871\n");
  expect(bodyOf("blog/wp-post-3")).toContain('```php\n<?php\n\nif ($a < 1) { echo "[x]"; }\n```');
  expect(bodyOf("blog/wp-post-5")).toContain("A note[^1b2c-3d].\n\n[^1b2c-3d]: The *note*");
  expect(bodyOf("blog/wp-post-6")).toContain("[Paper](./paper.pdf)\n");
  expect(bodyOf("blog/wp-post-6")).toContain("> Quoted\n>\n> — Somebody");
  expect(frontMatterOf("blog/wp-post-44").date).toBe("2099-05-05T00:30:00+02:00");
  expect(frontMatterOf("blog/wp-post-45").draft).toBe(true);
  expect(frontMatterOf("blog/wordpress-post-40").draft).toBe(true);
});

test("an uploaded image that a post only links to, and a file linked in a table, are downloaded", async () => {
  const table = `<table><tr><td><a href="${oldSite.origin}/wp-content/uploads/2021/01/table.pdf">T</a></td></tr></table>`;
  const xml = wordPressExportXml(oldSite.origin)
    .replaceAll("paper.pdf", "chart.png")
    .replaceAll("<p>Quoted</p>", table);
  const site = readWordPressExport(writeExport("linked.xml", xml));
  const posts = site.posts.filter(({ slug }) => slug === "wp-post-6");
  await importSite({ ...site, posts }, { root, isDryRun: false });
  expect(bodyOf("blog/wp-post-6")).toContain("[Paper](./chart.png)\n");
  expect(bodyOf("blog/wp-post-6")).toContain('<a href="./table.pdf">T</a>');
  const { failed, warnings } = checkContent();
  expect([failed, warnings.filter((warning) => /chart|table/.test(warning))]).toEqual([[], []]);
});

test("the addresses of a WordPress site in a folder lead to its posts", async () => {
  const xml = wordPressExportXml(oldSite.origin).replaceAll(
    new RegExp(`(<link>|<wp:base_blog_url>)${oldSite.origin}`, "g"),
    `$1${oldSite.origin}/blog`,
  );
  const site = readWordPressExport(writeExport("folder.xml", xml));
  const posts = site.posts.filter(({ slug }) => slug === "wp-post-6");
  const html = `<p><a href="${oldSite.origin}/blog/?p=106">6</a></p>`;
  await importSite(
    { ...site, posts: [{ ...posts[0]!, slug: "six", html }] },
    { root, isDryRun: false },
  );
  expect(bodyOf("blog/six")).toBe("\n[6](/blog/six)\n");
  const resolve = createResolver();
  expect(resolve("/blog/?p=106")[1]).toMatch(/^\/blog\/six/);
  expect(resolve("/blog/2021/07/wp-post-6/")).toEqual([301, "/blog/six"]);
  expect(resolve("/blog/tag/sql/")).toEqual([301, "/blog?q=SQL"]);
  expect(resolve("/blog/feed/")).toEqual([301, "/feed.xml"]);
});

test("an image that is gone stays a link, and unknown shortcodes are reported", async () => {
  const report = await importWordPress();
  expect(bodyOf("blog/wp-post-7")).toContain(
    `![gone](${oldSite.origin}/wp-content/uploads/2021/01/gone.png)`,
  );
  expect(reasonsFor(report, "blog/wp-post-7/")).toEqual([
    `${oldSite.origin}/wp-content/uploads/2021/01/gone.png stays a link: status 404`,
  ]);
  expect(reasonsFor(report, "WordPress post 7")).toEqual([
    "the shortcode [contact-form-7] stayed as text",
  ]);
});

test("a Substack export becomes posts that compile, without its buttons", async () => {
  const report = await importSubstack();
  expect(report).toMatchObject({ posts: 50, pages: 0, drafts: 7, written: 50, aliases: 50 });
  const check = checkContent();
  expect([check.failed, check.posts, check.ok]).toEqual([[], 50, 50]);
  expect(frontMatterOf("blog/letter-1")).toEqual({
    title: 'Letter 1, with "quotes"',
    date: "2021-02-02T10:00:00Z",
    description: "A subtitle",
    aliases: ["/p/letter-1"],
  });
  expect(bodyOf("blog/letter-0")).toContain('![Drawing](./drawing.png "A caption")');
  expect(bodyOf("blog/letter-1")).toContain("With a note.[^1]\n\n[^1]: The note.");
  expect(bodyOf("blog/letter-2")).toBe(
    "\nLetter 2 & \\{braces}, after [the first](/blog/letter-0).\n",
  );
  expect(bodyOf("blog/letter-3")).toContain("\n\nhttps://www.youtube.com/watch?v=dQw4w9WgXcQ\n");
  expect(frontMatterOf("blog/letter-49").draft).toBe(true);
});

test("a second import changes nothing, and asks only for the image that was missing", async () => {
  await importWordPress();
  const before = snapshot();
  const downloads = new Set(requests);
  expect(downloads.size).toBe(new Set(requests).size);
  requests = [];
  const report = await importWordPress();
  expect(report).toMatchObject({ written: 0, unchanged: 50, redirects: 0, images: 0 });
  expect(snapshot()).toEqual(before);
  expect(new Set(requests)).toEqual(new Set(["/wp-content/uploads/2021/01/gone.png"]));
});

test("posts that were edited or deleted stay that way, and others follow a newer export", async () => {
  await importGhost();
  const edited = join(root, "blog/ghost-post-1/index.mdx");
  writeFileSync(edited, `${readFileSync(edited, "utf8")}\nMine.\n`);
  rmSync(join(root, "blog/ghost-post-2"), { recursive: true, force: true });
  rmSync(join(root, "blog/cafe-au-lait"), { recursive: true, force: true });
  rmSync(join(root, "blog/café-au-lait"), { recursive: true, force: true });
  const site = readGhostExport(join(folder, "ghost.zip"), { url: "" });
  const posts = site.posts.map((post) => ({
    ...post,
    title: post.slug === "ghost-post-3" || post.slug === "ghost-post-1" ? "New" : post.title,
  }));
  const report = await importSite({ ...site, posts }, { root, isDryRun: false });
  expect(report).toMatchObject({ written: 1, unchanged: 47, images: 0 });
  expect(existsSync(join(root, "blog/ghost-post-2"))).toBe(false);
  expect(readFileSync(edited, "utf8")).toContain("Mine.");
  expect(frontMatterOf("blog/ghost-post-3").title).toBe("New");
  expect(reasonsFor(report, "blog/ghost-post-1/")).toEqual([
    "was edited since the last import, so it was not changed",
  ]);
});

test("another WordPress site with the same post IDs overwrites nothing", async () => {
  await importWordPress();
  const other = readWordPressExport(
    writeExport("other.xml", wordPressExportXml("https://other.example")),
  );
  expect(await importSite(other, { root, isDryRun: true })).toMatchObject({ written: 0 });
});

test("a page whose slug belongs to a page of this site gets another address", async () => {
  const site = readGhostExport(writeExport("ghost.zip", ghostExportZip()), { url: "" });
  const posts = site.posts
    .filter(({ kind }) => kind === "page")
    .map((page) => ({ ...page, slug: "search", oldPaths: ["/search/"] }));
  const report = await importSite({ ...site, posts }, { root, isDryRun: false });
  expect(readdirSync(join(root, "pages"))).toEqual(["search-2", "search-3"]);
  expect(reasonsFor(report, "pages/search-2/")).toEqual([
    "is at /search-2, because /search is a page of this site",
  ]);
  createResolver();
});

test("a new post does not take the address of an older one that was renamed", async () => {
  await importGhost();
  const site = readGhostExport(join(folder, "ghost.zip"), { url: "" });
  const [older] = site.posts.filter(({ slug }) => slug === "ghost-post-3");
  const newer = { ...older!, id: "ghost:new", title: "A new one" };
  const posts = [
    newer,
    ...site.posts.map((post) => (post === older ? { ...post, slug: "renamed" } : post)),
  ];
  const before = frontMatterOf("blog/ghost-post-3").title;
  await importSite({ ...site, posts }, { root, isDryRun: false });
  expect(frontMatterOf("blog/ghost-post-3").title).toBe(before);
  expect(frontMatterOf("blog/ghost-post-3-2").title).toBe("A new one");
  expect(existsSync(join(root, "blog/renamed"))).toBe(false);
});

test("a post that existed before is not overwritten", async () => {
  mkdirSync(join(root, "blog/ghost-post-1"), { recursive: true });
  writeFileSync(join(root, "blog/ghost-post-1/index.mdx"), "mine");
  const report = await importGhost();
  expect(textOf("blog/ghost-post-1")).toBe("mine");
  expect(readdirSync(join(root, "blog/ghost-post-1"))).toEqual(["index.mdx"]);
  expect(reasonsFor(report, "blog/ghost-post-1/")).toEqual([
    "exists and is not from this post, so it was not changed",
  ]);
});

test("a post whose slug another file has is not written, since the site shows only one", async () => {
  mkdirSync(join(root, "blog"), { recursive: true });
  writeFileSync(join(root, "blog/ghost-post-1.mdx"), "mine");
  const report = await importGhost();
  expect(existsSync(join(root, "blog/ghost-post-1"))).toBe(false);
  expect(reasonsFor(report, "blog/ghost-post-1/")).toEqual([
    "exists and is not from this post, so it was not changed",
  ]);
});

test("a reader of the redirects file sees the old one or the new one, never a part", () => {
  mkdirSync(root, { recursive: true });
  const file = join(root, "_redirects");
  writeFileSync(file, "/mine  /yours  301\n");
  const reader = openSync(file, "r");
  const rules = [{ from: "/a", to: "/b", status: 301 }];
  expect(addRedirects(file, rules, { platform: "ghost", isDryRun: false })).toBe(1);
  expect(readFileSync(reader, "utf8")).toBe("/mine  /yours  301\n");
  closeSync(reader);
  expect(readFileSync(file, "utf8")).toMatch(/^\/mine {2}\/yours {2}301\n[^]*\/a {2}\/b {2}301\n$/);
  expect(readdirSync(root)).toEqual(["_redirects"]);
});

test("a dry run writes and fetches nothing", async () => {
  const site = readWordPressExport(writeExport("w.xml", wordPressExportXml(oldSite.origin)));
  const report = await importSite(site, { root, isDryRun: true });
  expect(report).toMatchObject({ posts: 48, pages: 2, written: 50 });
  expect([existsSync(root), requests]).toEqual([false, []]);
});

/** Returns where the site leads a path of the old site, by the imported files. */
function createResolver() {
  const blog = join(root, "blog");
  const posts = (existsSync(blog) ? readdirSync(blog) : []).map((slug) => {
    const path = `blog/${slug}/index.mdx`;
    const post = parsePost(path, textOf(`blog/${slug}`));
    return { ...post, path };
  });
  const { rules, warnings } = parseRedirects(
    readFileSync(join(root, "_redirects"), "utf8"),
    "_redirects",
  );
  const table = new AddressTable({ posts, rules, isPublicFile: () => false });
  expect([...warnings, ...table.warnings]).toEqual([]);
  return (path: string) => {
    const match = table.resolve(path);
    return match?.kind === "redirect" ? [match.status, match.location] : [match?.kind];
  };
}

test("every old address of the three platforms leads to the new one", async () => {
  await importGhost();
  await importWordPress();
  await importSubstack();
  const resolve = createResolver();
  for (let index = 0; index < 48; index++) {
    if (index !== 2)
      expect(resolve(`/ghost-post-${index}/`)).toEqual([301, `/blog/ghost-post-${index}`]);
    expect(resolve(`/p/letter-${index}`)).toEqual([301, `/blog/letter-${index}`]);
    const isDraft = index >= 40 && index < 44;
    const slug = isDraft ? `wordpress-post-${index}` : `wp-post-${index}`;
    expect(resolve(`/?p=${100 + index}`)[1]).toMatch(new RegExp(`^/blog/${slug}`));
    const month = String(1 + (index % 12)).padStart(2, "0");
    if (!isDraft) expect(resolve(`/2021/${month}/${slug}/`)).toEqual([301, `/blog/${slug}`]);
  }
  expect(resolve("/caf%C3%A9-au-lait/")).toEqual([301, "/blog/caf%C3%A9-au-lait"]);
  expect(resolve("/2021/01/wp-old/")).toEqual([301, "/blog/wp-post-0"]);
  expect(resolve("/?page_id=148")[1]).toMatch(/^\/wp-page-48/);
  expect(resolve("/tag/sqlite/")).toEqual([301, "/blog?topic=SQLite"]);
  expect(resolve("/author/ada/")).toEqual([301, "/blog"]);
  expect(resolve("/rss/")).toEqual([301, "/feed.xml"]);
});
