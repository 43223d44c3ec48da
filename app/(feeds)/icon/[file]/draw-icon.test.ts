import sharp from "sharp";
import { expect, test } from "vitest";
import { parseSiteConfig } from "#lib/core/site-config.ts";
import { GET } from "./route.ts";
import { siteIconPng, siteIconSvg } from "./draw-icon.ts";

/** Returns the color of the pixel in the middle of the icon, and of one near its edge. */
async function readColors(png: Buffer) {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (position: number) => [...data.subarray(position * 3, position * 3 + 3)];
  const middle = (info.height / 2) * info.width + info.width / 2;
  return { width: info.width, middle: at(middle), edge: at(info.width + 1) };
}

test("an icon has the owner's logo and accent", async () => {
  const config = parseSiteConfig({
    accent: { light: "#5b2a86", dark: "#c9a7f5" },
    logo: { path: "M2 2h20v20H2Z" },
  });
  expect(await readColors(await siteIconPng(config, 192))).toEqual({
    width: 192,
    middle: [251, 251, 249],
    edge: [0x5b, 0x2a, 0x86],
  });
  const svg = siteIconSvg(config);
  expect(svg).toContain('d="M2 2h20v20H2Z"');
  expect(svg).toContain("prefers-color-scheme:dark){.g{fill:#c9a7f5}");
});

test("a logo of lines is not filled", async () => {
  const config = parseSiteConfig({ logo: { path: "M2 2h20v20H2Z", stroke: 2 } });
  expect((await readColors(await siteIconPng(config, 180))).middle).toEqual([0x1a, 0x5b, 0x4a]);
});

test.each(["url(#x)", 'M1 1"/><script>alert(1)</script>', "", "L4 4"])(
  "a logo is a path, and can't close its element: %s",
  (path) => {
    expect(() => parseSiteConfig({ logo: { path } })).toThrow(/logo\.path/);
  },
);

test("the podcast's default cover is an icon that podcast apps accept", async () => {
  const { artwork } = parseSiteConfig({}).podcast;
  const file = /^\/icon-(\d+\.png)$/.exec(artwork)![1]!;
  const response = await GET(new Request(`http://localhost${artwork}`), {
    params: Promise.resolve({ file }),
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  const { format, width, height, hasAlpha, space } = await sharp(
    Buffer.from(await response.arrayBuffer()),
  ).metadata();
  expect({ format, width, height, hasAlpha, space }).toEqual({
    format: "png",
    width: 1_500,
    height: 1_500,
    hasAlpha: false,
    space: "srgb",
  });
});
