import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, expect, test } from "vitest";
import { resetSingleton } from "#lib/core/singleton.ts";
import { registerPostCode } from "./post-code-registry.ts";
import { MdxContent } from "./mdx-content.tsx";
import { PostIsland } from "./post-island.tsx";

const failures: string[] = [];
const report = (name: string, error: unknown) =>
  void failures.push(`${name}: ${(error as Error).message}`);
let posts = 0;

/** Registers a post whose module has `islands`, and returns its hash. */
function registerModule(islands: string, before = ""): string {
  const hash = String(++posts).padStart(32, "0");
  registerPostCode(hash, {
    report,
    browser: `export default function (require) {
      const { useState, useId, createElement: h } = require("react");
      ${before}
      return { islands: [${islands}] };
    }`,
  });
  return hash;
}

afterEach(() => {
  failures.length = 0;
  resetSingleton("post-code");
});

const bodyOf = (html: string) =>
  html
    .replace(/^<link[^>]*>/, "")
    .replace(/^<(div|span) id="[^"]*" class="post-island"[^>]*>|<\/(div|span)>$/g, "");

test("an island has its HTML on the server, with state and the post's text in it", () => {
  const code = registerModule(
    '({children}) => { const [n] = useState(2); return h("button", null, n, children); }',
  );
  const html = renderToStaticMarkup(
    <PostIsland code={code} n={0} name="Demo">
      <b>bold</b>
    </PostIsland>,
  );
  expect(html).toContain(`href="/post-code/${code}.js"`);
  expect(bodyOf(html)).toBe(
    "<!--&--><button>2<b>bold</b></button><!--/&-->".replace(/<!--.*?-->/g, ""),
  );
  expect(failures).toEqual([]);
});

test.each([
  ["throws", '() => { throw new Error("no"); }', "Demo: no"],
  ["uses window", "() => window.innerWidth", "Demo: window is not defined"],
  ["returns an object", "() => ({})", "Demo: it returns an object, which React cannot show"],
  ["is missing", "", /^Demo: /],
  [
    "imports what the page lacks",
    '() => require("react-dom/client")',
    /^Demo: "react-dom\/client"/,
  ],
])("an island that %s is a box with its name and a report", (_, island, failure) => {
  const html = renderToStaticMarkup(
    <PostIsland code={registerModule(island)} n={0} name="Demo" inline />,
  );
  expect(bodyOf(html)).toBe(
    '<span class="component-failure" role="note"><code>Demo</code> could not be shown.</span>',
  );
  expect(failures).toEqual([
    typeof failure === "string" ? failure : expect.stringMatching(failure),
  ]);
});

test("a module that throws when it loads fails only its own islands", () => {
  const code = registerModule("() => 1", "document.title;");
  const html = renderToStaticMarkup(
    <>
      <p>text</p>
      <PostIsland code={code} n={0} name="Chart" />
    </>,
  );
  expect(html).toMatch(/<p>text<\/p>.*<code>Chart<\/code> could not be shown/);
  expect(failures).toEqual(["Chart: document is not defined"]);
});

test("a post with a stylesheet links it, and a failing server component is a box", () => {
  const code = { hash: "a".repeat(32), browser: "", css: ".a{}" };
  const compiledSource = `
    const { jsx, jsxs, Fragment } = arguments[0];
    const { useId } = arguments[0].require("react");
    function Broken() { throw new Error("no"); }
    return { default: (props) => jsxs(Fragment, { children: [jsx("p", { children: "text" }), jsx(Broken, {})] }) };`;
  const html = renderToStaticMarkup(
    <MdxContent post={{ slug: "x", compiled: { compiledSource, code } }} />,
  );
  expect(html).toContain(`href="/post-code/${code.hash}.css"`);
  expect(html).toContain("<p>text</p>");
  expect(html).toContain("<code>Broken</code> could not be shown.");
});

test("a post whose own code throws when it loads is a box", () => {
  const compiledSource = 'throw new Error("no")';
  expect(
    renderToStaticMarkup(
      <MdxContent post={{ slug: "x", compiled: { compiledSource, code: null } }} />,
    ),
  ).toContain("could not be shown");
});
