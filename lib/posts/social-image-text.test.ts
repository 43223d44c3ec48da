import { expect, test } from "vitest";
import {
  isDrawable,
  socialImageTitle,
  startsRightToLeft,
  toImageText,
} from "./social-image-text.ts";

test("characters in the site's fonts are drawable, and all letters are kept", () => {
  const latin = "Über “naïve” cafés — Łódź, São Tomé & x < y!";
  expect(toImageText(latin)).toBe(latin);
  expect(isDrawable(latin)).toBe(true);
  for (const text of ["Как это", "مرحبا", "数据库", "A → B", "Nguyễn", "ไทย"]) {
    expect(toImageText(text)).toBe(text);
    expect(isDrawable(text)).toBe(false);
  }
});

test("emoji are removed, and other forms of drawable characters are replaced", () => {
  expect(toImageText("Ten 🎉 years\u00A0of\tﬁles ™ ① 👩‍👩‍👧 ❤️ 1️⃣ 🇩🇪\u0000")).toBe(
    "Ten years of files TM 1",
  );
});

test("a title without a letter is replaced by the site's name", () => {
  expect(socialImageTitle("文字と言葉", "Lectern")).toBe("文字と言葉");
  expect(socialImageTitle("🎉!", "Lectern")).toBe("Lectern");
});

test("a long title is truncated at a word, and never within a character", () => {
  const title = socialImageTitle("word ".repeat(60), "Lectern");
  expect(title.length).toBeLessThanOrEqual(121);
  expect(title.endsWith("word…")).toBe(true);
  expect([...socialImageTitle("𠮷".repeat(300), "Lectern")]).toHaveLength(120);
  expect(socialImageTitle("𠮷".repeat(300), "Lectern").isWellFormed()).toBe(true);
});

test("the first letter decides the direction of a text", () => {
  expect(["مرحبا SQLite", "1. שלום", "SQLite مرحبا", "привет", "!"].map(startsRightToLeft)).toEqual(
    [true, true, false, false, false],
  );
});
