import type { ElementContent } from "hast";
import { fromHtml } from "hast-util-from-html";
import { toHtml } from "hast-util-to-html";
import { expect, test } from "vitest";
import { renderFeedHtml, toPortableHtml } from "./feed-html.ts";
import { postToHast } from "./post-to-hast.ts";
import { compileText } from "#tests/support/compile-text.ts";
import { samplePost } from "#tests/support/sample-posts.ts";

const REFERENCES = { characterReferences: { useNamedReferences: true } };
const BASE = "https://lectern.example/blog/a-post";
const ORIGIN = { url: BASE, slug: "a-post" };
const portable = (html: string) =>
  toPortableHtml(fromHtml(html, { fragment: true }).children, ORIGIN);
const LINK = `<a href="${BASE}">This part works only on the site.</a>`;

/** Returns a compiled text's HTML in a feed, which a parser must read as it is written. */
async function feedHtmlOf(text: string, options: { slug?: string } = {}) {
  const { compiledSource, components } = await compileText(text, {
    components: ["X", "Feature"],
    codeFiles: {
      "blog/counter.tsx":
        'import { useState } from "react"; export default function Counter({ children }) { useState(0); return <b>{children}</b>; }',
    },
  });
  // Outside the worker, the compiler writes calls of the development runtime.
  const source = compiledSource.replace("jsxDEV: _jsxDEV", "jsx: _jsxDEV");
  const nodes = postToHast(source, components, BASE);
  const html = toPortableHtml(nodes, { ...ORIGIN, ...options });
  expect(toHtml(fromHtml(html, { fragment: true }), REFERENCES)).toBe(html);
  return html;
}
const compiled = (body: string, uses = "StaticHtml") => `"use strict";
const {Fragment: _Fragment, jsx: _jsx, jsxs: _jsxs} = arguments[0];
function MDXContent(props = {}) {
  const _components = { ul: "ul", li: "li", ...props.components }, {${uses}} = _components;
  return ${body};
}
return { default: MDXContent };`;

test("a compiled post becomes HTML: text escaped, embeds as links, components as a link to the site", () => {
  const source = compiled(
    `_jsxs(_Fragment, {children: [_jsx(StaticHtml, {html: "<p>A &lt; B</p>"}), "1 < 2",
      _jsxs(_components.ul, {className: "x", style: {color: "red"}, onClick: () => {}, children: [_jsx(_components.li, {title: 'a "b"', children: ["b ", _jsx(C.Small, {}), 3]})]}),
      _jsx(Embed, {url: "https://e.example/?a=1&b=2"}), _jsx(Counter, {children: _jsx(StaticHtml, {html: "<p>inner</p>"})}), null, false, _jsx("img", {src: "/x.png", alt: ""})]})`,
    "StaticHtml, C, Counter, Embed",
  );
  const link = `<p><a href="${BASE}">This part works only on the site.</a></p>`;
  const nodes = postToHast(source, ["C.Small", "Counter", "Embed"], BASE);
  expect(toPortableHtml(nodes, ORIGIN)).toBe(
    `<p>A &lt; B</p>1 &lt; 2<ul><li title="a &quot;b&quot;">b ${link}3</li></ul><p><a href="https://e.example/?a=1&amp;b=2">https://e.example/?a=1&amp;b=2</a></p>${link}<p>inner</p><img src="https://lectern.example/x.png" alt="">`,
  );
});

test("URLs become absolute in attributes and nowhere else", () => {
  const html =
    '<p><a href="/blog/b?x=1&amp;y=2">b</a> <a href="#part">part</a> <a href="other">other</a> <img src="./a b.png" alt="/x > y"> <a href="mailto:a@b.c">m</a></p><pre><code>href="/foo" &lt;a href="/x"></code></pre>';
  expect(portable(html)).toBe(
    '<p><a href="https://lectern.example/blog/b?x=1&amp;y=2">b</a> <a href="https://lectern.example/blog/a-post#part">part</a> <a href="https://lectern.example/blog/other">other</a> <img src="https://lectern.example/blog/a%20b.png" alt="/x > y"> <a href="mailto:a@b.c">m</a></p><pre><code>href="/foo" &lt;a href="/x"></code></pre>',
  );
});

test("elements that work only on the site are removed", () => {
  const html =
    '<h2 id="a">A <a class="heading-anchor" href="#a" aria-label="Link"><span aria-hidden="true">#</span></a></h2><!-- note --><figure class="code"><pre tabindex="0"><code class="language-js"><span class="line"><span class="tk-k">const</span> a</span></code></pre><button type="button">Copy <svg><path d="M0"/></svg></button></figure><script>alert(1)</script><p style="color:red" onclick="x()">B</p><a href="javascript:alert(1)">c</a>';
  expect(portable(html)).toBe(
    "<h2>A </h2><figure><pre><code>const a</code></pre></figure><p>B</p><a>c</a>",
  );
});

test("a picture in several formats becomes a plain image", () => {
  expect(
    portable(
      '<picture><source type="image/avif" srcset="/a.avif 1x"><img src="/a.png" srcset="/a.png 1x" width="3" height="4" alt="A"></picture><video src="/v.mp4" controls></video>',
    ),
  ).toBe(
    '<img src="https://lectern.example/a.png" width="3" height="4" alt="A"><video src="https://lectern.example/v.mp4" controls></video>',
  );
});

test("a post that throws has no HTML, and the rest of the feed is rendered", () => {
  const post = samplePost();
  const render = (compiledSource: string) =>
    renderFeedHtml({ ...post, compiled: { ...post.compiled, compiledSource } });
  expect(render("throw new Error('no')")).toBeNull();
  expect(render(compiled('_jsx(StaticHtml, {html: "<p>Hi</p>"})'))).toBe("<p>Hi</p>");
});

test("a component in a paragraph, a heading or a table cell becomes an inline link", async () => {
  const html = await feedHtmlOf(
    "Inline <X>in</X> text.\n\n## Head <X>b</X>\n\n| a | b |\n| - | - |\n| <X>c</X> | <X/> |\n",
  );
  expect(html).toContain(`<p>Inline ${LINK} in text.</p>`);
  expect(html).toContain(`<h2>Head ${LINK} b </h2>`);
  expect(html).toContain(`<td>${LINK} c</td><td>${LINK}</td>`);
});

test("readers who have subscribed get no subscription form", () => {
  const source = compiled(
    '_jsxs(_Fragment, {children: [_jsx(StaticHtml, {html: "<p>One</p>"}), _jsx(SubscribeForm, {})]})',
    "StaticHtml, SubscribeForm",
  );
  const nodes = postToHast(source, ["SubscribeForm"], BASE);
  expect(toPortableHtml(nodes, ORIGIN)).toBe("<p>One</p>");
});

test("a component in a link does not put a link in it", async () => {
  const html = await feedHtmlOf("[see <X>this</X>](https://x.example/a)\n");
  expect(html).toBe(
    '<p><a href="https://x.example/a">see This part works only on the site. this</a></p>',
  );
});

test("an interactive component in a sentence becomes an inline link", async () => {
  const html = await feedHtmlOf(
    'import Counter from "./counter.tsx"\n\nPress <Counter>here</Counter> now.\n\n## Head <Counter />\n',
  );
  expect(html).toContain(`<p>Press ${LINK} here now.</p>`);
  expect(html).toContain(`<h2>Head ${LINK}`);
});

test("a component between paragraphs stays a paragraph, without its tag", async () => {
  const html = await feedHtmlOf("One\n\n<X>\n\n- two\n\n</X>\n");
  expect(html).toMatch(/^<p>One<\/p>/);
  expect(html).toContain(`<p>${LINK}</p><ul>`);
});

test("a block in a paragraph splits it", () => {
  const element = (tagName: string, children: ElementContent[] = []): ElementContent => ({
    type: "element",
    tagName,
    properties: {},
    children,
  });
  const text = (value: string) => ({ type: "text", value }) as const;
  expect(toPortableHtml([element("p", [text("a"), element("ul"), text("b")])], ORIGIN)).toBe(
    "<p>a</p><ul></ul><p>b</p>",
  );
  expect(toPortableHtml([element("p", [element("ul"), text(" ")])], ORIGIN)).toBe("<ul></ul>");
});

test("paragraphs that the author wrote in a table cell stay", () => {
  const html = "<table><tbody><tr><td><p>a</p><p>b</p></td></tr></tbody></table>";
  expect(portable(html)).toBe(html);
});

test("footnotes of two posts have different ids, and link to each other", async () => {
  const text = "Text[^1].\n\n[^1]: Note.\n";
  const [one, two] = [await feedHtmlOf(text), await feedHtmlOf(text, { slug: "b-post" })];
  expect(one).toContain('<sup><a href="#a-post-fn-1" id="a-post-fnref-1">1</a></sup>');
  expect(one).toContain('<li id="a-post-fn-1">');
  expect(one).toContain('<a href="#a-post-fnref-1">');
  expect(two).toContain('<li id="b-post-fn-1">');
  expect(two).not.toContain("a-post-");
});

test("custom elements and controls are removed, and a task list shows its state", async () => {
  expect(portable("<p><my-chart data-x=1>Sales</my-chart> <select><option>a</select></p>")).toBe(
    "<p>Sales </p>",
  );
  expect(await feedHtmlOf("- [x] done\n- [ ] open\n")).toMatch(
    /<li>☑ ?done<\/li>\s*<li>☐ ?open<\/li>/,
  );
});

test("text in another language is inside an element with language and direction, and its code is not", () => {
  const nodes = fromHtml("<p>مرحبا</p><figure><pre><code>let a</code></pre></figure>", {
    fragment: true,
  }).children;
  expect(toPortableHtml(nodes, { ...ORIGIN, language: { lang: "ar", dir: "rtl" } })).toBe(
    '<div lang="ar" dir="rtl"><p>مرحبا</p><figure><pre dir="ltr"><code>let a</code></pre></figure></div>',
  );
  expect(toPortableHtml(nodes, { ...ORIGIN, language: { lang: "de", dir: "ltr" } })).toMatch(
    /^<div lang="de" dir="ltr"><p>.*<pre><code>/,
  );
});

test("a formula keeps its attributes, and a diagram becomes its description", async () => {
  const html = await feedHtmlOf(
    "$$\n\\mathbb{R}\n$$\n\n```mermaid\ngraph LR\n A[Reader] --> B\n```\n",
  );
  expect(html).toContain('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">');
  expect(html).toContain('<annotation encoding="application/x-tex">');
  expect(html).toContain("<figure>Reader to B</figure>");
});

test("lines in div elements stay separate, cells keep their alignment, and lists their numbers", async () => {
  expect(
    await feedHtmlOf("<div>\n<div>one</div>\n<div>two</div>\n<div><p>three</p></div>\n</div>\n"),
  ).toBe("<div>one</div><div>two</div><p>three</p>");
  expect(await feedHtmlOf("| a |\n| -: |\n| 1 |\n")).toContain('<td align="right">1</td>');
  expect(await feedHtmlOf('<ol type="a"><li value={5}>x</li></ol>\n')).toBe(
    '<ol type="a"><li value="5">x</li></ol>',
  );
});

test("added and removed lines of code have their signs", async () => {
  const html = await feedHtmlOf("```diff-js\n-old()\n+fresh()\n end()\n```\n");
  expect(html).toContain(">-old()\n+fresh()\nend()</code>");
});

test("a themed image is one image", async () => {
  const html = await feedHtmlOf('<ThemedImage light="/a.png" dark="/b.png" alt="A" />\n');
  expect(html).toBe('<img alt="A" src="https://lectern.example/a.png">');
});

test("<Feature> shows its content, without a link, only if the feature is on", async () => {
  const part = (name: string) => feedHtmlOf(`<Feature name="${name}">\n\nText\n\n</Feature>\n`);
  expect(await part("teams")).toBe("<p>Text</p>");
  expect(await part("none")).toBe("");
});
