// Tests imports, components and expressions: what works, and what is rejected at which line.

import { expect, test } from "vitest";
import { compileText, htmlFrom, problemOf } from "#tests/support/compile-text.ts";

const localComponents = ["./counter.tsx", "./parts.tsx"];

test("imports of files beside the post are reported with the names they bind", async () => {
  const post = await compileText(
    [
      'import Counter from "./counter.tsx"',
      "import * as C from './parts'",
      "import { A, B as Two } from './parts.tsx'",
      "",
      "<Counter start={3} /> <C.Box /> <A /> <Two />",
    ].join("\n"),
    { localComponents },
  );
  expect(post.localImports).toEqual([
    { name: "Counter", file: "./counter.tsx", imported: "default" },
    { name: "C", file: "./parts.tsx", imported: "*" },
    { name: "A", file: "./parts.tsx", imported: "A" },
    { name: "Two", file: "./parts.tsx", imported: "B" },
  ]);
  expect(post.components).toEqual(["A", "C.Box", "Counter", "Two"]);
  expect(post.compiledSource).not.toMatch(/^import/m);
});

test("a component gets its props as values and its children as static HTML", async () => {
  const html = await htmlFrom(
    'import * as C from "./parts"\n\n<C.Box n={-3} list={[1, "a"]} on={{ a: true }} flag>\n\n**md**\n\n</C.Box>\n',
    { localComponents },
  );
  expect(html).toBe(
    '<C.Box n=-3 list=[1,"a"] on={"a":true} flag=true><p><strong>md</strong></p></C.Box>',
  );
});

test("lists, tables and details elements keep their structure around a component", async () => {
  const html = await htmlFrom(
    [
      'import X from "./counter.tsx"',
      "- one **b**\n- <X />",
      "<details>\n<summary>Sum *m*</summary>\n\nText <X /> text\n\n</details>",
      "| a |\n| - |\n| <X /> |",
    ].join("\n\n"),
    { localComponents },
  );
  expect(html).toContain("<ul><li>one <strong>b</strong></li><li><X></X></li></ul>");
  expect(html).toContain(
    "<details><summary>Sum <em>m</em></summary><p>Text <X></X> text</p></details>",
  );
  expect(html).toContain("<tbody><tr><td><X></X></td></tr></tbody>");
});

test("a local file that is not part of the build is rejected at the line of the import", async () => {
  expect(await problemOf('Text\n\nimport X from "./x.tsx"\n\n<X />\n', { bodyLine: 10 })).toBe(
    "12: ./x.tsx is not part of this build",
  );
});

test("for a file that could be built, the error says how to add it to the build", async () => {
  const hint =
    ": components are part of the build, so restart (npm run dev or npm start) after adding one";
  const reason = (source: string, file: string) =>
    problemOf(`import X from "${source}"\n`, { file });
  for (const source of ["./x.tsx", "./x"])
    expect(await reason(source, "blog/test/index.mdx")).toBe(
      `1: ${source} is not part of this build${hint}`,
    );
  for (const source of [
    "../x.tsx",
    "./deep/x.tsx",
    "./x.css",
    "./x.json",
    "./x.test.tsx",
    "./.x.tsx",
  ])
    expect(await reason(source, "blog/test/index.mdx")).toBe(
      `1: ${source} is not part of this build`,
    );
  expect(await reason("./x.tsx", "blog/test.mdx")).toBe("1: ./x.tsx is not part of this build");
});

test("each import of a block has its own line", async () => {
  expect(
    await problemOf('import Counter from "./counter.tsx"\nimport X from "./x.tsx"\n', {
      localComponents,
      bodyLine: 5,
    }),
  ).toBe("6: ./x.tsx is not part of this build");
});

test.each([
  ['import fs from "node:fs"', /^1: "node:fs" can't be imported/],
  ['import "./x.css"', /^1: the import of "\.\/x\.css" binds no name/],
  ["export const a = 1", /^1: export statements are not supported/],
  ["Text\n\n{foo()}", /^3: the expression \{foo\(\)\} is not supported/],
  ["Text {props.x} text", /^1: the expression \{props\.x\} is not supported/],
  ["{`a${1}`}", /^1: the expression/],
  ["{[1, 2]}", /^1: the expression/],
  ["a\n\nb\n\n<Foo />", /^5: <Foo> is not a component of this site \(there are: Embed\)/],
  ["<D.Foo />", /^1: <D\.Foo> is not a component/],
  ["<Embed url={get()} />", /^1: url=\{get\(\)\} on <Embed> is not supported/],
  ["<div {...props} />", /^1: \{\.\.\.\} on <div> is not supported/],
  ["<div onClick={() => 1} />", /^1: onClick=\{\(\) => 1\} on <div> is not supported/],
  ['<div onclick="alert(1)" />', /^1: onClick on <div> is not supported/],
  ["<script>1</script>", /^1: <script> is not supported/],
  ['<form action="/x" />', /^1: <form> is not supported/],
  ["<foo-bar />", /^1: <foo-bar> is not supported/],
  ["[x](javascript:alert)", /^1: the URL "javascript:alert" on <a> is not supported/],
  ['<a href=" java\tscript:alert(1)">x</a>', /^1: the URL/],
  ["![x](data:text/html,x)", /^1: the URL/],
  [
    '<div dangerouslySetInnerHTML={{__html: "x"}} />',
    /^1: dangerouslySetInnerHTML is not supported/,
  ],
  ["<div style={{ color: {} }} />", /^1: the style of <div>/],
])("%j is rejected with line and reason", async (body, reason) => {
  expect(await problemOf(body)).toMatch(reason);
});

test.each([
  ["Text\n\n<div>\n", "12: Expected a closing tag for `<div>` (12:1-12:6)"],
  ["Text\n\n{a\n", "12: Unexpected end of file in expression"],
  ["Text\n\nimport x from\n", "12: Could not parse import/exports with acorn"],
  [
    "a\n\n<b></i>\n",
    "12: Unexpected closing tag `</i>`, expected corresponding closing tag for `<b>` (12:1-12:4)",
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
])("%j has half of a character and is rejected with its line", async (body) => {
  expect(await problemOf(`One\n\n${body}\n`, { components: ["C", "Embed"] })).toMatch(
    /^3: the text has half of a character/,
  );
});

test("character references are never half of a character, and both halves are one", async () => {
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
