import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { gitBlobSha } from "./content-source.ts";
import { loadImageManifest } from "./image-manifest.ts";
import { MAX_BLUR_BYTES, buildImages } from "./build-images.ts";
import { readSvgSize } from "./svg-size.ts";

let dir: string;
const out = () => join(dir, "_img");
const run = () =>
  buildImages(
    [
      { dir: join(dir, "blog"), prefix: "blog/" },
      { dir: join(dir, "nowhere"), prefix: "/images/" },
    ],
    out(),
    "/_img",
  );
const put = (path: string, bytes: string | Uint8Array) => {
  mkdirSync(join(dir, path, ".."), { recursive: true });
  writeFileSync(join(dir, path), bytes);
};
const noise = (width: number, height: number) =>
  sharp(Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) % 251)), {
    raw: { width, height, channels: 3 },
  });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lectern-images-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("an image gets sizes, formats and a placeholder, and is never upscaled", async () => {
  const original = await noise(1000, 500).png().toBuffer();
  put("blog/a/hero.png", original);
  expect(await run()).toMatchObject({ builtCount: 1, reusedCount: 0, failures: [] });
  const image = loadImageManifest(out())["blog/a/hero.png"]!;
  expect(image).toMatchObject({
    width: 1000,
    height: 500,
    hash: gitBlobSha(original),
    src: expect.stringMatching(/^\/_img\/[0-9a-f]{16}-1000\.webp$/),
  });
  expect(image.sources.map(({ type, srcset }) => [type, srcset.match(/ \d+w/g)])).toEqual([
    ["image/avif", [" 480w", " 960w", " 1000w"]],
    ["image/webp", [" 480w", " 960w", " 1000w"]],
  ]);
  for (const [, file, width] of image.sources
    .map(({ srcset }) => srcset)
    .join(", ")
    .matchAll(/\/_img\/(\S+) (\d+)w/g)) {
    expect((await sharp(readFileSync(join(out(), file!))).metadata()).width).toBe(Number(width));
  }
  expect(image.blur!.length).toBeLessThanOrEqual(MAX_BLUR_BYTES);
  expect((await sharp(Buffer.from(image.blur!.split(",")[1]!, "base64")).metadata()).width).toBe(
    16,
  );
});

test("the orientation of a photo is applied", async () => {
  put("blog/a/side.jpg", await noise(600, 300).withMetadata({ orientation: 6 }).jpeg().toBuffer());
  await run();
  const image = loadImageManifest(out())["blog/a/side.jpg"]!;
  expect(image).toMatchObject({ width: 300, height: 600 });
  const metadata = await sharp(readFileSync(join(dir, image.src))).metadata();
  expect(metadata).toMatchObject({ width: 300, height: 600 });
  expect(metadata.exif).toBeUndefined();
});

test("unchanged images are reused, changed ones rebuilt, files of deleted ones removed", async () => {
  put("blog/a/one.png", await noise(100, 50).png().toBuffer());
  put("blog/a/two.png", await noise(80, 40).png().toBuffer());
  await run();
  expect(await run()).toMatchObject({ builtCount: 0, reusedCount: 2, removedCount: 0 });
  put("blog/a/one.png", await noise(120, 60).png().toBuffer());
  rmSync(join(dir, "blog/a/two.png"));
  expect(await run()).toMatchObject({ builtCount: 1, reusedCount: 0 });
  expect(readdirSync(out()).sort()).toEqual([
    expect.stringMatching(/-120\.avif$/),
    expect.stringMatching(/-120\.webp$/),
    "manifest.json",
  ]);
});

test("a missing output file is rebuilt", async () => {
  put("blog/a/one.png", await noise(100, 50).png().toBuffer());
  await run();
  rmSync(
    join(
      out(),
      readdirSync(out()).find((file) => file.endsWith(".avif"))!,
    ),
  );
  expect(await run()).toMatchObject({ builtCount: 1 });
});

test("a file that is not an image is reported, and the others are built", async () => {
  put("blog/a/broken.png", "not a picture");
  put("blog/b/good.png", await noise(10, 10).png().toBuffer());
  const { builtCount, failures } = await run();
  expect(builtCount).toBe(1);
  expect(failures).toEqual([{ file: "blog/a/broken.png", reason: expect.any(String) }]);
  expect(Object.keys(loadImageManifest(out()))).toEqual(["blog/b/good.png"]);
});

test("an SVG is copied with its size", async () => {
  put("blog/a/drawing.svg", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"/>');
  await run();
  expect(loadImageManifest(out())["blog/a/drawing.svg"]).toMatchObject({
    src: expect.stringMatching(/\.svg$/),
    width: 300,
    height: 200,
    sources: [],
  });
});

test("without a manifest, or with an invalid one, there are no images", async () => {
  expect(loadImageManifest(out())).toEqual({});
  put("_img/manifest.json", "{");
  expect(loadImageManifest(out())).toEqual({});
  put("_img/manifest.json", JSON.stringify({ settings: "", images: { "blog/a.png": { src: 1 } } }));
  utimesSync(join(out(), "manifest.json"), 1, 1);
  expect(loadImageManifest(out())).toEqual({});
});

test.each([
  ['<svg width="10" height="20">', { width: 10, height: 20 }],
  [
    "<?xml version='1.0'?><!-- <svg width='9' height='9'> --><svg width='10px' height='1in'>",
    { width: 10, height: 96 },
  ],
  ['<svg viewBox="0 0 30 15" width="60">', { width: 60, height: 30 }],
  ['<svg viewBox="0,0,30,15" width="100%" height="100%">', { width: 30, height: 15 }],
  ["<svg>", null],
  ['<svg viewBox="0 0 0 0">', null],
  ["<p>no</p>", null],
])("the size of %s", (svg, size) => {
  expect(readSvgSize(svg)).toEqual(size);
});
