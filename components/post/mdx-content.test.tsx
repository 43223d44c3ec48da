import { renderToStaticMarkup } from "react-dom/server";
import { afterAll, expect, test } from "vitest";
import { closeCompiler, compilePost } from "#lib/posts/mdx/compiler.ts";
import { MdxContent } from "./mdx-content.tsx";
import { loadLocalComponents, runCompiledPost } from "./run-compiled-post.ts";

afterAll(closeCompiler);

const compile = (body: string, localComponents: string[] = []) =>
  compilePost({ file: "blog/x/index.mdx", body, bodyLine: 1, imageHosts: [], localComponents });

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

test("a folder post gets the components beside it, by name and as C.Name", async () => {
  const compiled = await compile(
    'import * as C from "./parts"\nimport { Two as Zwei } from "./parts"\n\n<C.One n={1}>**x**</C.One> <Zwei />\n',
    ["./parts.tsx"],
  );
  const exports = {
    One: ({ n, children }: { n: number; children: React.ReactNode }) => (
      <u data-n={n}>{children}</u>
    ),
    Two: () => <s />,
  };
  const components = await loadLocalComponents(compiled.localImports, async () => exports);
  const html = renderToStaticMarkup(
    <>
      {runCompiledPost(compiled.compiledSource)({
        components: {
          ...components,
          StaticHtml: ({ html }: { html: string }) => (
            <b dangerouslySetInnerHTML={{ __html: html }} />
          ),
        },
      })}
    </>,
  );
  expect(html).toBe('<u data-n="1"><b><strong>x</strong></b></u><s></s>');
});

test("a component that is not part of this build is an error that names it", async () => {
  const compiled = await compile('import X from "./gone.tsx"\n\n<X />\n', ["./gone.tsx"]);
  await expect((async () => MdxContent({ post: { slug: "x", compiled } }))()).rejects.toThrow(
    './gone.tsx of the post "x" is not part of this build',
  );
});

test.each(["constructor", "__proto__", "toString"])(
  "a post called %s finds no components on the prototype",
  async (slug) => {
    for (const file of ["./gone.tsx", "name", "toString"]) {
      const compiled = {
        ...(await compile("Text")),
        localImports: [{ name: "X", file, imported: "default" }],
      };
      await expect((async () => MdxContent({ post: { slug, compiled } }))()).rejects.toThrow(
        `${file} of the post "${slug}" is not part of this build`,
      );
    }
  },
);

test("an export that a file lacks is an error that names it", async () => {
  await expect(
    loadLocalComponents([{ name: "A", file: "./a.tsx", imported: "B" }], async () => ({})),
  ).rejects.toThrow('./a.tsx has no export "B"');
});

test("the same source is parsed once", async () => {
  const { compiledSource } = await compile("same");
  expect(runCompiledPost(compiledSource)).toBe(runCompiledPost(String(compiledSource)));
});
