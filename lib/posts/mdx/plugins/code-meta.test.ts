import { expect, test } from "vitest";
import { parseCodeMeta, type CodeMeta } from "./code-meta.ts";

const marked = (lines: CodeMeta["isHighlighted"]) =>
  Array.from({ length: 12 }, (_, index) => index + 1).filter(lines);

test.each([
  ["js lines=1,3-5", [1, 3, 4, 5]],
  ["js highlight=2", [2]],
  ["js [1,3-5]", [1, 3, 4, 5]],
  ["js[1,3]", [1, 3]],
  ["js [2, 7]", [2, 7]],
  ["js {1,3}", [1, 3]],
  ["js {1, 3-4} showLineNumbers", [1, 3, 4]],
  ['js lines="1, 2"', [1, 2]],
  ["js lines=1, 3-4 nonumber", [1, 3, 4]],
  ["lines=2", [2]],
  ["[1,2]", [1, 2]],
])("%s marks lines %j", (info, lines) => {
  const meta = parseCodeMeta(info);
  expect(marked(meta.isHighlighted)).toEqual(lines);
  expect(meta.problems).toEqual([]);
});

test("add=, remove=, start= and nonumber", () => {
  const meta = parseCodeMeta("ts add=1-2 remove=4 start=40 nonumber");
  expect([marked(meta.isAdded), marked(meta.isRemoved), meta.start, meta.isNumbered]).toEqual([
    [1, 2],
    [4],
    40,
    false,
  ]);
});

test.each([
  "js filename=a/b.js",
  'js filename="a/b.js"',
  "js title='a/b.js'",
  "js filepath=a/b.js",
  "js:a/b.js",
  "js:title=a/b.js",
  "js [a/b.js]",
])("%s names the file", (info) => {
  expect(parseCodeMeta(info)).toMatchObject({ language: "js", filename: "a/b.js", problems: [] });
});

test("diff-js is js with marks in the first column", () => {
  expect(parseCodeMeta("diff-js:a.js")).toMatchObject({
    language: "js",
    isDiff: true,
    filename: "a.js",
  });
});

test("c++ and c# are languages", () => {
  expect(parseCodeMeta("c++").language).toBe("c++");
  expect(parseCodeMeta("C#").language).toBe("c#");
});

test("unknown options and invalid ranges are reported", () => {
  expect(parseCodeMeta("js lines=x-y foo=1 bar").problems).toEqual([
    '"foo=" after ``` is unknown',
    '"bar" after ``` is unknown',
    '"x-y" is not a line or a range of lines',
  ]);
});

test("a long range is as cheap as a short one", () => {
  expect(parseCodeMeta("js lines=1-999999").isHighlighted(500_000)).toBe(true);
});

test("ten thousand malformed words are parsed quickly", () => {
  expect(parseCodeMeta(`js ${"[{ =\"' ".repeat(10_000)}`).language).toBe("js");
});

test("brackets within a path are part of the file's name, and those after it are lines", () => {
  const meta = parseCodeMeta("tsx:app/[[...slug]]/[id].tsx[1,3]");
  expect(meta).toMatchObject({ filename: "app/[[...slug]]/[id].tsx", problems: [] });
  expect(marked(meta.isHighlighted)).toEqual([1, 3]);
});

test("showLineNumbers{40} is the number of the first line, as in rehype-pretty-code", () => {
  const meta = parseCodeMeta("js {2} showLineNumbers{40}");
  expect([meta.start, marked(meta.isHighlighted), meta.problems]).toEqual([40, [2], []]);
});

test.each([
  ["js:line-numbers {2}", 1, true],
  ["js:line-numbers=40 {2}", 40, true],
  ["js:no-line-numbers {2}", 1, false],
])("%s sets line numbers, as in VitePress", (info, start, isNumbered) => {
  const meta = parseCodeMeta(info);
  expect(meta).toMatchObject({ language: "js", filename: null, start, isNumbered, problems: [] });
  expect(marked(meta.isHighlighted)).toEqual([2]);
});
