import { expect, test } from "vitest";
import { toDrawableText, socialImageTitle } from "./social-image-text.ts";

test("characters in the fonts are kept", () => {
  expect(toDrawableText("Über “naïve” cafés — Łódź, São Tomé & x < y!")).toBe(
    "Über “naïve” cafés — Łódź, São Tomé & x < y!",
  );
});

test("other characters become their base letters or are removed", () => {
  expect(toDrawableText("Ten 🎉 years\u00A0of\tNguyễn ﬁles 文字 ™ ①")).toBe(
    "Ten years of Nguyen files TM 1",
  );
});

test("a title without a drawable letter is replaced by the site's name", () => {
  expect(socialImageTitle("文字と言葉", "Lectern")).toBe("Lectern");
  expect(socialImageTitle("🎉!", "Lectern")).toBe("Lectern");
});

test("a long title is truncated at a word", () => {
  const title = socialImageTitle("word ".repeat(60), "Lectern");
  expect(title.length).toBeLessThanOrEqual(121);
  expect(title.endsWith("word…")).toBe(true);
  expect(socialImageTitle("x".repeat(300), "Lectern").length).toBe(121);
});
