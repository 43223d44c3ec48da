import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type TestGitHost, startGitHost } from "#tests/support/git-host.ts";
import { nowMs, setClock } from "#lib/core/clock.ts";
import { clearCacheMemory } from "#lib/cache/define-cache.ts";
import { listPostFiles } from "./content-source.ts";
import { type GitSource, createGitSource } from "./git-source.ts";

let host: TestGitHost;
let source: GitSource;

const open = (options: { path?: string; branch?: string; token?: string } = {}) =>
  createGitSource({
    api: host.api,
    repository: host.repository,
    branch: "main",
    path: "content",
    ...options,
  });

beforeEach(async () => {
  host = await startGitHost();
  overrideEnv({ FETCH_ALLOW_PRIVATE: host.address });
  source = open();
});
afterEach(async () => {
  overrideEnv({ FETCH_ALLOW_PRIVATE: undefined });
  await host.close();
});

const files = {
  "README.md": "not content",
  "content/blog/flat.mdx": "flat",
  "content/blog/folder/index.mdx": "folder",
  "content/blog/folder/hero.png": new Uint8Array([1, 2, 250, 255]),
  "content/blog/folder/.env": "no",
  "content/blog/folder/away.link": "../../../../etc/passwd",
  "content/notes.md": "no",
};

test("a branch's posts are listed and read, and nothing outside the content folder", async () => {
  const sha = host.commit(files);
  expect(await source.getHead()).toBe(sha);
  const list = await source.listFiles(sha);
  expect(list.map(({ path }) => path)).toEqual([
    "blog/flat.mdx",
    "blog/folder/hero.png",
    "blog/folder/index.mdx",
  ]);
  expect(await source.listLinks(sha)).toEqual(["blog/folder/away.link"]);
  expect(await source.readFile(list[1]!)).toEqual(Buffer.from([1, 2, 250, 255]));
  expect(host.requests).toEqual([
    "/repos/ada/site/git/ref/heads/main",
    `/repos/ada/site/git/trees/${sha}`,
    expect.stringMatching(/\/git\/trees\/[0-9a-f]{40}\?recursive=1$/),
    `/repos/ada/site/git/blobs/${list[1]!.blobSha}`,
  ]);
});

test("content may be deep in the repository, at its root, or on a branch with a slash", async () => {
  host.commit({ "a/b c/blog/x.mdx": "x" }, "feature/deep");
  const deep = open({ path: "/a/b c/", branch: "feature/deep" });
  expect((await deep.listFiles(await deep.getHead())).map(({ path }) => path)).toEqual([
    "blog/x.mdx",
  ]);
  const top = open({ path: "", branch: "top" });
  host.commit({ "blog/y.mdx": "y" }, "top");
  expect((await top.listFiles(await top.getHead())).map(({ path }) => path)).toEqual([
    "blog/y.mdx",
  ]);
});

test("listings and files are cached, even across a restart", async () => {
  const sha = host.commit(files);
  const list = await source.listFiles(sha);
  await source.readFile(list[0]!);
  const requestCount = host.requests.length;
  clearCacheMemory();
  const restarted = open();
  host.mode = "outage";
  expect(await restarted.listFiles(sha)).toEqual(list);
  expect(Buffer.from(await restarted.readFile(list[0]!)).toString()).toBe("flat");
  expect(host.requests).toHaveLength(requestCount);
});

test("an unchanged post keeps its hash from commit to commit and from disk to host", async () => {
  const one = listPostFiles(await source.listFiles(host.commit(files)));
  const two = listPostFiles(
    await source.listFiles(host.commit({ ...files, "content/blog/flat.mdx": "FLAT" })),
  );
  expect(one.map(({ hash }, index) => hash === two[index]!.hash)).toEqual([false, true]);
});

test("reading the branch again is a conditional request", async () => {
  const sha = host.commit(files);
  await source.getHead();
  expect(await source.getHead()).toBe(sha);
  expect(host.requests[1]).toMatch(/ 304$/);
  const next = host.commit({ ...files, "content/blog/new.mdx": "new" });
  expect(await source.getHead()).toBe(next);
});

test("after a rate limit, no request is made until it ends", async () => {
  const sha = host.commit(files);
  host.mode = "rate-limit";
  host.resetInSeconds = 600;
  await expect(source.getHead()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("API rate limit exceeded"),
  });
  expect(host.requests).toHaveLength(1);
  host.mode = "ok";
  for (let i = 0; i < 50; i++)
    await expect(source.listFiles(sha)).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: expect.any(Number),
    });
  setClock(nowMs() + 590_000);
  await expect(source.getHead()).rejects.toMatchObject({ code: "unavailable" });
  expect(host.requests).toHaveLength(1);
  expect(source.getHostStatus().problem).toContain("limits our requests");
  setClock(nowMs() + 90_000);
  expect(await source.getHead()).toBe(sha);
  expect(source.getHostStatus()).toEqual({ problem: null, blockedUntilMs: 0 });
});

test("Retry-After is respected", async () => {
  host.commit(files);
  host.mode = "secondary-limit";
  host.resetInSeconds = 30;
  await expect(source.getHead()).rejects.toMatchObject({ code: "unavailable" });
  const { blockedUntilMs } = source.getHostStatus();
  expect(blockedUntilMs - nowMs()).toBeGreaterThan(20_000);
  expect(blockedUntilMs - nowMs()).toBeLessThan(34_000);
});

test("a reset far in the future blocks for little more than an hour", async () => {
  host.commit(files);
  host.mode = "rate-limit";
  host.resetInSeconds = 86_400;
  await expect(source.getHead()).rejects.toMatchObject({ code: "unavailable" });
  expect(source.getHostStatus().blockedUntilMs - nowMs()).toBeLessThan(75 * 60_000);
});

test.each([
  ["outage", "502"],
  ["garbage", "not respond with JSON"],
] as const)("an %s is reported and retried with exponential backoff", async (mode, reason) => {
  host.commit(files);
  host.mode = mode;
  const gaps: number[] = [];
  for (let i = 0; i < 10; i++) {
    await expect(source.getHead()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(reason),
    });
    gaps.push(source.getHostStatus().blockedUntilMs - nowMs());
    setClock(source.getHostStatus().blockedUntilMs + 1);
  }
  expect(host.requests).toHaveLength(10);
  expect(gaps[0]).toBeLessThan(3_000);
  expect(gaps[3]).toBeGreaterThan(gaps[2]!);
  expect(gaps[9]).toBeLessThan(6 * 60_000);
});

test("a refused connection is an outage", async () => {
  host.commit(files);
  await host.close();
  await expect(source.getHead()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("refused the connection"),
  });
});

test("a missing branch is cached for a minute", async () => {
  host.commit(files);
  const nowhere = open({ branch: "nowhere" });
  await expect(nowhere.getHead()).rejects.toMatchObject({
    message: "The repository ada/site has no branch nowhere, or the token may not see it.",
  });
  await expect(nowhere.getHead()).rejects.toMatchObject({ code: "unavailable" });
  expect(host.requests).toHaveLength(1);
  await expect(nowhere.listFiles("0".repeat(40))).rejects.toMatchObject({ code: "not_found" });
  setClock(nowMs() + 61_000);
  host.commit(files, "nowhere");
  await expect(nowhere.getHead()).resolves.toMatch(/^[0-9a-f]{40}$/);
});

test("a private repository needs its token, and the token is never in a message", async () => {
  await host.close();
  host = await startGitHost({ token: "s3cret-token" });
  overrideEnv({ FETCH_ALLOW_PRIVATE: host.address });
  const sha = host.commit(files);
  expect(await open({ token: "s3cret-token" }).getHead()).toBe(sha);
  const error = await open({ token: "wrong-token" })
    .getHead()
    .catch((error: Error) => error);
  expect(String((error as Error).stack)).not.toContain("wrong-token");
  expect(error).toMatchObject({ code: "unavailable" });
});

test("a version without the content folder, or not a commit, is not found", async () => {
  const sha = host.commit({ "README.md": "x" });
  await expect(source.listFiles(sha)).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringContaining("has no folder content"),
  });
  const requestCount = host.requests.length;
  for (const version of ["main", "disk-abc", "../../user", ""])
    await expect(source.listFiles(version)).rejects.toMatchObject({ code: "not_found" });
  expect(host.requests).toHaveLength(requestCount);
});

test("an unknown blob and a path outside the content are not found", async () => {
  host.commit(files);
  const other = (await source.listFiles(await source.getHead()))[0]!;
  await expect(source.readFile({ ...other, blobSha: "1".repeat(40) })).rejects.toMatchObject({
    code: "not_found",
  });
  await expect(source.readFile({ ...other, path: "../x" })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("concurrent listings of a version share the host's responses", async () => {
  const sha = host.commit(files);
  await Promise.all(Array.from({ length: 20 }, () => source.listFiles(sha)));
  expect(host.requests).toHaveLength(2);
});

test("many slow readers of a file take the memory of one, and get the part that they requested", async () => {
  const bytes = randomBytes(5_000_000);
  const sha = host.commit({ "content/blog/folder/film.mp4": bytes });
  const [film] = await source.listFiles(sha);
  const range = async (start: number, end: number) => {
    const chunks = await Array.fromAsync(await source.openFile(film!, start, end));
    return Buffer.concat(chunks);
  };
  expect((await range(0, 4_999_999)).equals(bytes)).toBe(true);
  expect((await range(4_900_000, 4_999_999)).equals(bytes.subarray(4_900_000))).toBe(true);
  expect(await range(5, 5)).toEqual(bytes.subarray(5, 6));

  const before = process.memoryUsage().arrayBuffers;
  const slow = await Promise.all(
    Array.from({ length: 20 }, () => source.openFile(film!, 0, 4_999_999)),
  );
  const chunks = await Promise.all(slow.map((stream) => stream.getReader().read()));
  // All of them have their own copy of a chunk.
  for (const { value } of chunks) expect(value!.buffer.byteLength).toBeLessThan(100_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * bytes.length);
});
