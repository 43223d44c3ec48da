import sharp from "sharp";
import { expect, test } from "vitest";
import { siteConfig } from "#lib/core/site-config.ts";
import { drawArt } from "./draw-art.ts";

test.each([
  ["waveform", [0, 0.5, 1]],
  ["logo", null],
] as const)("art with a %s is what directories take: square, RGB, opaque", async (_, levels) => {
  const png = await drawArt(siteConfig, levels, { width: 3_000, height: 3_000 });
  const { format, width, height, space, hasAlpha } = await sharp(png).metadata();
  expect({ format, width, height, space, hasAlpha }).toEqual({
    format: "png",
    width: 3_000,
    height: 3_000,
    space: "srgb",
    hasAlpha: false,
  });
  expect(png.length).toBeLessThan(200_000);
});

test("a loud part is taller than a silent one", async () => {
  const png = await drawArt(siteConfig, [0, 1], { width: 100, height: 100 });
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const lightRows = (x: number) =>
    Array.from({ length: 80 }, (_, y) => data[(y * info.width + x) * info.channels]!).filter(
      (value) => value > 200,
    ).length;
  expect(lightRows(30)).toBeLessThan(5);
  expect(lightRows(70)).toBeGreaterThan(40);
});
