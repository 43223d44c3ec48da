import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { closeCacheFile } from "#lib/cache/cache-file.ts";
import { createGitSource } from "#lib/posts/source/git-source.ts";
import { listPostFiles } from "#lib/posts/source/content-source.ts";
import { createPublicFiles } from "#lib/posts/source/public-files.ts";
import { LastGoodPosts } from "./last-good-post.ts";
import { createGitVersionSource } from "./content-version-source.ts";
import { findPublishedVersion, setPublishedVersion } from "./published-version.ts";
import { read, write } from "#lib/db/database.ts";
import {
  BROKEN_POST,
  makePostText,
  setUpContentSites,
  waitUntilCompiled,
} from "#tests/support/content-site-fixture.ts";

const sites = setUpContentSites();

test("at the first start the branch's head is published", async () => {
  const sha = sites.host.commit({ "content/blog/a.mdx": makePostText("A") });
  const site = await waitUntilCompiled(sites.createGitSite());
  expect((await site.findPostBySlug("a"))!.version).toBe(sha);
  expect(await read(findPublishedVersion)).toMatchObject({ version: sha, previous: null });
});

test("a replica without a published version is unavailable and writes nothing", async () => {
  sites.host.commit({ "content/blog/a.mdx": makePostText("A") });
  sites.isPrimary = false;
  await expect(sites.createGitSite().getIndex()).rejects.toMatchObject({
    code: "unavailable",
  });
  expect(await read(findPublishedVersion)).toBeNull();
});

test("at a first start without the host, the outage has a reason, and ends with the host's", async () => {
  sites.host.commit({ "content/blog/a.mdx": makePostText("A") });
  sites.host.mode = "outage";
  const site = sites.createGitSite();
  expect(site.findOutage()).toEqual({
    reason: "The posts are being prepared.",
    retryAfterSeconds: 5,
  });
  for (let i = 0; i < 3; i++)
    await expect(site.getIndex()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/Git host/),
    });
  const { reason, retryAfterSeconds } = site.findOutage()!;
  expect(reason).toMatch(/Git host/);
  expect(retryAfterSeconds).toBeGreaterThanOrEqual(5);
  sites.host.mode = "ok";
  setClock(nowMs() + 10 * MINUTE_MS);
  expect((await site.findPostBySlug("a"))!.frontMatter.title).toBe("A");
  expect(site.findOutage()).toBeNull();
});

test("a new version reads and compiles only changed posts, even on a replica", async () => {
  sites.host.commit({
    "content/blog/a.mdx": makePostText("A"),
    "content/blog/b.mdx": makePostText("B"),
  });
  const site = await waitUntilCompiled(sites.createGitSite());
  sites.isPrimary = false;
  const requestCount = sites.host.requests.length;
  const next = sites.host.commit({
    "content/blog/a.mdx": makePostText("A"),
    "content/blog/b.mdx": makePostText("B2"),
  });
  await write((tx) => setPublishedVersion(tx, next));
  await site.refresh();
  expect((await site.getIndex()).posts.map(({ frontMatter }) => frontMatter.title)).toEqual([
    "A",
    "B2",
  ]);
  expect(
    sites.host.requests.slice(requestCount).filter((path) => path.includes("/blobs/")),
  ).toHaveLength(1);
});

test("polling finds a lost push, and an older head does not undo a webhook's version", async () => {
  const first = sites.host.commit({ "content/blog/a.mdx": makePostText("A") });
  const site = await waitUntilCompiled(sites.createGitSite());
  const second = sites.host.commit({ "content/blog/a.mdx": makePostText("A2") });
  setClock(nowMs() + 6 * MINUTE_MS);
  await site.refresh();
  await expect.poll(async () => (await read(findPublishedVersion))?.version).toBe(second);
  const third = "c".repeat(40);
  setClock(nowMs() + 6 * MINUTE_MS);
  await write((tx) => setPublishedVersion(tx, third));
  await site.refresh();
  expect((await read(findPublishedVersion))?.version).toBe(third);
  expect(first).not.toBe(second);
});

test("polling does not undo a push that is committed between its read and its write", async () => {
  sites.host.commit({ "content/blog/a.mdx": makePostText("A") });
  const source = createGitSource({
    api: sites.host.api,
    repository: sites.host.repository,
    branch: "main",
    path: "content",
  });
  const headRead = Promise.withResolvers<void>();
  const getHead = () => source.getHead().finally(headRead.resolve);
  const versionSource = createGitVersionSource(
    { ...source, getHead },
    { isPrimary: () => true, pollMs: MINUTE_MS },
  );
  const pushed = "c".repeat(40);
  const commit = Promise.withResolvers<void>();
  const push = write(async (tx) => {
    await commit.promise;
    await setPublishedVersion(tx, pushed);
  });
  const version = versionSource.getVersion();
  await headRead.promise;
  for (let i = 0; i < 20; i++) await read(findPublishedVersion);
  commit.resolve();
  await push;
  expect(await version).toBe(pushed);
});

test("a refresh serves the version that was published before it, even during a build", async () => {
  const commit = (title: string) =>
    sites.host.commit({ "content/blog/a.mdx": makePostText(title) });
  commit("A");
  const site = await waitUntilCompiled(sites.createGitSite());
  const second = commit("A2");
  await write((tx) => setPublishedVersion(tx, second));
  void site.refresh();
  await expect.poll(() => site.getStatus().buildProgress, { interval: 1 }).not.toBeNull();
  const third = commit("A3");
  await write((tx) => setPublishedVersion(tx, third));
  await site.refresh();
  expect(site.getStatus().servedVersion).toBe(third);
});

test.each(["outage", "rate-limit", "garbage"] as const)(
  "an %s at a new version keeps the old one, retries rarely, and recovers",
  async (mode) => {
    sites.host.commit({ "content/blog/a.mdx": makePostText("A") });
    const site = await waitUntilCompiled(sites.createGitSite());
    // The history is requested in the background.
    await expect.poll(() => site.refresh().then(() => read((tx) => tx.postChange.count()))).toBe(1);
    const next = sites.host.commit({ "content/blog/a.mdx": makePostText("A2") });
    await write((tx) => setPublishedVersion(tx, next));
    sites.host.mode = mode;
    const requestCount = sites.host.requests.length;
    for (let i = 0; i < 20; i++) await site.refresh();
    expect((await site.findPostBySlug("a"))!.frontMatter.title).toBe("A");
    // At first, an outage blocks requests for two seconds, which may pass on a busy machine.
    expect(sites.host.requests.length - requestCount).toBeLessThanOrEqual(3);
    expect(site.getStatus()).toMatchObject({
      publishedVersion: next,
      problem: { reason: expect.stringMatching(/Git host/) },
      sourceProblem: expect.stringMatching(/Git host/),
    });
    sites.host.mode = "ok";
    setClock(nowMs() + 90 * MINUTE_MS);
    await site.refresh();
    expect((await site.findPostBySlug("a"))!.frontMatter.title).toBe("A2");
    expect(site.getStatus()).toMatchObject({ problem: null, sourceProblem: null });
  },
);

test("a restart while the host is down serves the published version", async () => {
  sites.host.commit({ "content/blog/a.mdx": makePostText("A") });
  await waitUntilCompiled(sites.createGitSite());
  await sites.stopAll();
  closeCacheFile();
  sites.host.mode = "outage";
  expect(
    (await (await waitUntilCompiled(sites.createGitSite())).findPostBySlug("a"))!.frontMatter.title,
  ).toBe("A");
});

test("a restart with an unreadable version serves the previous one", async () => {
  sites.host.commit({ "content/blog/a.mdx": makePostText("A") });
  await waitUntilCompiled(sites.createGitSite());
  await sites.stopAll();
  await write((tx) => setPublishedVersion(tx, "d".repeat(40)));
  const site = await waitUntilCompiled(sites.createGitSite());
  expect((await site.findPostBySlug("a"))!.frontMatter.title).toBe("A");
  expect(site.getStatus()).toMatchObject({
    publishedVersion: "d".repeat(40),
    problem: { reason: expect.stringContaining("does not have") },
  });
});

test("without a cache file, the last good post comes from the previous version", async () => {
  sites.host.commit({
    "content/blog/a.mdx": makePostText("Good"),
    "content/blog/b.mdx": makePostText("B"),
  });
  await waitUntilCompiled(sites.createGitSite());
  await sites.stopAll();
  closeCacheFile();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(env.CACHE_FILE + suffix, { force: true });
  const next = sites.host.commit({
    "content/blog/a.mdx": BROKEN_POST,
    "content/blog/b.mdx": makePostText("B2"),
  });
  await write((tx) => setPublishedVersion(tx, next));
  const site = await waitUntilCompiled(sites.createGitSite());
  expect(
    (await site.getIndex()).posts.map(({ frontMatter, version }) => [
      frontMatter.title,
      version === next,
    ]),
  ).toEqual([
    ["Good", false],
    ["B2", true],
  ]);
  expect(site.getStatus().failures).toEqual([
    expect.objectContaining({ slug: "a", servedFrom: "last good" }),
  ]);
});

test("images of a push have their size, and are found by path and version", async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>';
  const withHero = makePostText("A", "2026-11-21", "![x](./drawing.svg)").replace(
    "---\n\n",
    "banner: ./drawing.svg\n---\n\n",
  );
  sites.host.commit({
    "content/blog/a/index.mdx": withHero,
    "content/blog/a/drawing.svg": svg,
    "content/blog/a/part.tsx": "secret",
  });
  const site = await waitUntilCompiled(sites.createGitSite());
  const post = (await site.findPostBySlug("a"))!;
  expect(post.hero).toMatchObject({
    src: expect.stringMatching(/^\/_img\/[0-9a-f]{40}\.svg$/),
    width: 30,
    height: 20,
  });
  expect(post.compiled.compiledSource).toContain(post.hero!.src);
  const blobSha = post.hero!.src.slice("/_img/".length, -".svg".length);
  expect(await site.findFile("blog/a/drawing.svg", blobSha)).toMatchObject({ blobSha });
  for (const path of [
    "../package.json",
    "blog/a/../a/drawing.svg",
    "/etc/passwd",
    "blog/a",
    "__proto__",
    "constructor",
  ])
    expect(await site.findFile(path, null)).toBeNull();

  const next = sites.host.commit({
    "content/blog/a/index.mdx": BROKEN_POST,
    "content/blog/a/drawing.svg": svg.replace("30", "60"),
  });
  await write((tx) => setPublishedVersion(tx, next));
  await site.refresh();
  expect(await site.findFile("blog/a/drawing.svg", blobSha)).toMatchObject({ blobSha });
  expect((await site.findFile("blog/a/drawing.svg", null))!.blobSha).not.toBe(blobSha);
  expect((await site.findImageFile(blobSha))!.url).toContain("/content-file/blog/a/drawing.svg?v=");
});

test("a push updates the redirects file, even on a replica, and its mistakes are reported", async () => {
  const post = { "content/blog/a.mdx": makePostText("A") };
  sites.host.commit({ ...post, "content/_redirects": "/old /blog/a\n/bad\n" });
  const site = await waitUntilCompiled(sites.createGitSite());
  expect(site.resolveAddress("/old?x=1")).toEqual({
    kind: "redirect",
    status: 301,
    location: "/blog/a?x=1",
  });
  expect(site.getStatus().warnings).toEqual([expect.stringMatching(/^_redirects:2: /)]);
  sites.isPrimary = false;
  const next = sites.host.commit({ ...post, "content/_redirects": "/older/* /blog/:splat 302\n" });
  await write((tx) => setPublishedVersion(tx, next));
  await site.refresh();
  expect(site.resolveAddress("/old")).toBeNull();
  expect(site.resolveAddress("/older/a")).toMatchObject({ status: 302, location: "/blog/a" });
  expect(site.getStatus().warnings).toEqual([]);
});

test("a symbolic link in a push is reported as on disk", async () => {
  sites.host.commit({ "content/blog/a.mdx": makePostText("A"), "content/blog/b.link": "a.mdx" });
  const site = await waitUntilCompiled(sites.createGitSite());
  await site.refresh();
  expect(site.getStatus().warnings).toEqual([
    expect.stringMatching(/^blog\/b\.link:1: it is a symbolic link/),
  ]);
});

test("an outage while the last good post is read fails the version, not the post", async () => {
  const { api, repository } = sites.host;
  const good = sites.host.commit({ "content/blog/a.mdx": makePostText("Good") });
  const version = sites.host.commit({ "content/blog/a.mdx": BROKEN_POST });
  const source = createGitSource({ api, repository, branch: "main", path: "content" });
  const [file] = listPostFiles(await source.listFiles(version));
  await source.listFiles(good);
  sites.host.mode = "outage";
  const context = {
    source,
    sourceId: "git:test",
    publicFiles: createPublicFiles({ dir: "gone", recheckMs: 0 }),
    imageHosts: [],
    trust: "trusted" as const,
  };
  const lastGoodPosts = new LastGoodPosts({
    context,
    version,
    publishedIndex: null,
    findPreviousVersion: () => Promise.resolve(good),
  });
  await expect(lastGoodPosts.find(file!, null)).rejects.toMatchObject({ code: "unavailable" });
});
