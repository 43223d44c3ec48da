import { expect, test } from "vitest";
import { truncateAtWord } from "./truncate-at-word.ts";

test("text that fits is unchanged, and longer text ends with a word", () => {
  expect(truncateAtWord("one two three", 13)).toBe("one two three");
  expect(truncateAtWord("one two, three", 13)).toBe("one two…");
  expect(truncateAtWord("word ".repeat(60), 100)).toBe(`${"word ".repeat(19).trim()}…`);
  expect(truncateAtWord("aaaaaaaa, bbbbbbbb", 11)).toBe("aaaaaaaa…");
});

test("a long word and pairs of surrogates are cut between characters", () => {
  expect(truncateAtWord("x".repeat(50), 10)).toBe(`${"x".repeat(9)}…`);
  expect(truncateAtWord("𠮷".repeat(50), 10)).toBe(`${"𠮷".repeat(9)}…`);
});
