import sharp from "sharp";
import { expect, test, vi } from "vitest";
import { renderSocialImage, SOCIAL_IMAGE_SIZE } from "./social-image.tsx";
import { DRAWABLE_CHARACTER, toImageText, socialImageTitle } from "#lib/posts/social-image-text.ts";

const card = (title: string, draft = false) => ({
  title: socialImageTitle(title, "Lectern"),
  when: "November 21st, 2022 — 22 min read",
  site: "Lectern",
  host: "lectern.example",
  draft,
  accent: "#1a5b4a",
  logo: { path: "M4 4h16v16H4Z", size: 24 },
});

/** Returns every drawable character, in titles short enough not to be truncated. */
function listDrawableTitles(): string[] {
  const signs = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).filter(
    (sign) => DRAWABLE_CHARACTER.test(sign) && sign.trim() !== "",
  );
  return Array.from({ length: Math.ceil(signs.length / 100) }, (_, i) =>
    signs.slice(i * 100, i * 100 + 100).join(""),
  );
}

test.each([
  "Short",
  "Why every region gets its own SQLite file",
  "How a read is counted once, and only once, for every reader, post and seven days, without a race between two tabs",
  `${"Donaudampfschiff".repeat(8)}`,
])("the image has 1200 × 630 pixels and less than 100 kB: %s", async (title) => {
  const png = await renderSocialImage(card(title));
  expect(await sharp(png).metadata()).toMatchObject({ format: "png", ...SOCIAL_IMAGE_SIZE });
  expect(png.length).toBeLessThan(100_000);
  // Not blank: dark and light pixels in each channel.
  const { channels } = await sharp(png).removeAlpha().stats();
  expect(channels.map(({ min, max }) => [min < 60, max > 240])).toEqual([
    [true, true],
    [true, true],
    [true, true],
  ]);
});

test("the image of a draft differs", async () => {
  const [post, draft] = await Promise.all([
    renderSocialImage(card("Title")),
    renderSocialImage(card("Title", true)),
  ]);
  expect(post.equals(draft)).toBe(false);
});

test("no character makes the library fetch a font or an emoji", async () => {
  const fetched = vi
    .spyOn(globalThis, "fetch")
    .mockRejectedValue(new Error("no network in this test"));
  for (const title of [
    ...listDrawableTitles(),
    toImageText("🎉 ☃ © ™ ® ❤️ 文字 ✓ → ½ № <b> & مرحبا"),
  ])
    await renderSocialImage({ ...card("x"), title, site: title.slice(0, 20) });
  expect(
    fetched.mock.calls.map(([url]) => String(url)).filter((url) => url.startsWith("http")),
  ).toEqual([]);
});

test("titles and names in other scripts are drawn, each differently, and fit the image", async () => {
  const titles = [
    "Как устроена база данных",
    "كيف تعمل قاعدة البيانات؟",
    "数据库旁边的读者",
    "A → B",
    "A B",
  ];
  const long = ["字".repeat(200), `${"Ж".repeat(110)}`];
  const pngs = await Promise.all(
    [...titles, ...long].map((title) => renderSocialImage({ ...card(title), site: "Лекция" })),
  );
  expect(new Set(pngs.map((png) => png.toString("base64"))).size).toBe(pngs.length);
  for (const png of pngs)
    expect(await sharp(png).metadata()).toMatchObject({ format: "png", ...SOCIAL_IMAGE_SIZE });
});
