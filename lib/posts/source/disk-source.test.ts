import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { MAX_FILE_BYTES, listPostFiles } from "./content-source.ts";
import { createDiskSource } from "./disk-source.ts";

let dir: string;
const put = (path: string, content: string | Uint8Array) => {
  mkdirSync(join(dir, path, ".."), { recursive: true });
  writeFileSync(join(dir, path), content);
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lectern-content-"));
  put("blog/flat.mdx", "flat");
  put("blog/folder/index.mdx", "folder");
  put("blog/folder/hero.png", "png");
  put("pages/about.mdx", "about");
  put("blog/folder/.secret", "no");
  put("loose.ts", "no");
  put("notes/x.mdx", "no");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function posts(source = createDiskSource({ dir, recheckMs: 0 })) {
  const list = listPostFiles(await source.listFiles(await source.getHead()));
  return Object.fromEntries(list.map((post) => [post.path, post.hash]));
}

test("posts and pages are listed, hidden and other files are not", async () => {
  const source = createDiskSource({ dir, recheckMs: 0 });
  const files = await source.listFiles(await source.getHead());
  expect(files.map(({ path }) => path)).toEqual([
    "blog/flat.mdx",
    "blog/folder/hero.png",
    "blog/folder/index.mdx",
    "pages/about.mdx",
  ]);
  expect(
    listPostFiles(files).map(({ slug, kind, assets }) => [
      slug,
      kind,
      assets.map(({ path }) => path),
    ]),
  ).toEqual([
    ["flat", "post", []],
    ["folder", "post", ["blog/folder/hero.png"]],
    ["about", "page", []],
  ]);
});

test("a folder of posts holds posts and their files, the folder of an index file only one", () => {
  const files = [
    "blog/2026/a.mdx",
    "blog/2026/a.png",
    "blog/2026/b/index.mdx",
    "blog/2026/b/img/b.png",
    "blog/2026/b/part.mdx",
    "blog/2026/b/part/index.mdx",
    "pages/about/part.mdx",
  ].map((path) => ({ path, blobSha: "0", bytes: 1 }));
  expect(
    listPostFiles(files).map(({ slug, assets }) => [slug, assets.map(({ path }) => path)]),
  ).toEqual([
    ["2026/a", ["blog/2026/a.png"]],
    ["2026/b", ["blog/2026/b/img/b.png", "blog/2026/b/part.mdx", "blog/2026/b/part/index.mdx"]],
  ]);
});

test("the same files have the same version on every machine", async () => {
  const first = createDiskSource({ dir, recheckMs: 0 });
  const second = createDiskSource({ dir, recheckMs: 0 });
  expect(await first.getHead()).toBe(await second.getHead());
  expect(await first.getHead()).toMatch(/^disk-[0-9a-f]{32}$/);
});

test("a changed post changes the version and only its own hash", async () => {
  const source = createDiskSource({ dir, recheckMs: 0 });
  const [version, before] = [await source.getHead(), await posts(source)];
  put("blog/flat.mdx", "FLAT");
  expect(await source.getHead()).not.toBe(version);
  const after = await posts(source);
  expect(after["blog/flat.mdx"]).not.toBe(before["blog/flat.mdx"]);
  expect(after["blog/folder/index.mdx"]).toBe(before["blog/folder/index.mdx"]);
});

test("a changed image changes the hash of the post next to it", async () => {
  const before = await posts();
  put("blog/folder/hero.png", "PNG");
  const after = await posts();
  expect(after["blog/folder/index.mdx"]).not.toBe(before["blog/folder/index.mdx"]);
  expect(after["blog/flat.mdx"]).toBe(before["blog/flat.mdx"]);
});

test("the version is cached until the next recheck", async () => {
  const source = createDiskSource({ dir, recheckMs: MINUTE_MS });
  const version = await source.getHead();
  put("blog/new.mdx", "new");
  expect(await source.getHead()).toBe(version);
  setClock(nowMs() + MINUTE_MS + 1);
  expect(await source.getHead()).not.toBe(version);
});

test("a file that changed since it was listed is unavailable", async () => {
  const source = createDiskSource({ dir, recheckMs: 0 });
  const file = (await source.listFiles(await source.getHead())).find(
    ({ path }) => path === "blog/flat.mdx",
  )!;
  expect(Buffer.from(await source.readFile(file)).toString()).toBe("flat");
  put("blog/flat.mdx", "FLAT");
  await expect(source.readFile(file)).rejects.toMatchObject({ code: "unavailable" });
});

test("symbolic links are listed and not followed", async () => {
  symlinkSync("flat.mdx", join(dir, "blog/again.mdx"));
  symlinkSync("/etc", join(dir, "blog/etc"));
  symlinkSync("/etc/passwd", join(dir, "blog/passwd.mdx"));
  const source = createDiskSource({ dir, recheckMs: 0 });
  expect(
    (await source.listFiles(await source.getHead())).some(({ path }) =>
      /etc|passwd|again/.test(path),
    ),
  ).toBe(false);
  expect(await source.listLinks(await source.getHead())).toEqual([
    "blog/again.mdx",
    "blog/etc",
    "blog/passwd.mdx",
  ]);
});

test.each([
  "../package.json",
  "blog/../../package.json",
  "/etc/passwd",
  "blog/./x",
  "blog//x",
  "package.json",
  "blog/folder/.secret",
])("%s is not read", async (path) => {
  const source = createDiskSource({ dir, recheckMs: 0 });
  await expect(source.readFile({ path, blobSha: "0".repeat(40), bytes: 1 })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("a file that is too large is rejected without being read", async () => {
  put("blog/film.mp4", new Uint8Array(MAX_FILE_BYTES + 1));
  const source = createDiskSource({ dir, recheckMs: 0 });
  const film = (await source.listFiles(await source.getHead())).find(
    ({ path }) => path === "blog/film.mp4",
  )!;
  await expect(source.readFile(film)).rejects.toMatchObject({ code: "too_large" });
});

test("a missing folder is unavailable, and the message names it", async () => {
  await expect(
    createDiskSource({ dir: join(dir, "nowhere"), recheckMs: 0 }).getHead(),
  ).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("nowhere") });
});

test("an unknown version is not found", async () => {
  await expect(createDiskSource({ dir, recheckMs: 0 }).listFiles("disk-0")).rejects.toMatchObject({
    code: "not_found",
  });
});
