// Tests imports, components and expressions: what works, and what is rejected at which line.

import { expect, test } from "vitest";
import { htmlFrom, problemOf } from "#tests/support/compile-text.ts";

const codeFiles = {
  "blog/counter.tsx": "export default ({ children }) => <x-counter>{children}</x-counter>;",
};

test("lists, tables and details elements keep their structure around a component", async () => {
  const html = await htmlFrom(
    [
      'import X from "./counter.tsx"',
      "- one **b**\n- <X />",
      "<details>\n<summary>Sum *m*</summary>\n\nText <X /> text\n\n</details>",
      "| a |\n| - |\n| <X /> |",
    ].join("\n\n"),
    { codeFiles },
  );
  const x = "<x-counter></x-counter>";
  expect(html).toContain(`<ul><li>one <strong>b</strong></li><li>${x}</li></ul>`);
  expect(html).toContain(
    `<details><summary>Sum <em>m</em></summary><p>Text ${x} text</p></details>`,
  );
  expect(html).toContain(`<tbody><tr><td>${x}</td></tr></tbody>`);
});

test("the components of the page get literal values", async () => {
  const html = await htmlFrom(
    '<C n={-3} list={[1, "a"]} on={{ a: true }} flag>\n\n**md**\n\n</C>\n',
    {
      components: ["C"],
    },
  );
  expect(html).toBe('<C n=-3 list=[1,"a"] on={"a":true} flag=true><p><strong>md</strong></p></C>');
});

const strictReason = /^1: imports and exports are not supported in posts by others/;

test.each([
  ['import fs from "node:fs"', strictReason],
  ['import X from "./counter.tsx"', strictReason],
  ["export const a = 1", strictReason],
  ["Text\n\n{foo()}", /^3: the expression \{foo\(\)\} is not supported/],
  ["Text {props.x} text", /^1: the expression \{props\.x\} is not supported/],
  ["{`a${1}`}", /^1: the expression/],
  ["{[1, 2]}", /^1: the expression/],
  ["<Embed url={get()} />", /^1: url=\{get\(\)\} on <Embed> is not supported/],
  ["<div {...props} />", /^1: \{\.\.\.\} on <div> is not supported/],
  ["<div onClick={() => 1} />", /^1: onClick=\{\(\) => 1\} on <div> is not supported/],
  [
    '<div dangerouslySetInnerHTML={{__html: "x"}} />',
    /^1: dangerouslySetInnerHTML is not supported/,
  ],
])("in a strict post, %j is rejected with line and reason", async (body, reason) => {
  expect(await problemOf(body, { codeFiles, trust: "strict" })).toMatch(reason);
});

test.each([
  ['import fs from "node:fs"', /^1: "node:fs" is part of Node\.js/],
  ['import X from "@/components/x"', /^1: "@\/components\/x" can't be imported: aliases/],
  ['import x from "https://esm.sh/x"', /^1: "https:\/\/esm\.sh\/x" can't be imported/],
  ['import X from "./gone"', /^1: "\.\/gone" does not exist/],
  ['import X from "../../x.tsx"', /^1: "\.\.\/\.\.\/x\.tsx" is outside the content folder/],
  ['import x from "./x.png"', /^1: "\.\/x\.png" can't be imported; only/],
  [
    'import x from "@nobody/no-such-package/part"',
    /^1: the package "@nobody\/no-such-package" is not installed on this site; add it with: npm install @nobody\/no-such-package$/,
  ],
  [
    'Text\n\nimport {Nope} from "./counter"',
    /^3: \.\/counter does not export Nope; it exports a default$/,
  ],
  ["export const MDXContent = 1", /^1: the name MDXContent is used by the compiler/],
  ["export const _jsx = 1", /^1: the name _jsx is used by the compiler/],
  ["Text\n\n{foo()}", /^3: foo is not defined: import it/],
  ["export const a = b.c", /^1: b is not defined/],
  ["<div title={missing} />", /^1: missing is not defined/],
  ["a\n\nb\n\n<Foo />", /^5: <Foo> is not a component of this site \(available: Callout/],
  ["<D.Foo />", /^1: <D\.Foo> is not a component/],
  ["<Embed onClick={() => 1} />", /^1: onClick on <Embed> needs the browser/],
  ['<div onclick="alert(1)" />', /^1: onClick on <div> is not supported/],
  ['<div onClick="x" {...{}} />', /^1: onClick on <div> must be a function/],
  ["<script {...{}}>1</script>", /^1: <script> is not supported/],
  ["<script>1</script>", /^1: <script> is not supported in a post: remove it/],
  ['<form action="/x" />', /^1: <form> is not supported/],
  ["<foo-bar />", /^1: <foo-bar> is not supported/],
  ["[x](javascript:alert)", /^1: the URL "javascript:alert" on <a> is not supported/],
  ['<a href="javascript:alert(1)" {...{}}>x</a>', /^1: the URL "javascript:alert\(1\)" on <a>/],
  ['<a href=" java\tscript:alert(1)">x</a>', /^1: the URL/],
  ["![x](data:text/html,x)", /^1: the URL/],
  ["<div style={{ color: {} }} />", /^1: the style of <div>/],
])("%j is rejected with line and reason", async (body, reason) => {
  expect(await problemOf(body, { codeFiles })).toMatch(reason);
});

test.each([
  ["Text\n\n<div>\n", "12: Expected a closing tag for `<div>` (12:1-12:6)"],
  ["Text\n\n{a\n", "12: Unexpected end of file in expression"],
  ["Text\n\nimport x from\n", "12: Could not parse import/exports with acorn"],
  [
    "a\n\n<b></i>\n",
    "12: Unexpected closing tag `</i>`, expected corresponding closing tag for `<b>` (12:1-12:4)",
  ],
  [
    "{% include a.html %}\n",
    "10: Could not parse expression with acorn; write \\{ for a brace in text",
  ],
  [
    "Below <1.0\n",
    "10: Unexpected character `1` (U+0031) before name, expected a character that can start a name, such as a letter, `$`, or `_`; write \\< for < in text",
  ],
  [
    "export const a = 1\nText\n",
    "11: Unexpected `ExpressionStatement` in code: only import/exports are supported; leave a blank line",
  ],
])("a syntax error in %j has the file's line, also in its text", async (body, start) => {
  expect((await problemOf(body, { bodyLine: 10 })).slice(0, start.length)).toBe(start);
});

test.each([
  '{"a\\uD800"}',
  "{`a\\uD800`}",
  '<b title={"\\uDC00\\uD83D"}>x</b>',
  '<b className={"\\uDC00"}>x</b>',
  '<C list={["a", { b: "\\uD800" }]} />',
  '<C value={{ "\\uD800": 1 }} />',
  '<Embed url={"https://example.com/\\uD800"} />',
  '$$\n\\char"D800\n$$',
])("%j has an unpaired surrogate and is rejected with its line", async (body) => {
  expect(await problemOf(`One\n\n${body}\n`, { components: ["C", "Embed"] })).toMatch(
    /^3: the text has an unpaired surrogate/,
  );
});

test("character references are never unpaired surrogates, and a pair is one character", async () => {
  const html = await htmlFrom('&#xD800; {"\\uD83D\\uDE00"} <b title="&#xDC00;">x</b>\n');
  expect(html.isWellFormed()).toBe(true);
  expect(html).toContain("😀");
});

test("page components that are passed in may be used", async () => {
  expect(await htmlFrom('<Chart kind="reads" />', { components: ["Embed", "Chart"] })).toBe(
    '<Chart kind="reads"></Chart>',
  );
});

test("scripts and event handlers are rejected in .md files, too", async () => {
  expect(await problemOf("a\n\n<script>1</script>\n", { file: "a.md" })).toContain(
    "<script> is not supported",
  );
  expect(await problemOf('a <b onmouseover="x()">b</b>\n', { file: "a.md" })).toContain(
    "onMouseOver on <b> is not supported",
  );
});

test("components and expressions that are alone on a line keep the space between them", async () => {
  const html = await htmlFrom(
    'import X from "./counter.tsx"\n\n<X>a</X> <X>b</X>\n\n{Math.max(1)} {Math.min(2)}\n',
    {
      codeFiles,
    },
  );
  expect(html).toBe("<x-counter>a</x-counter>\n<x-counter>b</x-counter>\n1\n2");
});

test("spaces around components and expressions are kept in lists and tables", async () => {
  const html = await htmlFrom(
    'import X from "./counter.tsx"\n\n- uses **b** <X /> and *i* {Math.max(1)} {Math.min(2)}\n  - x\n',
    { codeFiles },
  );
  expect(html).toContain(
    "<li>uses <strong>b</strong> <x-counter></x-counter> and <em>i</em> 1 2\n<ul>",
  );
});
