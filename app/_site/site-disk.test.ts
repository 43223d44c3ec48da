import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { MINUTE_MS, nowMs, setClock } from "#lib/base/clock.ts";
import { closeCacheFile } from "#lib/cache/file.ts";
import { findLiveVersion } from "#lib/content/live-version.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { BROKEN, postText, freshSites, whole } from "#tests/sites.ts";

const sites = freshSites();

test("posts of the disk are listed newest first and compiled, pages apart", async () => {
  sites.put("blog/old.mdx", postText("Old", "2025-01-01"));
  sites.put("blog/new/index.mdx", postText("New", "2026-01-01", "## A heading\n\nHello **you**."));
  sites.put("pages/about.mdx", "---\ntitle: About\ndescription: Us\n---\n\nWe are.\n");
  const site = sites.disk();
  expect((await site.getIndex()).posts.map(({ slug }) => slug)).toEqual(["new", "old"]);
  expect(await site.getPost("new")).toMatchObject({
    frontMatter: { title: "New" },
    compiled: { headings: [{ text: "A heading" }], text: expect.stringContaining("Hello you") },
  });
  expect((await site.getPage("about"))?.compiled.text).toContain("We are.");
  expect(await site.getPost("about")).toBeNull();
  expect(await site.getPost("nothing")).toBeNull();
  expect(await site.getPostSource("old")).toBe("\nText of Old.\n");
});

test("at the very first start lists come before everything is compiled, and a post that is asked for is compiled next", async () => {
  for (let i = 0; i < 12; i++)
    sites.put(
      `blog/p${i}.mdx`,
      postText(`P${i}`, `2026-01-${String(i + 10)}`, "word ".repeat(300)),
    );
  const site = sites.disk();
  const index = await site.getIndex();
  expect(index.posts).toHaveLength(12);
  expect(site.status().pending).toBeGreaterThan(0);
  expect(index.bySlug.get("p0")!.compiled).toMatchObject({
    compiledSource: "",
    words: 300,
    readingMinutes: 2,
  });
  const oldest = await site.getPost("p0");
  expect(oldest!.compiled.compiledSource).not.toBe("");
  expect(site.status().compiling!.done).toBeLessThan(11);
  await whole(site);
  expect((await site.getIndex()).bySlug.get("p0")!.compiled).toEqual(oldest!.compiled);
});

test("many who ask at once get one compile; a restart compiles nothing", async () => {
  sites.put("blog/a.mdx", postText("A"));
  const site = sites.disk();
  const posts = await Promise.all(Array.from({ length: 30 }, () => site.getPost("a")));
  expect(new Set(posts.map((each) => each!.compiled)).size).toBe(1);
  await whole(site);
  await sites.end();
  closeCacheFile();
  const again = sites.disk();
  await again.getIndex();
  expect(again.status()).toMatchObject({ pending: 0 });
});

test("only what changed is compiled again", async () => {
  for (const name of ["a", "b", "c"]) sites.put(`blog/${name}.mdx`, postText(name));
  const site = await whole(sites.disk());
  const [before, key] = [await site.getIndex(), site.key()];
  sites.put("blog/b.mdx", postText("b", "2026-11-21", "Other text."));
  await site.look();
  const after = await site.getIndex();
  expect(
    ["a", "b", "c"].map(
      (slug) => after.bySlug.get(slug)!.compiled === before.bySlug.get(slug)!.compiled,
    ),
  ).toEqual([true, false, true]);
  expect(site.key()).not.toBe(key);
});

test("a change of nothing that is shown keeps the key of cached pages", async () => {
  sites.put("blog/a.mdx", postText("A"));
  const site = await whole(sites.disk());
  const key = site.key();
  await site.look();
  expect(site.key()).toBe(key);
  site.touch();
  expect(site.key()).not.toBe(key);
});

test("a post that no longer compiles keeps its last good version, and the admin sees why", async () => {
  sites.put("blog/a.mdx", postText("Good"));
  sites.put("blog/b.mdx", postText("Other"));
  const site = await whole(sites.disk());
  sites.put("blog/a.mdx", BROKEN);
  sites.put("blog/b.mdx", postText("Other, changed"));
  await site.look();
  expect((await site.getPost("a"))!.frontMatter.title).toBe("Good");
  expect((await site.getPost("b"))!.frontMatter.title).toBe("Other, changed");
  expect(site.status().failures).toEqual([
    expect.objectContaining({
      slug: "a",
      file: "blog/a.mdx",
      line: 7,
      reason: expect.any(String),
      servedFrom: "last good",
      sinceMs: expect.any(Number),
    }),
  ]);

  await sites.end();
  closeCacheFile();
  const again = await whole(sites.disk());
  expect((await again.getPost("a"))!.frontMatter.title).toBe("Good");

  sites.put("blog/a.mdx", postText("Mended"));
  await again.look();
  expect((await again.getPost("a"))!.frontMatter.title).toBe("Mended");
  expect(again.status().failures).toEqual([]);
});

test("a post whose front matter breaks keeps its last good version, also when the whole index is built anew", async () => {
  sites.put("blog/a.mdx", postText("Good"));
  await whole(sites.disk());
  sites.put("blog/a.mdx", postText("Bad").replace("2026-11-21", "someday"));
  await sites.end();
  const site = await whole(sites.disk());
  expect((await site.getPost("a"))!.frontMatter.title).toBe("Good");
  expect(site.status().failures).toEqual([
    expect.objectContaining({ line: 3, field: "date", servedFrom: "last good" }),
  ]);
});

test("a post that never was good is left out, the others are served", async () => {
  sites.put("blog/a.mdx", postText("Good"));
  sites.put("blog/broken.mdx", BROKEN);
  sites.put("blog/bytes.mdx", new Uint8Array([0x2d, 0x2d, 0x2d, 0xff, 0xfe]));
  const site = await whole(sites.disk());
  expect((await site.getIndex()).posts.map(({ slug }) => slug)).toEqual(["a"]);
  expect(await site.getPost("broken")).toBeNull();
  expect(
    site
      .status()
      .failures.map(({ slug, servedFrom }) => [slug, servedFrom])
      .sort(),
  ).toEqual([
    ["broken", "nothing"],
    ["bytes", "nothing"],
  ]);
});

test("in development a broken post is an error with its place", async () => {
  sites.put("blog/broken.mdx", BROKEN);
  const site = await whole(sites.disk({ isDevelopment: true }));
  await expect(site.getPost("broken")).rejects.toThrow(/^blog\/broken\.mdx:7: /);
  sites.put("blog/broken.mdx", postText("Mended"));
  expect((await site.getPost("broken"))!.frontMatter.title).toBe("Mended");
  sites.put("blog/broken.mdx", BROKEN);
  await expect(site.getPost("broken")).rejects.toThrow(/^blog\/broken\.mdx:7: /);
});

test("in development a request shows what was just saved", async () => {
  sites.put("blog/a.mdx", postText("One"));
  const site = await whole(sites.disk({ isDevelopment: true }));
  sites.put("blog/a.mdx", postText("Two"));
  expect((await site.getPost("a"))!.frontMatter.title).toBe("Two");
});

test("two files with one slug: one is shown, the other is named", async () => {
  sites.put("blog/a.mdx", postText("File"));
  sites.put("blog/a/index.mdx", postText("Folder"));
  const site = await whole(sites.disk());
  expect((await site.getPost("a"))!.frontMatter.title).toBe("File");
  expect(site.status().failures).toEqual([
    expect.objectContaining({
      file: "blog/a/index.mdx",
      reason: expect.stringContaining("blog/a.mdx has the same slug"),
    }),
  ]);
});

test("a post that failed is tried again later", async () => {
  sites.put("blog/slow.mdx", BROKEN);
  const site = await whole(sites.disk());
  const { sinceMs } = site.status().failures[0]!;
  setClock(nowMs() + 6 * MINUTE_MS);
  await site.look();
  expect(site.status().failures).toEqual([expect.objectContaining({ sinceMs })]);
});

test("the disk's version is written to the row by the primary, and only by it", async () => {
  sites.put("blog/a.mdx", postText("A"));
  sites.isPrimary = false;
  await whole(sites.disk());
  expect(await snapshotSql(findLiveVersion)).toBeNull();
  sites.isPrimary = true;
  const site = await whole(sites.disk());
  await expect
    .poll(() => snapshotSql(findLiveVersion))
    .toMatchObject({ version: site.status().served! });
});

test("a folder that is not there is a clear error, and the posts are found once it is", async () => {
  rmSync(sites.dir, { recursive: true });
  const site = sites.disk();
  await expect(site.getIndex()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("can't be read"),
  });
  expect(site.status().problem?.reason).toContain("can't be read");
  sites.put("blog/a.mdx", postText("A"));
  setClock(nowMs() + MINUTE_MS);
  expect((await site.getIndex()).posts).toHaveLength(1);
  expect(site.status().problem).toBeNull();
});

test("one post is compiled past every cache, stage by stage", async () => {
  sites.put("blog/a.mdx", postText("A", "2026-11-21", "```js\nlet a = 1\n```"));
  sites.put("blog/broken.mdx", BROKEN);
  const site = await whole(sites.disk());
  const fresh = await site.compileFresh("a");
  expect(fresh).toMatchObject({ file: "blog/a.mdx", problem: null });
  expect(fresh!.stages.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["read, front matter, pictures", "parse", "highlight"]),
  );
  expect(fresh!.stages.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(fresh!.totalMs, 0);
  expect(await site.compileFresh("broken")).toMatchObject({ problem: { line: 7 } });
  expect(await site.compileFresh("nothing")).toBeNull();
});
