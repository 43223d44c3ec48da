import { expect, test } from "vitest";
import { drawable, socialTitle } from "./social-text.ts";

test("what the fonts have stays", () => {
  expect(drawable("Über “naïve” cafés — Łódź, São Tomé & x < y!")).toBe(
    "Über “naïve” cafés — Łódź, São Tomé & x < y!",
  );
});

test("what they don't have becomes its base letters or goes", () => {
  expect(drawable("Ten 🎉 years\u00A0of\tNguyễn ﬁles 文字 ™ ①")).toBe(
    "Ten years of Nguyen files TM 1",
  );
});

test("a title without a sign that can be drawn gives way to the site's name", () => {
  expect(socialTitle("文字と言葉", "Lectern")).toBe("Lectern");
  expect(socialTitle("🎉!", "Lectern")).toBe("Lectern");
});

test("a long title is cut at a word", () => {
  const title = socialTitle("word ".repeat(60), "Lectern");
  expect(title.length).toBeLessThanOrEqual(121);
  expect(title.endsWith("word…")).toBe(true);
  expect(socialTitle("x".repeat(300), "Lectern").length).toBe(121);
});
