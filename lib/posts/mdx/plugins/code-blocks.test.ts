import { readFileSync } from "node:fs";
import { bundledThemes } from "shiki";
import { expect, test } from "vitest";
import { compileText, htmlFrom, htmlOf } from "#tests/support/compile-text.ts";

const fence = (info: string, code: string) => `\`\`\`${info}\n${code}\n\`\`\`\n`;

test("code is highlighted with classes, so that the same HTML serves both themes", async () => {
  const html = await htmlFrom(fence("js", 'const a = "b"; // c'));
  expect(html).toContain('<figure class="code" data-language="js">');
  expect(html).toContain('<span class="tk-k">const </span>');
  expect(html).toContain('<span class="tk-s">&quot;b&quot;</span>');
  expect(html).toContain('<span class="tk-c">// c</span>');
  expect(html).not.toContain("color:");
});

test("lines are marked, added and removed", async () => {
  const html = await htmlFrom(fence("text lines=1 add=2 remove=3", "a\nb\nc\nd"));
  expect(html).toContain(
    '<span class="line highlighted">a</span>\n<span class="line added">b</span>\n<span class="line removed">c</span>\n<span class="line">d</span></code>',
  );
});

test("lines are numbered from start=, but not with nonumber or if there is only one", async () => {
  expect(await htmlFrom(fence("text", "a\nb"))).toContain(
    '<pre class="code-pre numbered" tabindex="0"><code class="language-text">',
  );
  expect(await htmlFrom(fence("text start=40", "a\nb"))).toContain(
    '<code class="language-text" style="counter-reset:line 39">',
  );
  expect(await htmlFrom(fence("text nonumber", "a\nb"))).not.toContain("numbered");
  expect(await htmlFrom(fence("text", "a"))).not.toContain("numbered");
});

test("a file name is the caption", async () => {
  expect(await htmlFrom(fence("ts filename=app/page.tsx", "a"))).toContain(
    '<figcaption class="code-title">app/page.tsx</figcaption>',
  );
});

test("every block has a copy button and can be scrolled with the keyboard", async () => {
  const html = await htmlFrom(fence("", "a"));
  expect(html).toContain(
    '<button type="button" data-copy="code" aria-label="Copy code">Copy</button>',
  );
  expect(html).toContain('tabindex="0"');
});

test("an unknown language is plain, with a warning at its line", async () => {
  const post = await compileText(`Text\n\n${fence("zorg", "<a>")}`);
  expect(post.compiledSource).toContain("&lt;a&gt;");
  expect(post.warnings).toEqual([
    'blog/test.mdx:3: the language "zorg" is unknown; the code is shown without colors',
  ]);
});

test("no language at all is plain, without a warning", async () => {
  expect((await compileText(fence("", "a"))).warnings).toEqual([]);
});

test("diff-js turns its first column into marks", async () => {
  expect(await htmlFrom(fence("diff-js", "+a\n-b\n c"))).toMatch(
    /<span class="line added">.*a.*<\/span>\n<span class="line removed">.*b.*<\/span>\n<span class="line">.*c/,
  );
});

test("mermaid is drawn as SVG, with a description and without its source", async () => {
  const html = await htmlFrom(fence("mermaid", "graph LR\n A[Reader] -->|beacon| B(Replica)"));
  expect(html).toMatch(/<figure class="diagram" tabindex="0"><svg viewBox="[\d .]+" width="\d+"/);
  expect(html).toContain('aria-label="Reader to Replica (beacon)"');
  expect(html).toContain('marker-end="url(#diagram-1-arrowhead)"');
  expect(html).not.toMatch(/graph LR|<style|@import|data-|class="node"/);
});

test("two diagrams of a post have different ids", async () => {
  const diagram = fence("mermaid", "graph LR\n A --> B");
  const ids = [...(await htmlFrom(`${diagram}\n\n${diagram}`)).matchAll(/ id="([^"]+)"/g)];
  expect(ids.length).toBeGreaterThan(2);
  expect(new Set(ids.map(([, id]) => id)).size).toBe(ids.length);
});

test("a diagram is not part of the text that search indexes", async () => {
  const { text } = await compileText(`Before.\n\n${fence("mermaid", "graph LR\n Xyzzy --> B")}`);
  expect(text).toContain("Before.");
  expect(text).not.toContain("Xyzzy");
});

test("an invalid diagram is shown as code, with a warning", async () => {
  const post = await compileText(fence("mermaid", "this is no diagram"));
  expect(htmlOf(post)).toContain("this is no diagram");
  expect(post.warnings.join()).toMatch(/Mermaid diagram could not be drawn/);
});

test("a diagram can't run or load anything, whatever its author writes", async () => {
  for (const source of [
    `graph LR\n A["<img src=x onerror=alert(1)>"] --> B["</text></svg><script>alert(1)</script>"]`,
    `graph LR\n A --> B\n style A fill:url(https://evil.test/x),stroke:red;x:expression(1)`,
    `graph LR\n A --> B\n click A "javascript:alert(1)"`,
    `graph LR\n A" onload="alert(1) --> B`,
  ]) {
    const html = await htmlFrom(fence("mermaid", source));
    expect(html).not.toMatch(/<(script|img|a|foreignObject|style)\b/i);
    // Attributes whose values are text can say anything.
    for (const [tag] of html.replace(/ aria-label="[^"]*"/g, "").matchAll(/<[a-z][^>]*>/gi))
      expect(tag).not.toMatch(/ on\w+=|javascript:|evil\.test/i);
  }
});

test("code, file name and language are escaped", async () => {
  const html = await htmlFrom(
    fence(
      '"><img/src=x filename="<script>alert(1)</script>"',
      "</code></pre><script>alert(2)</script>",
    ),
  );
  expect(html).not.toMatch(/<script|<img/);
});

test("code is part of the text, line by line", async () => {
  expect((await compileText(fence("js", "const a = 1\nlet b"))).text).toBe("const a = 1\nlet b");
});

test("a language is not looked up on the prototype", async () => {
  expect((await compileText(fence("constructor", "a"))).warnings[0]).toContain(
    '"constructor" is unknown',
  );
});

// WCAG 2, relative luminance and contrast.
const channel = (value: number) =>
  value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = (hex: string) =>
  [1, 3, 5]
    .map((offset) => channel(Number.parseInt(hex.slice(offset, offset + 2), 16) / 255))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index]!, 0);
const contrast = (a: string, b: string) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
};
/** Mixes color a over color b. Close to color-mix() for hues of equal lightness. */
const mix = (a: string, b: string, part: number) =>
  `#${[1, 3, 5]
    .map((offset) =>
      Math.round(
        Number.parseInt(a.slice(offset, offset + 2), 16) * part +
          Number.parseInt(b.slice(offset, offset + 2), 16) * (1 - part),
      )
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;

test("every syntax color has enough contrast on code and on marked lines, in both themes", () => {
  const css = readFileSync("components/post/code.css", "utf8");
  const tokens = readFileSync("components/ui/tokens.css", "utf8");
  const pair = (source: string, name: string) =>
    new RegExp(`${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(source)!.slice(1, 3);
  const background = pair(tokens, "--paper-2");
  const marks = ["--blue", "--green", "--red"].map((name) => pair(tokens, name));
  const colors = [...css.matchAll(/--tk-\w+: light-dark\((#\w{6}), (#\w{6})\)/g)].map((match) =>
    match.slice(1, 3),
  );
  expect(colors).toHaveLength(8);
  for (const theme of [0, 1]) {
    const backgrounds = [
      background[theme]!,
      ...marks.map((mark) => mix(mark[theme]!, background[theme]!, 0.1)),
    ];
    for (const color of colors)
      for (const other of backgrounds)
        expect(
          contrast(color[theme]!, other),
          `${color[theme]} on ${other}`,
        ).toBeGreaterThanOrEqual(4.5);
  }
});

test("added, removed and highlighted lines differ by more than colors and shadows", () => {
  const css = readFileSync("components/post/code.css", "utf8");
  const styleOf = (selector: string) => css.split(`.code-pre ${selector} {`)[1]?.split("}")[0];
  expect(styleOf(".highlighted")).toContain("border-inline-start: 3px solid");
  expect(styleOf(".added::after")).toContain('content: "+"');
  expect(styleOf(".removed::after")).toContain('content: "−"');
});

test("the light and dark themes have the same rules, so that one pass serves both", async () => {
  const [light, dark] = await Promise.all([
    bundledThemes["github-light-default"](),
    bundledThemes["github-dark-default"](),
  ]);
  const scopes = (theme: typeof light) => theme.default.tokenColors!.map((rule) => rule.scope);
  expect(scopes(light)).toEqual(scopes(dark));
});

test("every color of the theme has a class", async () => {
  const { default: theme } = await bundledThemes["github-light-default"]();
  const source = readFileSync("lib/posts/mdx/plugins/highlighter.ts", "utf8");
  const fg = theme.colors!["editor.foreground"]!.toUpperCase();
  for (const { settings } of theme.tokenColors!) {
    if (settings.foreground && settings.foreground.toUpperCase() !== fg)
      expect(source).toContain(`"${settings.foreground.toUpperCase()}"`);
  }
});

test("a pre element with more than one code element keeps all of its content", async () => {
  expect(await htmlFrom("<pre><code>one</code>\n<code>two</code> end</pre>\n")).toBe(
    '<pre tabindex="0"><code>one</code>\n<code>two</code> end</pre>',
  );
});

test("spaces next to special characters of a diagram are kept, even in its description", async () => {
  const source = "sequenceDiagram\n A->>B: Q & <b>A</b>";
  const html = await htmlFrom(fence("mermaid", source));
  expect(html).toContain('>Q &amp; <tspan font-weight="bold">A</tspan></text>');
  expect(html).toContain('aria-label="Q &amp; A, A, B"');
});

test.each([
  ["graph TD;A-->B;B---->C;", "A to B, B to C"],
  ["flowchart LR\n %% A-->Z\n my-a-->|x|b & c==>D", "my-a to b (x), my-a to c (x), b to D, c to D"],
  ["graph LR\n A--yes-->B\n B -. no .->A", "A to B (yes), B to A (no)"],
  ['graph LR\n A["a --> b; c"]-->B((x))<-.->C[(d--e)]', "a --> b; c to x, x to d--e"],
])("the links of %j need no spaces", async (source, description) => {
  const html = await htmlFrom(fence("mermaid", source));
  expect(html).toContain(`aria-label="${description.replaceAll(">", "&gt;")}"`);
});

test.each([
  ["graph LR\n A --> B\n B --o C", 'the links in "B --o C" are not supported'],
  ["classDiagram\n A<|--B", "the drawing is empty"],
])(
  "a diagram that would lack a part is shown as code, with a warning: %j",
  async (source, reason) => {
    expect((await compileText(fence("mermaid", source))).warnings.join()).toContain(reason);
  },
);
