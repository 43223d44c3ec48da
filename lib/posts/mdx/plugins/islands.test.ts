// Tests posts with code: what runs on the server, what becomes an island, and what is bundled.

import { expect, test } from "vitest";
import { compileText, problemOf } from "#tests/support/compile-text.ts";
import { renderPostCode } from "#tests/support/render-post-code.ts";

const file = "blog/x/index.mdx";
const codeFiles = {
  "blog/x/components/index.jsx":
    'export { Demo } from "./demo"; export * from "./labels"; export { default as Box } from "../box";',
  "blog/x/components/demo.tsx": `import { useState, type ReactNode } from "react";
    import styles from "./demo.module.css";
    import { label } from "./labels";
    interface Props { start?: number; render?: (n: number) => ReactNode; children?: ReactNode }
    export function Demo({ start = 0, render, children }: Props) {
      const [n, setN] = useState(start);
      return <button className={styles.box} onClick={() => setN(n + 1)}>{label} {n} {children}{render?.(n)}</button>;
    }`,
  "blog/x/components/labels.ts": 'export const label: string = "Count";',
  "blog/x/components/demo.module.css": ".box { color: red }",
  "blog/x/box.tsx":
    'import "./box.css"; export default ({ n, children }: any) => <section data-n={n}>{children}</section>;',
  "blog/x/box.css": ".section { margin: 0 }",
  "blog/x/data.json": '{ "list": [1, 2] }',
  "shared/note.mjs": "export const note = () => <em>shared</em>;",
};

const compile = (body: string) => compileText(body, { file, codeFiles });
const render = async (body: string) => renderPostCode(await compile(body));

test("a post without code has no bundle, also with constants", async () => {
  const post = await compile(
    "export const year = 2024\nexport const meta = {a: 'b'}\n\nIn {year} {meta.a}\n",
  );
  expect(post.code).toBeNull();
  expect(post.compiledSource).not.toMatch(/\b_code\b/);
  expect(renderPostCode(post)).toBe("<p>In 2024 b</p>");
});

test("a component that needs no browser is rendered on the server, without JavaScript", async () => {
  const post = await compile('import Box from "./box"\n\n<Box n={1 + 1}>\n\n*md*\n\n</Box>\n');
  expect(renderPostCode(post)).toBe('<section data-n="2"><p><em>md</em></p></section>');
  expect(post.code).toMatchObject({ browser: "", css: ".section{margin:0}" });
});

test("a component with state becomes an island, and its Markdown stays on the server", async () => {
  const post = await compile(
    'import { Demo } from "./components"\n\n<Demo start={2}>\n\n**md**\n\n</Demo>\n\nA <Demo /> b\n',
  );
  expect(renderPostCode(post)).toMatch(
    /^<x-island title="Demo"><button class="(demo_\w+_box)">Count 2 <p><strong>md<\/strong><\/p><\/button><\/x-island><p>A <x-island title="Demo"><button class="\1">Count 0 <\/button><\/x-island> b<\/p>$/,
  );
  expect(post.code!.browser).not.toContain("<strong>");
  expect(post.code!.css).toMatch(/^\.demo_\w+_box\{color:red\}\.section\{margin:0\}$/);
  expect(post.code!.hash).toMatch(/^[0-9a-f]{32}$/);
});

test("functions, spread attributes and nested components belong to the island", async () => {
  const html = await render(
    'import { Demo, Box } from "./components"\nexport const rest = { start: 5 }\n\n<Demo {...rest} render={(n) => <b>{n}</b>}>\n  <Box n={1}>\n\n  *one*\n\n  </Box>\n\n  *two*\n\n  <Demo />\n</Demo>\n',
  );
  expect(html.replace(/ class="\w+"/g, "")).toBe(
    '<x-island title="Demo"><button>Count 5 <section data-n="1"><p><em>one</em></p></section><p><em>two</em></p><button>Count 0 </button><b>5</b></button></x-island>',
  );
});

test.each([
  ["{[1, 2].map((n) => <b key={n}>{n}</b>)}", "<b>1</b><b>2</b>"],
  ['{1 > 2 ? "yes" : <i>no</i>}', "<i>no</i>"],
  ["Sum {1 + 1}.", "<p>Sum 2.</p>"],
  ['export const Hi = ({ to }) => <u>{to}</u>\n\n<Hi to={"a" + "b"} />', "<u>ab</u>"],
  ["export const a = {title: 't'}\n\n<b {...a}>x</b>", '<b title="t">x</b>'],
  ['import data from "./data.json"\n\n{data.list.length}', "2"],
  ['import * as C from "./box"\n\n<C.default n={3} />', '<section data-n="3"></section>'],
  ['import {note as Note} from "../../shared/note"\n\n<Note />', "<em>shared</em>"],
  ["export default ({children}) => <main>{children}</main>\n\nText", "<main><p>Text</p></main>"],
  ['<div dangerouslySetInnerHTML={{ __html: "<hr/>" }} />', "<div><hr/></div>"],
  ['import Link from "next/link"\n\n<Link href={"/" + "a"}>x</Link>', '<a href="/a">x</a>'],
])("%j runs on the server", async (body, html) => {
  const post = await compile(body);
  expect(post.code?.browser ?? "").toBe("");
  expect(renderPostCode(post).replace(/\n/g, "")).toBe(html);
});

test.each([
  [
    '<button class="c" onClick={() => alert(1)}>x *y*</button>',
    "button",
    '<button class="c">x <em>y</em></button>',
  ],
  ["{typeof window}", "{typeof window}", "undefined"],
  [
    'import {Demo} from "./components"\n\n{[1].map((n) => <Demo key={n} start={n} />)}',
    "{[1].map((n) =&gt; &lt;Demo key={n} start={n} /&gt;)}",
    "<button>Count 1 </button>",
  ],
  [
    'import {useState} from "react"\nexport const Own = () => { const [n] = useState(7); return <i>{n}</i> }\n\n<Own />',
    "Own",
    "<i>7</i>",
  ],
  [
    'import {Demo} from "./components"\nexport const Two = () => <><Demo /><Demo /></>\n\n<Two />',
    "Two",
    "<button>Count 0 </button><button>Count 0 </button>",
  ],
])("%j becomes an island", async (body, name, inner) => {
  const html = await render(body);
  expect(html.replace(/ class="demo\w+"/g, "").replace(/^<p>|<\/p>$/g, "")).toBe(
    `<x-island title="${name}">${inner}</x-island>`,
  );
});

test("a post may use the names of the compiler's components", async () => {
  const html = await render(
    'import StaticHtml from "./box"\nimport PostIsland from "./box"\nimport Embed from "./box"\nimport {Demo} from "./components"\n\n*Text*\n\n<StaticHtml n={1} /> <PostIsland n={2} /> <Embed n={3} /> <Demo />\n\nhttps://example.com/a\n',
  );
  expect(html.replace(/ class="\w+"/g, "")).toBe(
    '<p><em>Text</em></p><section data-n="1"></section>\n<section data-n="2"></section>\n<section data-n="3"></section>\n<x-island title="Demo"><button>Count 0 </button></x-island>\n<x-embed title="https://example.com/a"></x-embed>',
  );
});

test("equal content gives equal code, and the path of the checkout is not part of it", async () => {
  const body =
    'import { Demo } from "./components"\nimport clsx from "github-slugger"\n\n<Demo start={clsx} />\n';
  const [first, second] = [await compile(body), await compile(body)];
  expect(first.code).toEqual(second.code);
  expect(first.code!.browser + first.compiledSource).not.toContain(process.cwd());
});

test("the names of a CSS module are unique to its post", async () => {
  const other = Object.fromEntries(
    Object.entries(codeFiles).map(([path, text]) => [path.replace("blog/x", "blog/y"), text]),
  );
  const body = 'import { Demo } from "./components"\n\n<Demo />\n';
  const post = await compileText(body, { file: "blog/y/index.mdx", codeFiles: other });
  expect(post.code!.css).not.toBe((await compile(body)).code!.css);
});

test("the browser gets nothing that only the server uses", async () => {
  const post = await compile(
    'import { Demo } from "./components"\nimport Box from "./box"\nexport const secret = ["on the server"]\n\n<Demo />\n\n<Box n={secret.length + 1} />\n',
  );
  expect(post.code!.browser).toContain("Count");
  expect(post.code!.browser).not.toMatch(/on the server|section/);
  expect(post.compiledSource).toContain("on the server");
  expect(post.compiledSource).not.toContain("useState");
});

test.each([
  ["blog/x/a.tsx", "export const A = (\n", 'import {A} from "./a"\n\n<A />'],
  ["blog/x/a.tsx", 'export const A = 1\nimport "@/lib"\n', 'import {A} from "./a"\n\n<A />'],
  ["blog/x/a.css", ".a { background: url(./b.png) }", 'import "./a.css"'],
])("an error in %s names that file and its line", async (path, text, body) => {
  const problem = await compileText(body, { file, codeFiles: { [path]: text } }).catch(
    (error: { problem: object }) => error.problem,
  );
  expect(problem).toMatchObject({ file: path });
});

test("a default export with state, and a module that runs in the browser, are rejected", async () => {
  const more = { ...codeFiles, "blog/x/setup.js": "window.a = 1" };
  const problem = (body: string) => problemOf(body, { file, codeFiles: more });
  expect(
    await problem("export default ({children}) => <b onClick={() => 1}>{children}</b>\n\nText"),
  ).toMatch(/^1: the default export is the layout/);
  expect(await problem('import "./setup"\n\nText')).toMatch(/^1: \.\/setup runs in the browser/);
  expect(await problem('{window.a && <Embed url="https://x.example" />}')).toMatch(
    /^1: <Embed> is rendered by the server/,
  );
});

test("a module cycle ends", async () => {
  const cycle = {
    "blog/x/a.js": 'import { B } from "./b"; export const A = () => <B />;',
    "blog/x/b.js": 'import { A } from "./a"; export const B = () => <i>{typeof A}</i>;',
  };
  const post = await compileText('import {A} from "./a"\n\n<A />', { file, codeFiles: cycle });
  expect(renderPostCode(post)).toBe("<i>function</i>");
});

test("a re-export binds nothing in the post, as in any module", async () => {
  const reExports = 'export { default as Box } from "./box"\nexport * from "./box"\n\n';
  expect(await render(`${reExports}Text\n`)).toBe("<p>Text</p>");
  expect(await problemOf(`${reExports}<Box />\n`, { file, codeFiles })).toMatch(
    /^4: <Box> is not a component of this site/,
  );
});

test("a parameter may have the same name as a declaration of the post", async () => {
  expect(
    await render("export const data = [1, 2]\n\n{data.map((data) => <i key={data}>{data}</i>)}\n"),
  ).toBe("<i>1</i><i>2</i>");
});

test("an error in the post's own code quotes the code instead of a line number of the bundle", async () => {
  const body = "Text\n\nexport const x = await Promise.resolve(1)\n\n{x}\n";
  expect(await problemOf(body)).toBe(
    '1: Top-level await is currently not supported with the "cjs" output format, in: const x = await Promise.resolve(1);',
  );
});
