import { fromHtml } from "hast-util-from-html";
import { expect, test } from "vitest";
import { renderFeedHtml, toPortableHtml } from "./feed-html.ts";
import { postToHast } from "./post-to-hast.ts";
import { samplePost } from "#tests/support/sample-posts.ts";

const BASE = "https://lectern.example/blog/a-post";
const portable = (html: string) =>
  toPortableHtml(fromHtml(html, { fragment: true }).children, BASE);
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
  expect(toPortableHtml(nodes, BASE)).toBe(
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
