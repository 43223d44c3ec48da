import { rmSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { closeCacheFile } from "#lib/cache/cache-file.ts";
import { clearCacheMemory } from "#lib/cache/define-cache.ts";
import { findPublishedVersion, setPublishedVersion } from "./published-version.ts";
import { read, write } from "#lib/db/database.ts";
import { execute } from "#tests/support/database.ts";
import {
  BROKEN_POST,
  makePostText,
  setUpContentSites,
  waitUntilCompiled,
} from "#tests/support/content-site-fixture.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";

const sites = setUpContentSites();

test("posts on disk are compiled and listed newest first, separately from pages", async () => {
  sites.writeFile("blog/old.mdx", makePostText("Old", "2025-01-01"));
  sites.writeFile(
    "blog/new/index.mdx",
    makePostText("New", "2026-01-01", "## A heading\n\nHello **you**."),
  );
  sites.writeFile("pages/about.mdx", "---\ntitle: About\ndescription: Us\n---\n\nWe are.\n");
  const site = sites.createDiskSite();
  expect((await site.getIndex()).posts.map(({ slug }) => slug)).toEqual(["new", "old"]);
  expect(await site.findPostBySlug("new")).toMatchObject({
    frontMatter: { title: "New", description: "About New" },
    compiled: { headings: [{ text: "A heading" }], text: expect.stringContaining("Hello you") },
  });
  expect((await site.findPageBySlug("about"))?.compiled.text).toContain("We are.");
  expect(await site.findPostBySlug("about")).toBeNull();
  expect(await site.findPostBySlug("nothing")).toBeNull();
  expect(await site.findPostSource("old")).toBe("\nText of Old.\n");
});

test("a post without a description is described by its first paragraph", async () => {
  sites.writeFile("blog/a.mdx", "---\ntitle: A\ndate: 2026-01-01\n---\n## B\n\nHello **you**.\n");
  const site = sites.createDiskSite();
  await waitUntilCompiled(site);
  expect((await site.getIndex()).bySlug.get("a")!.frontMatter.description).toBe("Hello you.");
});

test("a post with the address of a topic or a year is reported", async () => {
  const text = "---\ntitle: A\ndate: 2026-01-01\ntags: [Düne]\n---\nHello.\n";
  for (const slug of ["topics/düne", "topics/other", "archive/2026", "archive/2025"])
    sites.writeFile(`blog/${slug}.mdx`, text);
  const site = sites.createDiskSite();
  await waitUntilCompiled(site);
  expect(site.getStatus().warnings).toEqual([
    "blog/archive/2026.mdx:1: its address /blog/archive/2026 is also the address of a page; the post takes precedence",
    "blog/topics/düne.mdx:1: its address /blog/topics/düne is also the address of a page; the post takes precedence",
  ]);
});

test("at the first start, lists come before all posts are compiled, and a requested post has priority", async () => {
  for (let i = 0; i < 12; i++)
    sites.writeFile(
      `blog/p${i}.mdx`,
      makePostText(`P${i}`, `2026-01-${String(i + 10)}`, "word ".repeat(300)),
    );
  const site = sites.createDiskSite();
  const index = await site.getIndex();
  expect(index.posts).toHaveLength(12);
  expect(site.getStatus().pendingCount).toBeGreaterThan(0);
  expect(index.bySlug.get("p0")!.compiled).toMatchObject({
    compiledSource: "",
    words: 300,
    readingMinutes: 2,
  });
  const oldest = await site.findPostBySlug("p0");
  expect(oldest!.compiled.compiledSource).not.toBe("");
  expect(site.getStatus().buildProgress!.done).toBeLessThan(11);
  await waitUntilCompiled(site);
  expect((await site.getIndex()).bySlug.get("p0")!.compiled).toEqual(oldest!.compiled);
});

test("at the first start, a requested post's code is served before the other posts are compiled", async () => {
  for (let i = 0; i < 12; i++)
    sites.writeFile(
      `blog/p${i}.mdx`,
      makePostText(`P${i}`, `2026-01-${String(i + 10)}`, "word ".repeat(300)),
    );
  sites.writeFile("blog/a/index.mdx", makePostText("A", "2025-01-01", 'import "./a.css"\n\nText.'));
  sites.writeFile("blog/a/a.css", "p { color: red }");
  const site = sites.createDiskSite();
  const { compiled } = (await site.findPostBySlug("a"))!;
  expect(site.getStatus().pendingCount).toBeGreaterThan(0);
  expect(await site.findPostCode(compiled.code!.hash)).toEqual(compiled.code);
  await waitUntilCompiled(site);
  expect(await site.findPostCode(compiled.code!.hash)).toEqual(compiled.code);
});

test("concurrent requests share a compile, and a restart compiles nothing", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A"));
  const site = sites.createDiskSite();
  const posts = await Promise.all(Array.from({ length: 30 }, () => site.findPostBySlug("a")));
  expect(new Set(posts.map((each) => each!.compiled)).size).toBe(1);
  await waitUntilCompiled(site);
  await sites.stopAll();
  closeCacheFile();
  const restarted = sites.createDiskSite();
  await restarted.getIndex();
  expect(restarted.getStatus()).toMatchObject({ pendingCount: 0 });
});

test("only changed posts are compiled again", async () => {
  for (const name of ["a", "b", "c"]) sites.writeFile(`blog/${name}.mdx`, makePostText(name));
  const site = await waitUntilCompiled(sites.createDiskSite());
  const [before, key] = [await site.getIndex(), site.getKey()];
  sites.writeFile("blog/b.mdx", makePostText("b", "2026-11-21", "Other text."));
  await site.refresh();
  const after = await site.getIndex();
  expect(
    ["a", "b", "c"].map(
      (slug) => after.bySlug.get(slug)!.compiled === before.bySlug.get(slug)!.compiled,
    ),
  ).toEqual([true, false, true]);
  expect(site.getKey()).not.toBe(key);
});

test("the key of cached pages changes only with the content", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  const key = site.getKey();
  await site.refresh();
  expect(site.getKey()).toBe(key);
  site.invalidate();
  expect(site.getKey()).not.toBe(key);
});

test("a post that no longer compiles keeps its last good version, and the status has the reason", async () => {
  sites.writeFile("blog/a.mdx", makePostText("Good"));
  sites.writeFile("blog/b.mdx", makePostText("Other"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  sites.writeFile("blog/a.mdx", BROKEN_POST);
  sites.writeFile("blog/b.mdx", makePostText("Other, changed"));
  await site.refresh();
  expect((await site.findPostBySlug("a"))!.frontMatter.title).toBe("Good");
  expect((await site.findPostBySlug("b"))!.frontMatter.title).toBe("Other, changed");
  expect(site.getStatus().failures).toEqual([
    expect.objectContaining({
      slug: "a",
      file: "blog/a.mdx",
      line: 7,
      reason: expect.any(String),
      servedFrom: "last good",
      sinceMs: expect.any(Number),
    }),
  ]);

  await sites.stopAll();
  closeCacheFile();
  const restarted = await waitUntilCompiled(sites.createDiskSite());
  expect((await restarted.findPostBySlug("a"))!.frontMatter.title).toBe("Good");

  sites.writeFile("blog/a.mdx", makePostText("Fixed"));
  await restarted.refresh();
  expect((await restarted.findPostBySlug("a"))!.frontMatter.title).toBe("Fixed");
  expect(restarted.getStatus().failures).toEqual([]);
});

test("a post with a broken front matter keeps its last good version, even across a restart", async () => {
  sites.writeFile("blog/a.mdx", makePostText("Good"));
  await waitUntilCompiled(sites.createDiskSite());
  sites.writeFile("blog/a.mdx", makePostText("Bad").replace("2026-11-21", "someday"));
  await sites.stopAll();
  const site = await waitUntilCompiled(sites.createDiskSite());
  expect((await site.findPostBySlug("a"))!.frontMatter.title).toBe("Good");
  expect(site.getStatus().failures).toEqual([
    expect.objectContaining({ line: 3, field: "date", servedFrom: "last good" }),
  ]);
});

test("a post that never compiled is omitted, the others are served", async () => {
  sites.writeFile("blog/a.mdx", makePostText("Good"));
  sites.writeFile("blog/broken.mdx", BROKEN_POST);
  sites.writeFile("blog/bytes.mdx", new Uint8Array([0x2d, 0x2d, 0x2d, 0xff, 0xfe]));
  const site = await waitUntilCompiled(sites.createDiskSite());
  expect((await site.getIndex()).posts.map(({ slug }) => slug)).toEqual(["a"]);
  expect(await site.findPostBySlug("broken")).toBeNull();
  expect(
    site
      .getStatus()
      .failures.map(({ slug, servedFrom }) => [slug, servedFrom])
      .sort(),
  ).toEqual([
    ["broken", "nothing"],
    ["bytes", "nothing"],
  ]);
});

test("in development a broken post is an error with its line", async () => {
  sites.writeFile("blog/broken.mdx", BROKEN_POST);
  const site = await waitUntilCompiled(sites.createDiskSite({ isDevelopment: true }));
  await expect(site.findPostBySlug("broken")).rejects.toThrow(/^blog\/broken\.mdx:7: /);
  sites.writeFile("blog/broken.mdx", makePostText("Fixed"));
  expect((await site.findPostBySlug("broken"))!.frontMatter.title).toBe("Fixed");
  sites.writeFile("blog/broken.mdx", BROKEN_POST);
  await expect(site.findPostBySlug("broken")).rejects.toThrow(/^blog\/broken\.mdx:7: /);
});

test("in development a request shows the newest text", async () => {
  sites.writeFile("blog/a.mdx", makePostText("One"));
  const site = await waitUntilCompiled(sites.createDiskSite({ isDevelopment: true }));
  sites.writeFile("blog/a.mdx", makePostText("Two"));
  expect((await site.findPostBySlug("a"))!.frontMatter.title).toBe("Two");
});

test("of two files with the same slug, one is shown and the other is a failure", async () => {
  sites.writeFile("blog/a.mdx", makePostText("File"));
  sites.writeFile("blog/a/index.mdx", makePostText("Folder"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  expect((await site.findPostBySlug("a"))!.frontMatter.title).toBe("File");
  expect(site.getStatus().failures).toEqual([
    expect.objectContaining({
      file: "blog/a/index.mdx",
      reason: expect.stringContaining("blog/a.mdx has the same slug"),
    }),
  ]);
});

test("a failed post is retried later", async () => {
  sites.writeFile("blog/slow.mdx", BROKEN_POST);
  const site = await waitUntilCompiled(sites.createDiskSite());
  const { sinceMs } = site.getStatus().failures[0]!;
  setClock(nowMs() + 6 * MINUTE_MS);
  await site.refresh();
  expect(site.getStatus().failures).toEqual([expect.objectContaining({ sinceMs })]);
});

test("only the primary writes the disk's version to the database", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A"));
  sites.isPrimary = false;
  await waitUntilCompiled(sites.createDiskSite());
  expect(await read(findPublishedVersion)).toBeNull();
  sites.isPrimary = true;
  const site = await waitUntilCompiled(sites.createDiskSite());
  await expect
    .poll(() => read(findPublishedVersion))
    .toMatchObject({ version: site.getStatus().servedVersion! });
});

test("a missing folder is unavailable, and its posts are served once it exists", async () => {
  rmSync(sites.dir, { recursive: true });
  const site = sites.createDiskSite();
  await expect(site.getIndex()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.not.stringContaining(sites.dir),
  });
  // For admins only.
  expect(site.getStatus().problem?.reason).toContain(sites.dir);
  sites.writeFile("blog/a.mdx", makePostText("A"));
  setClock(nowMs() + MINUTE_MS);
  expect((await site.getIndex()).posts).toHaveLength(1);
  expect(site.getStatus().problem).toBeNull();
});

test("a scheduled post is hidden until its time, then shown without a change of the content", async () => {
  const liveAtMs = Date.parse("2031-05-05T08:00:00Z");
  const later = makePostText("Later", "2031-05-05T10:00:00+02:00").replace(
    "title:",
    "aliases: [/old/later]\ntitle:",
  );
  sites.writeFile("blog/later.mdx", later);
  sites.writeFile("blog/now.mdx", makePostText("Now"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  const [before, key] = [await site.getIndex(), site.getKey()];
  expect(before.posts.map(({ slug }) => slug)).toEqual(["now"]);
  expect(await site.findPostBySlug("later")).toBeNull();
  expect(site.resolveAddress("/old/later")).toBeNull();
  expect(site.getStatus().scheduled).toEqual([
    { slug: "later", title: "Later", goLiveMs: liveAtMs },
  ]);

  setClock(liveAtMs - MINUTE_MS);
  await site.refresh();
  expect(await site.getIndex()).toBe(before);
  expect(site.getKey()).toBe(key);

  setClock(liveAtMs);
  await site.refresh();
  expect((await site.getIndex()).posts.map(({ slug }) => slug)).toEqual(["later", "now"]);
  expect((await site.findPostBySlug("later"))?.compiled.text).toContain("Text of Later.");
  expect(site.resolveAddress("/old/later")).toMatchObject({ location: "/blog/later" });
  expect(site.getStatus().scheduled).toEqual([]);
  expect(site.getKey()).not.toBe(key);
});

test("a private draft is hidden like a scheduled post, and posts can be previewed", async () => {
  overrideSiteConfig({ content: { drafts: "private" } });
  onTestFinished(() => overrideSiteConfig());
  const draft = makePostText("Draft", "2026-01-01").replace(
    "title:",
    "draft: true\naliases: [/old/draft]\ntitle:",
  );
  sites.writeFile("blog/draft.mdx", draft);
  sites.writeFile("pages/draft.mdx", draft);
  sites.writeFile("blog/later.mdx", makePostText("Later", "2031-05-05"));
  sites.writeFile("blog/now.mdx", makePostText("Now"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  expect(await site.findPageBySlug("draft")).toBeNull();
  expect(await site.listPages()).toEqual([]);
  expect(site.hasPage("draft")).toBe(false);
  expect((await site.getIndex()).posts.map(({ slug }) => slug)).toEqual(["now"]);
  expect(site.resolveAddress("/old/draft")).toBeNull();
  for (const slug of ["draft", "later"]) {
    expect(await site.findPostBySlug(slug)).toBeNull();
    expect((await site.findPostForPreview(slug))?.compiled.text).toContain("Text of");
  }
  expect(await site.findPostForPreview("nothing")).toBeNull();
  const { allPosts, hidden } = await site.listAllPosts();
  expect(allPosts.posts.map((post) => [post.slug, hidden.has(post)])).toEqual([
    ["later", true],
    ["now", false],
    ["draft", true],
  ]);
});

test("a post goes live by itself, even if the content can't be read at that time", async () => {
  sites.writeFile("blog/first.mdx", makePostText("First", "2031-05-05"));
  sites.writeFile("blog/second.mdx", makePostText("Second", "2031-05-06"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  rmSync(sites.dir, { recursive: true });
  setClock(Date.parse("2031-05-05T00:01:00Z"));
  await expect
    .poll(async () => (await site.getIndex()).posts.map(({ slug }) => slug))
    .toEqual(["first"]);
  expect(site.getStatus().scheduled).toMatchObject([{ slug: "second" }]);
});

test("files of scheduled posts and in ignored folders are hidden, and files of visible posts are not", async () => {
  const liveAtMs = Date.parse("2031-05-05T09:00:00Z");
  const later = makePostText(
    "Later",
    "2031-05-05T09:00:00Z",
    "[a](./slides.pdf) ![b](../loose.png)",
  );
  sites.writeFile("blog/later/index.mdx", later);
  sites.writeFile(
    "blog/loose-later.mdx",
    makePostText("L", "2031-05-05T09:00:00Z", "[c](./c.pdf)"),
  );
  const draft = makePostText("Draft", "2031-05-05").replace("title:", "draft: true\ntitle:");
  sites.writeFile("blog/draft/index.mdx", draft);
  sites.writeFile("blog/2026/later/index.mdx", later);
  sites.writeFile("blog/2026/now.mdx", makePostText("Now", "2026-01-01"));
  const now = makePostText("Now", "2026-01-01", "[d](../_used/d.pdf) [e](../later/e.pdf)");
  sites.writeFile("blog/now/index.mdx", now);
  const paths = {
    hidden: [
      "blog/later/slides.pdf",
      "blog/later/other.txt",
      "blog/loose.png",
      "blog/c.pdf",
      "blog/2026/later/img/a.txt",
    ],
    shown: [
      "blog/now/a.txt",
      "blog/draft/a.txt",
      "blog/later/e.pdf",
      "blog/_used/d.pdf",
      "blog/2026/a.txt",
    ],
    ignored: ["blog/_drafts/a.pdf", "blog/_used/other.pdf"],
    unrelated: ["blog/images/a.png", "shared/a.pdf"],
  };
  for (const path of Object.values(paths).flat()) sites.writeFile(path, path);
  const site = await waitUntilCompiled(sites.createDiskSite());
  const findAll = (list: readonly string[]) =>
    Promise.all(list.map(async (path) => (await site.findFile(path, null)) !== null));
  expect(await findAll(paths.hidden)).toEqual(paths.hidden.map(() => false));
  expect(await findAll(paths.ignored)).toEqual([false, false]);
  expect(await findAll([...paths.shown, ...paths.unrelated])).not.toContain(false);
  setClock(liveAtMs);
  await site.refresh();
  expect(await findAll(paths.hidden)).not.toContain(false);
  expect(await findAll(paths.ignored)).toEqual([false, false]);
});

test("a scheduled post that is not compiled yet is hidden too, and a draft with a later date is not", async () => {
  sites.writeFile("blog/later.mdx", makePostText("Later", "2031-05-05"));
  sites.writeFile(
    "blog/draft.mdx",
    makePostText("Draft", "2031-05-05").replace("title:", "draft: true\ntitle:"),
  );
  const site = sites.createDiskSite();
  const { posts } = await site.getIndex();
  expect(site.getStatus().pendingCount).toBe(2);
  expect(posts.map(({ slug }) => slug)).toEqual(["draft"]);
  expect(await site.findPostBySlug("later")).toBeNull();
  expect(await site.findPostBySlug("draft")).not.toBeNull();
  expect(await site.compileFresh("later")).toMatchObject({ problem: null });
});

test("a post is compiled without any cache, with the duration of each stage", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A", "2026-11-21", "```js\nlet a = 1\n```"));
  sites.writeFile("blog/broken.mdx", BROKEN_POST);
  const site = await waitUntilCompiled(sites.createDiskSite());
  const fresh = await site.compileFresh("a");
  expect(fresh).toMatchObject({ file: "blog/a.mdx", problem: null });
  expect(fresh!.stages.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["read, front matter", "parse", "highlight"]),
  );
  expect(fresh!.stages.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(fresh!.totalMs, 0);
  expect(await site.compileFresh("broken")).toMatchObject({ problem: { line: 7 } });
  expect(await site.compileFresh("nothing")).toBeNull();
});

test.each([
  ["does not compile", BROKEN_POST],
  ["does not parse", "---\ntitle: [\n---\n"],
])("a post that %s keeps its published text, even if the cache was deleted", async (_, text) => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  sites.writeFile("blog/a.mdx", makePostText("A"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  closeCacheFile();
  rmSync(env.CACHE_FILE, { force: true });
  clearCacheMemory();
  sites.writeFile("blog/a.mdx", text);
  await site.refresh();
  expect(site.getStatus().failures).toMatchObject([{ slug: "a", servedFrom: "last good" }]);
  expect((await site.findPostBySlug("a"))?.compiled.text).toContain("Text of A");
});

test("the primary writes the version again after a failure, and after another primary's version", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  sites.writeFile("blog/a.mdx", makePostText("A"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  const refreshed = async () => {
    await site.refresh();
    return (await read(findPublishedVersion))?.version;
  };
  await expect.poll(refreshed).toBe(site.getStatus().publishedVersion);
  await execute(
    `CREATE TRIGGER "fault" BEFORE UPDATE OF "version" ON "ContentVersion" BEGIN SELECT RAISE(ABORT, 'fault'); END`,
  );
  sites.writeFile("blog/b.mdx", makePostText("B"));
  await site.refresh();
  const { publishedVersion: version } = site.getStatus();
  expect(await refreshed()).not.toBe(version);
  await execute(`DROP TRIGGER "fault"`);
  setClock(nowMs() + 2 * MINUTE_MS);
  await expect.poll(refreshed).toBe(version);
  sites.isPrimary = false;
  await write((tx) => setPublishedVersion(tx, "disk-of-another"));
  expect(await refreshed()).toBe("disk-of-another");
  sites.isPrimary = true;
  await expect.poll(refreshed).toBe(version);
});
