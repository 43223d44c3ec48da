import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ContentFile, PostFile } from "#lib/posts/source/content-source.ts";
import { createPublicFiles } from "#lib/posts/source/public-files.ts";
import { findFileReferences, indexByPath } from "./post-images.ts";

const blobSha = "0".repeat(40);
const publicFiles = createPublicFiles({ dir: "/nonexistent", recheckMs: 1_000 });

function find(text: string, assets: readonly ContentFile[]) {
  const post = { path: "blog/a/index.mdx", assets } as PostFile;
  return findFileReferences(post, text, indexByPath(assets), publicFiles);
}

const imageFile = (name: string): ContentFile => ({ path: `blog/a/${name}`, blobSha, bytes: 1 });

test("each file is found once, with the line of its first mention", async () => {
  const [a, b] = [imageFile("a.png"), imageFile("pics/b.png")];
  expect(await find("Text\n\n![](a.png) ![](pics/b.png)\n![](a.png)\n", [a, b])).toEqual([
    { name: "./a.png", file: a, line: 3 },
    { name: "./pics/b.png", file: b, line: 3 },
  ]);
});

test("tens of thousands of names, on their own lines or on one, are found in linear time", async () => {
  const files = Array.from({ length: 20_000 }, (_, index) => imageFile(`image-${index}.png`));
  const names = files.map(({ path }) => `![](./${path.slice("blog/a/".length)})`);
  const startedMs = performance.now();
  const references = await find(names.join("\n\n"), files);
  expect(references.at(-1)).toEqual({
    name: "./image-19999.png",
    file: files.at(-1),
    line: 39_999,
  });
  expect(await find("image-1.png ".repeat(150_000), files)).toHaveLength(1);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});

test("a public file that changes once changes the revision once, even if no post mentions it anymore", async () => {
  const dir = mkdtempSync(join(tmpdir(), "public-"));
  writeFileSync(join(dir, "a.png"), "old");
  const files = createPublicFiles({ dir, recheckMs: 0 });
  await files.find("/a.png");
  const before = await files.getRevision();
  rmSync(join(dir, "a.png"));
  const after = await files.getRevision();
  expect(after).toBeGreaterThan(before);
  expect(await files.getRevision()).toBe(after);
  writeFileSync(join(dir, "a.png"), "new");
  expect(await files.getRevision()).toBeGreaterThan(after);
  rmSync(dir, { recursive: true });
});
