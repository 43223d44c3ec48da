import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/database.ts";
import { type TestGitHost, startGitHost } from "#tests/git-host.ts";
import { MINUTE_MS, nowMs, setClock } from "#lib/base/clock.ts";
import { clearCacheMemory } from "#lib/cache/cache.ts";
import { closeCacheFile } from "#lib/cache/file.ts";
import type { ContentSource } from "#lib/content/content-source.ts";
import { createDiskSource } from "#lib/content/disk-source.ts";
import { type GitSource, createGitSource } from "#lib/content/git-source.ts";
import { findLiveVersion, setLiveVersion } from "#lib/content/live-version.ts";
import { snapshotSql, writeSql } from "#lib/db/database.ts";
import { closeCompiler } from "#lib/mdx/compile.ts";
import { liveDisk, liveGit } from "./live-content.ts";
import { type Site, createSite } from "./site-engine.ts";

const post = (title: string, date = "2026-11-21", body = `Text of ${title}.`) => `---\ntitle: ${title}\ndate: ${date}\ndescription: About ${title}\n---\n\n${body}\n`;
const BROKEN = post("Broken", "2026-11-01", "<Nope />");

let dir: string;
let host: TestGitHost;
let isPrimary = true;
let sites: Site[] = [];

const put = (path: string, content: string | Uint8Array) => {
  mkdirSync(join(dir, path, ".."), { recursive: true });
  writeFileSync(join(dir, path), content);
};

function siteOf(source: ContentSource, live: Parameters<typeof createSite>[0]["live"], isDevelopment = false): Site {
  const site = createSite({
    live,
    context: () => ({ source, sourceId: `${source.kind}:test`, images: {}, imageHosts: [], componentsOf: () => [] }),
    workers: 1,
    isDevelopment,
  });
  sites.push(site);
  return site;
}
function diskSite({ isDevelopment = false } = {}): Site {
  const source = createDiskSource({ dir, recheckMs: 0 });
  return siteOf(source, liveDisk(source, { isPrimary: () => isPrimary }), isDevelopment);
}
const gitSource = (): GitSource => createGitSource({ api: host.api, repository: host.repository, branch: "main", path: "content" });
function gitSite(): Site {
  const source = gitSource();
  return siteOf(source, liveGit(source, { isPrimary: () => isPrimary, pollMs: 5 * MINUTE_MS }));
}
async function whole(site: Site): Promise<Site> {
  site.start();
  await expect.poll(() => site.status().served !== null && site.status().pending === 0 && site.status().compiling === null, { timeout: 20_000 }).toBe(true);
  return site;
}
const restart = async () => {
  await Promise.all(sites.map((site) => site.stop()));
  sites = [];
  clearCacheMemory();
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "lectern-site-"));
  host = await startGitHost();
  overrideEnv({ FETCH_ALLOW_PRIVATE: host.address });
  isPrimary = true;
});
afterEach(async () => {
  await restart();
  await host.close();
  overrideEnv({ FETCH_ALLOW_PRIVATE: undefined });
  rmSync(dir, { recursive: true, force: true });
});
afterAll(closeCompiler);

test("posts of the disk are listed newest first and compiled, pages apart", async () => {
  put("blog/old.mdx", post("Old", "2025-01-01"));
  put("blog/new/index.mdx", post("New", "2026-01-01", "## A heading\n\nHello **you**."));
  put("pages/about.mdx", "---\ntitle: About\ndescription: Us\n---\n\nWe are.\n");
  const site = diskSite();
  expect((await site.getIndex()).posts.map(({ slug }) => slug)).toEqual(["new", "old"]);
  expect(await site.getPost("new")).toMatchObject({ frontMatter: { title: "New" }, compiled: { headings: [{ text: "A heading" }], text: expect.stringContaining("Hello you") } });
  expect((await site.getPage("about"))?.compiled.text).toContain("We are.");
  expect(await site.getPost("about")).toBeNull();
  expect(await site.getPost("nothing")).toBeNull();
  expect(await site.getPostSource("old")).toBe("\nText of Old.\n");
});

test("at the very first start lists come before everything is compiled, and a post that is asked for is compiled next", async () => {
  for (let i = 0; i < 12; i++) put(`blog/p${i}.mdx`, post(`P${i}`, `2026-01-${String(i + 10)}`, "word ".repeat(300)));
  const site = diskSite();
  const index = await site.getIndex();
  expect(index.posts).toHaveLength(12);
  expect(site.status().pending).toBeGreaterThan(0);
  expect(index.bySlug.get("p0")!.compiled).toMatchObject({ compiledSource: "", words: 300, readingMinutes: 2 });
  const oldest = await site.getPost("p0");
  expect(oldest!.compiled.compiledSource).not.toBe("");
  expect(site.status().compiling!.done).toBeLessThan(11);
  await whole(site);
  expect((await site.getIndex()).bySlug.get("p0")!.compiled).toEqual(oldest!.compiled);
});

test("many who ask at once get one compile; a restart compiles nothing", async () => {
  put("blog/a.mdx", post("A"));
  const site = diskSite();
  const posts = await Promise.all(Array.from({ length: 30 }, () => site.getPost("a")));
  expect(new Set(posts.map((each) => each!.compiled)).size).toBe(1);
  await whole(site);
  await restart();
  closeCacheFile();
  const again = diskSite();
  await again.getIndex();
  expect(again.status()).toMatchObject({ pending: 0 });
});

test("only what changed is compiled again", async () => {
  for (const name of ["a", "b", "c"]) put(`blog/${name}.mdx`, post(name));
  const site = await whole(diskSite());
  const [before, key] = [await site.getIndex(), site.key()];
  put("blog/b.mdx", post("b", "2026-11-21", "Other text."));
  await site.look();
  const after = await site.getIndex();
  expect(["a", "b", "c"].map((slug) => after.bySlug.get(slug)!.compiled === before.bySlug.get(slug)!.compiled)).toEqual([true, false, true]);
  expect(site.key()).not.toBe(key);
});

test("a change of nothing that is shown keeps the key of cached pages", async () => {
  put("blog/a.mdx", post("A"));
  const site = await whole(diskSite());
  const key = site.key();
  await site.look();
  expect(site.key()).toBe(key);
  site.touch();
  expect(site.key()).not.toBe(key);
});

test("a post that no longer compiles keeps its last good version, and the admin sees why", async () => {
  put("blog/a.mdx", post("Good"));
  put("blog/b.mdx", post("Other"));
  const site = await whole(diskSite());
  put("blog/a.mdx", BROKEN);
  put("blog/b.mdx", post("Other, changed"));
  await site.look();
  expect((await site.getPost("a"))!.frontMatter.title).toBe("Good");
  expect((await site.getPost("b"))!.frontMatter.title).toBe("Other, changed");
  expect(site.status().failures).toEqual([expect.objectContaining({ slug: "a", file: "blog/a.mdx", line: 7, reason: expect.any(String), servedFrom: "last good", sinceMs: expect.any(Number) })]);

  await restart();
  closeCacheFile();
  const again = await whole(diskSite());
  expect((await again.getPost("a"))!.frontMatter.title).toBe("Good");

  put("blog/a.mdx", post("Mended"));
  await again.look();
  expect((await again.getPost("a"))!.frontMatter.title).toBe("Mended");
  expect(again.status().failures).toEqual([]);
});

test("a post whose front matter breaks keeps its last good version, also when the whole index is built anew", async () => {
  put("blog/a.mdx", post("Good"));
  await whole(diskSite());
  put("blog/a.mdx", post("Bad").replace("2026-11-21", "someday"));
  await restart();
  const site = await whole(diskSite());
  expect((await site.getPost("a"))!.frontMatter.title).toBe("Good");
  expect(site.status().failures).toEqual([expect.objectContaining({ line: 3, field: "date", servedFrom: "last good" })]);
});

test("a post that never was good is left out, the others are served", async () => {
  put("blog/a.mdx", post("Good"));
  put("blog/broken.mdx", BROKEN);
  put("blog/bytes.mdx", new Uint8Array([0x2d, 0x2d, 0x2d, 0xff, 0xfe]));
  const site = await whole(diskSite());
  expect((await site.getIndex()).posts.map(({ slug }) => slug)).toEqual(["a"]);
  expect(await site.getPost("broken")).toBeNull();
  expect(site.status().failures.map(({ slug, servedFrom }) => [slug, servedFrom]).sort()).toEqual([["broken", "nothing"], ["bytes", "nothing"]]);
});

test("in development a broken post is an error with its place", async () => {
  put("blog/broken.mdx", BROKEN);
  const site = await whole(diskSite({ isDevelopment: true }));
  await expect(site.getPost("broken")).rejects.toThrow(/^blog\/broken\.mdx:7: /);
});

test("in development a request shows what was just saved", async () => {
  put("blog/a.mdx", post("One"));
  const site = await whole(diskSite({ isDevelopment: true }));
  put("blog/a.mdx", post("Two"));
  expect((await site.getPost("a"))!.frontMatter.title).toBe("Two");
});

test("two files with one slug: one is shown, the other is named", async () => {
  put("blog/a.mdx", post("File"));
  put("blog/a/index.mdx", post("Folder"));
  const site = await whole(diskSite());
  expect((await site.getPost("a"))!.frontMatter.title).toBe("File");
  expect(site.status().failures).toEqual([expect.objectContaining({ file: "blog/a/index.mdx", reason: expect.stringContaining("blog/a.mdx has the same slug") })]);
});

test("a post that failed is tried again later", async () => {
  put("blog/slow.mdx", BROKEN);
  const site = await whole(diskSite());
  const { sinceMs } = site.status().failures[0]!;
  setClock(nowMs() + 6 * MINUTE_MS);
  await site.look();
  expect(site.status().failures).toEqual([expect.objectContaining({ sinceMs })]);
});

test("the disk's version is written to the row by the primary, and only by it", async () => {
  put("blog/a.mdx", post("A"));
  isPrimary = false;
  await whole(diskSite());
  expect(await snapshotSql(findLiveVersion)).toBeNull();
  isPrimary = true;
  const site = await whole(diskSite());
  await expect.poll(() => snapshotSql(findLiveVersion)).toMatchObject({ version: site.status().served! });
});

test("a folder that is not there is a clear error, and the posts are found once it is", async () => {
  rmSync(dir, { recursive: true });
  const site = diskSite();
  await expect(site.getIndex()).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("can't be read") });
  expect(site.status().problem?.reason).toContain("can't be read");
  put("blog/a.mdx", post("A"));
  setClock(nowMs() + MINUTE_MS);
  expect((await site.getIndex()).posts).toHaveLength(1);
  expect(site.status().problem).toBeNull();
});

test("at the first start the branch's head becomes live", async () => {
  const sha = host.commit({ "content/blog/a.mdx": post("A") });
  const site = await whole(gitSite());
  expect((await site.getPost("a"))!.version).toBe(sha);
  expect(await snapshotSql(findLiveVersion)).toMatchObject({ version: sha, previous: null });
});

test("a replica that knows no live version says so and writes nothing", async () => {
  host.commit({ "content/blog/a.mdx": post("A") });
  isPrimary = false;
  await expect(gitSite().getIndex()).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("No content version is live") });
  expect(await snapshotSql(findLiveVersion)).toBeNull();
});

test("when the row changes, only what changed is read and compiled, on a replica as well", async () => {
  host.commit({ "content/blog/a.mdx": post("A"), "content/blog/b.mdx": post("B") });
  const site = await whole(gitSite());
  isPrimary = false;
  const asked = host.requests.length;
  const next = host.commit({ "content/blog/a.mdx": post("A"), "content/blog/b.mdx": post("B2") });
  await writeSql((sql) => setLiveVersion(sql, next));
  await site.look();
  expect((await site.getIndex()).posts.map(({ frontMatter }) => frontMatter.title)).toEqual(["A", "B2"]);
  expect(host.requests.slice(asked).filter((path) => path.includes("/blobs/"))).toHaveLength(1);
});

test("a push that got lost is found by asking, and an older head does not undo a webhook's version", async () => {
  const first = host.commit({ "content/blog/a.mdx": post("A") });
  const site = await whole(gitSite());
  const second = host.commit({ "content/blog/a.mdx": post("A2") });
  setClock(nowMs() + 6 * MINUTE_MS);
  await site.look();
  await expect.poll(async () => (await snapshotSql(findLiveVersion))?.version).toBe(second);
  const third = "c".repeat(40);
  setClock(nowMs() + 6 * MINUTE_MS);
  await writeSql((sql) => setLiveVersion(sql, third));
  await site.look();
  expect((await snapshotSql(findLiveVersion))?.version).toBe(third);
  expect(first).not.toBe(second);
});

test.each(["outage", "rate-limit", "garbage"] as const)("an %s at a new version keeps the old one, asks rarely, and recovers", async (mode) => {
  host.commit({ "content/blog/a.mdx": post("A") });
  const site = await whole(gitSite());
  const next = host.commit({ "content/blog/a.mdx": post("A2") });
  await writeSql((sql) => setLiveVersion(sql, next));
  host.mode = mode;
  const asked = host.requests.length;
  for (let i = 0; i < 20; i++) await site.look();
  expect((await site.getPost("a"))!.frontMatter.title).toBe("A");
  expect(host.requests.length - asked).toBe(1);
  expect(site.status()).toMatchObject({ live: next, problem: { reason: expect.stringMatching(/Git host/) }, sourceProblem: expect.stringMatching(/Git host/) });
  host.mode = "ok";
  setClock(nowMs() + 90 * MINUTE_MS);
  await site.look();
  expect((await site.getPost("a"))!.frontMatter.title).toBe("A2");
  expect(site.status()).toMatchObject({ problem: null, sourceProblem: null });
});

test("a restart while the host is down shows what was live", async () => {
  host.commit({ "content/blog/a.mdx": post("A") });
  await whole(gitSite());
  await restart();
  closeCacheFile();
  host.mode = "outage";
  expect((await (await whole(gitSite())).getPost("a"))!.frontMatter.title).toBe("A");
});

test("a restart into a version that can't be read shows the one before", async () => {
  host.commit({ "content/blog/a.mdx": post("A") });
  await whole(gitSite());
  await restart();
  await writeSql((sql) => setLiveVersion(sql, "d".repeat(40)));
  const site = await whole(gitSite());
  expect((await site.getPost("a"))!.frontMatter.title).toBe("A");
  expect(site.status()).toMatchObject({ live: "d".repeat(40), problem: { reason: expect.stringContaining("does not have") } });
});

test("without a cache file the last good version is the one of the version before", async () => {
  host.commit({ "content/blog/a.mdx": post("Good"), "content/blog/b.mdx": post("B") });
  await whole(gitSite());
  await restart();
  closeCacheFile();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(process.env.CACHE_FILE + suffix, { force: true });
  const next = host.commit({ "content/blog/a.mdx": BROKEN, "content/blog/b.mdx": post("B2") });
  await writeSql((sql) => setLiveVersion(sql, next));
  const site = await whole(gitSite());
  expect((await site.getIndex()).posts.map(({ frontMatter, version }) => [frontMatter.title, version === next])).toEqual([["Good", false], ["B2", true]]);
  expect(site.status().failures).toEqual([expect.objectContaining({ slug: "a", servedFrom: "last good" })]);
});

test("pictures that were not there at build have their size, and are found by path and version", async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>';
  const withHero = post("A", "2026-11-21", "![x](./drawing.svg)").replace("---\n\n", "banner: ./drawing.svg\n---\n\n");
  host.commit({ "content/blog/a/index.mdx": withHero, "content/blog/a/drawing.svg": svg, "content/blog/a/part.tsx": "secret" });
  const site = await whole(gitSite());
  const found = (await site.getPost("a"))!;
  expect(found.hero).toMatchObject({ src: expect.stringMatching(/^\/content-file\/blog\/a\/drawing\.svg\?v=[0-9a-f]{40}$/), width: 30, height: 20 });
  expect(found.compiled.compiledSource).toContain("/content-file/blog/a/drawing.svg?v=");
  const blob = found.hero!.src.split("=")[1]!;
  expect(await site.findFile("blog/a/drawing.svg", blob)).toMatchObject({ blob });
  for (const path of ["../package.json", "blog/a/../a/drawing.svg", "/etc/passwd", "blog/a", "__proto__", "constructor"]) expect(await site.findFile(path, null)).toBeNull();

  const next = host.commit({ "content/blog/a/index.mdx": BROKEN, "content/blog/a/drawing.svg": svg.replace("30", "60") });
  await writeSql((sql) => setLiveVersion(sql, next));
  await site.look();
  expect(await site.findFile("blog/a/drawing.svg", blob)).toMatchObject({ blob });
  expect((await site.findFile("blog/a/drawing.svg", null))!.blob).not.toBe(blob);
});

test("one post is compiled past every cache, stage by stage", async () => {
  put("blog/a.mdx", post("A", "2026-11-21", "```js\nlet a = 1\n```"));
  put("blog/broken.mdx", BROKEN);
  const site = await whole(diskSite());
  const fresh = await site.compileFresh("a");
  expect(fresh).toMatchObject({ file: "blog/a.mdx", problem: null });
  expect(fresh!.stages.map(({ name }) => name)).toEqual(expect.arrayContaining(["read, front matter, pictures", "parse", "highlight"]));
  expect(fresh!.stages.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(fresh!.totalMs, 0);
  expect(await site.compileFresh("broken")).toMatchObject({ problem: { line: 7 } });
  expect(await site.compileFresh("nothing")).toBeNull();
});
