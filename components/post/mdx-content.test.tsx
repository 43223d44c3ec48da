import { renderToStaticMarkup } from "react-dom/server";
import { afterAll, expect, test } from "vitest";
import { closeCompiler, compilePost } from "#lib/posts/mdx/compiler.ts";
import { MdxContent } from "./mdx-content.tsx";
import { runCompiledPost } from "./run-compiled-post.ts";

afterAll(closeCompiler);

const compile = (body: string, codeFiles: Record<string, string> = {}) =>
  compilePost({ file: "blog/x/index.mdx", body, bodyLine: 1, imageHosts: [], codeFiles });

test("a plain post renders as one node of ready HTML", async () => {
  const compiled = await compile("## Hi\n\n<b>bold</b> & more\n");
  expect(renderToStaticMarkup(<MdxContent post={{ slug: "x", compiled }} />)).toBe(
    '<div class="post-html" style="display:contents"><h2 id="hi"><a class="heading-link" href="#hi">Hi</a></h2>\n<p><b>bold</b> &#x26; more</p></div>',
  );
});

test("components are between the runs of HTML, inline ones within a sentence", async () => {
  const compiled = await compile(
    'https://x.example/a\n\nA *b* <Embed url="https://x.example/b" /> c\n',
  );
  const Embed = ({ url }: { url: string }) => <i>{url}</i>;
  expect(
    renderToStaticMarkup(<MdxContent post={{ slug: "x", compiled }} components={{ Embed }} />),
  ).toBe(
    '<i>https://x.example/a</i><p><span class="post-html" style="display:contents">A <em>b</em> </span><i>https://x.example/b</i> c</p>',
  );
});

test("components next to the post that need no browser are rendered by the server", async () => {
  const compiled = await compile(
    'import * as C from "./parts"\nimport { Two as Zwei } from "./parts"\n\n<C.One n={1}>**x**</C.One> <Zwei />\n',
    {
      "blog/x/parts.tsx":
        "export const One = ({ n, children }) => <u data-n={n}>{children}</u>; export const Two = () => <s />;",
    },
  );
  expect(renderToStaticMarkup(<MdxContent post={{ slug: "x", compiled }} />)).toBe(
    '<u data-n="1"><div class="post-html" style="display:contents"><strong>x</strong></div></u>\n<s></s>',
  );
});

test("the same source is parsed once", async () => {
  const { compiledSource } = await compile("same");
  expect(runCompiledPost(compiledSource)).toBe(runCompiledPost(String(compiledSource)));
});
