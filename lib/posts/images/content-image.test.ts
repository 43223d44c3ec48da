import { crc32 } from "node:zlib";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { gitBlobSha } from "#lib/posts/source/content-source.ts";
import {
  type ImageFile,
  describeImage,
  getVariant,
  parseVariantName,
  peekImage,
  peekVariant,
} from "./content-image.ts";
import { MAX_BLUR_BYTES } from "./image-job.ts";
import { closeImageProcess } from "./run-image-job.ts";
import { readSvgSize } from "./svg-size.ts";

afterAll(closeImageProcess);

function imageFile(name: string, content: Uint8Array | string): ImageFile {
  const bytes = Buffer.from(content as string);
  return {
    file: { path: `blog/a/${name}`, blobSha: gitBlobSha(bytes), bytes: bytes.byteLength },
    url: `/original/${name}`,
    read: () => Promise.resolve(bytes),
  };
}
const noise = (width: number, height: number) =>
  sharp({
    create: {
      width,
      height,
      channels: 3,
      background: "#000",
      noise: { type: "gaussian", mean: 128, sigma: 30 },
    },
  });
/** Two frames of the same size. */
const animation = (width: number, height: number) =>
  sharp(Buffer.alloc(width * height * 2 * 3, 90).fill(200, width * height * 3), {
    raw: { width, height: height * 2, channels: 3, pageHeight: height },
  });

/** Makes a PNG an APNG of two frames. */
function addAnimationChunk(png: Buffer): Buffer {
  const chunk = Buffer.alloc(20);
  chunk.writeUInt32BE(8);
  chunk.write("acTL", 4);
  chunk.writeUInt32BE(2, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 16)), 16);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

test("an image gets sizes, formats and a placeholder, and is never upscaled", async () => {
  const image = imageFile("hero.png", await noise(1000, 500).png().toBuffer());
  expect(peekImage(image)).toBeNull();
  const { image: shown, problem } = await describeImage(image);
  expect(problem).toBeUndefined();
  const { blobSha } = image.file;
  const srcset = (format: string) =>
    [480, 960, 1000].map((width) => `/_img/${blobSha}-${width}.${format} ${width}w`).join(", ");
  expect(shown).toEqual({
    src: `/_img/${blobSha}-1000.webp`,
    width: 1000,
    height: 500,
    blur: expect.stringMatching(/^data:image\/webp;base64,/),
    srcset: srcset("webp"),
    sources: [{ type: "image/avif", srcset: srcset("avif") }],
  });
  expect(shown!.blur!.length).toBeLessThanOrEqual(MAX_BLUR_BYTES);
  expect(peekImage(image)).toEqual(shown);
});

test("a variant is made on request, once, and only in a width that is offered", async () => {
  const image = imageFile("hero.png", await noise(600, 300).png().toBuffer());
  const name = parseVariantName(`${image.file.blobSha}-480.avif`)!;
  expect(peekVariant(name)).toBeNull();
  const bytes = (await getVariant(image, name))!;
  expect(await sharp(bytes).metadata()).toMatchObject({ format: "heif", width: 480, height: 240 });
  expect(peekVariant(name)).toEqual(bytes);
  expect(await getVariant(image, { ...name, width: 481 })).toBeNull();
  expect(parseVariantName(`${image.file.blobSha}-480.png`)).toBeNull();
  expect(parseVariantName("../x-480.webp")).toBeNull();
});

test("the orientation of a photo is applied, and its metadata removed", async () => {
  const photo = await noise(600, 300).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const image = imageFile("IMG 1.JPG", photo);
  expect((await describeImage(image)).image).toMatchObject({ width: 300, height: 600 });
  const name = { blobSha: image.file.blobSha, width: 300, format: "webp" } as const;
  const metadata = await sharp((await getVariant(image, name))!).metadata();
  expect(metadata).toMatchObject({ width: 300, height: 600 });
  expect(metadata.exif).toBeUndefined();
});

test("an animated image is served unchanged", async () => {
  const gif = imageFile("a.gif", await animation(40, 30).gif().toBuffer());
  const webp = imageFile("a.webp", await animation(40, 30).webp().toBuffer());
  const png = await noise(40, 30).png().toBuffer();
  const apng = imageFile("a.png", addAnimationChunk(png));
  for (const image of [gif, webp, apng])
    expect(await describeImage(image)).toEqual({
      image: { src: image.url, width: 40, height: 30, blur: undefined },
    });
});

test("a photo of 8,000 pixels and an image 17,000 pixels high get the sizes that fit", async () => {
  const flat = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: "#369" } });
  const photo = imageFile("big.jpg", await flat(8000, 8000).jpeg().toBuffer());
  expect((await describeImage(photo)).image).toMatchObject({
    width: 8000,
    src: `/_img/${photo.file.blobSha}-1600.webp`,
  });
  const long = imageFile("long.png", await flat(1000, 17_000).png().toBuffer());
  expect((await describeImage(long)).image).toMatchObject({
    height: 17_000,
    src: `/_img/${long.file.blobSha}-960.webp`,
  });
  const narrow = imageFile("narrow.png", await flat(100, 17_000).png().toBuffer());
  expect((await describeImage(narrow)).image).toMatchObject({ src: narrow.url, height: 17_000 });
});

test("a truncated JPEG is served unchanged, with a warning", async () => {
  const whole = await noise(400, 400).jpeg().toBuffer();
  const image = imageFile("cut.jpg", whole.subarray(0, whole.length / 3));
  expect(await describeImage(image)).toEqual({
    image: { src: image.url, width: 400, height: 400, blur: undefined },
    problem: expect.stringMatching(/^it is served unchanged: .*premature end/) as string,
  });
});

test.each([
  ["empty.png", ""],
  ["text.png", "text"],
  ["text.svg", "text"],
  ["empty.svg", ""],
])("%s is left out, with a warning", async (name, content) => {
  expect(await describeImage(imageFile(name, content))).toEqual({
    image: null,
    problem: expect.stringMatching(/^it can't be read as an image: /) as string,
  });
});

test("an SVG in UTF-16 has its size", async () => {
  const svg = '\uFEFF<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20"/>';
  const { image } = await describeImage(imageFile("u.svg", Buffer.from(svg, "utf16le")));
  expect(image).toMatchObject({ width: 30, height: 20 });
});

test("an SVG has its size, or that of browsers", async () => {
  const svg = imageFile("a.svg", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20"/>');
  expect(await describeImage(svg)).toEqual({
    image: { src: `/_img/${svg.file.blobSha}.svg`, width: 30, height: 20 },
  });
  const fluid = imageFile("b.svg", '<svg width="100%" height="100%"/>');
  expect((await describeImage(fluid)).image).toMatchObject({ width: 300, height: 150 });
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

test("a malicious SVG is measured in linear time (ReDoS)", () => {
  expect(readSvgSize("<!--".repeat(1_000_000))).toBeNull();
  expect(readSvgSize('<svg a="'.repeat(1_000_000))).toBeNull();
  expect(readSvgSize(`<svg width="1${" ".repeat(1_000_000)}!" height="1">`)).toBeNull();
});
