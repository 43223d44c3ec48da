import sharp from "sharp";
import { expect, test } from "vitest";
import { detectImageType } from "./image-type.ts";

test.each([
  ["png", "png"],
  ["jpeg", "jpg"],
  ["gif", "gif"],
  ["webp", "webp"],
  ["avif", "avif"],
] as const)("a %s file is recognized", async (format, type) => {
  const image = sharp({ create: { width: 2, height: 2, channels: 3, background: "#f00" } });
  expect(detectImageType(await image.toFormat(format).toBuffer())).toBe(type);
});

test.each([
  ['<svg xmlns="http://www.w3.org/2000/svg">', "svg"],
  ['\ufeff<?xml version="1.0"?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC "x">\n<svg >', "svg"],
  ["<p><svg></svg></p>", null],
  ["<!doctype html><svg>", null],
  ["RIFF....WAVE", null],
  ["....ftypisom", null],
  ["GIF88a", null],
  ["<!---->".repeat(70), null], // would take years with backtracking
  ["", null],
])("%j is %s", (text, type) => {
  expect(detectImageType(Buffer.from(text))).toBe(type);
});
