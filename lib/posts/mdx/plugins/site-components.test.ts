import { expect, test } from "vitest";
import { compileText, htmlFrom, problemOf } from "#tests/support/compile-text.ts";

test("a callout has its kind, also by its names elsewhere, and a title", async () => {
  expect(await htmlFrom('<Callout type="tip" title="Try it">\nSome *text*.\n</Callout>')).toBe(
    '<aside class="callout callout-success" role="note" aria-label="Success"><p class="callout-title">Try it</p><p>Some <em>text</em>.</p></aside>',
  );
  expect(await htmlFrom("A <Callout>word</Callout>.")).toBe(
    '<p>A <span class="callout callout-info" role="note" aria-label="Information">word</span>.</p>',
  );
});

test("tabs are sections with titles, and a list of their labels", async () => {
  const html = await htmlFrom(
    '<Tabs>\n  <Tab label="npm">\n```sh\nnpm i\n```\n  </Tab>\n  <Tab title={1}>two</Tab>\n</Tabs>',
  );
  expect(html).toMatch(
    /^<div className="tabs"><TabList labels=\["npm","1"\]><\/TabList><section class="tab-panel"><p class="tab-title">npm<\/p>.*<\/figure><\/section><section class="tab-panel"><p class="tab-title">1<\/p>(<p>)?two/s,
  );
});

test("videos, tweets and sandboxes are embeds, whose previews the site loads", async () => {
  const { embeds } = await compileText(
    '<YouTube id="dQw4w9WgXcQ" />\n\n<Tweet id="20" />\n\n<CodeSandbox id="react-new" />',
  );
  expect(embeds).toEqual([
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    "https://twitter.com/i/status/20",
    "https://codesandbox.io/s/react-new",
  ]);
});

test("a themed image has one image for each theme, with the same text", async () => {
  const html = await htmlFrom(
    '<ThemedImage light="https://x.example/a.png" dark="https://x.example/b.png" alt="A chart" />',
    { imageHosts: ["x.example"] },
  );
  expect(html).toMatch(
    /^<span class="themed-image"><span class="themed-light"><img[^>]*src="https:\/\/x.example\/a.png"[^>]*><\/span><span class="themed-dark"><img[^>]*src="https:\/\/x.example\/b.png"[^>]*><\/span><\/span>$/,
  );
  expect(html.match(/alt="A chart"/g)).toHaveLength(2);
});

test("steps and file trees keep the Markdown in them", async () => {
  expect(await htmlFrom("<Steps>\n1. one\n2. two\n</Steps>")).toBe(
    '<div class="steps"><ol>\n<li>one</li>\n<li>two</li>\n</ol></div>',
  );
  expect(await htmlFrom("<FileTree>\n- src\n  - a.ts\n</FileTree>")).toMatch(
    /^<div class="file-tree"><ul>\n<li>src\n<ul>/,
  );
});

test.each([
  ['<Callout kind="loud">x</Callout>', /^1: "loud" is not a kind of <Callout>; use one of info,/],
  ["<Tabs>\n\ntext\n\n</Tabs>", "3: <Tabs> may contain only <Tab>"],
  ["<Tabs><Tab>x</Tab></Tabs>", '1: <Tab> needs a label, as in <Tab label="npm">'],
  ['<Tab label="a">x</Tab>', "1: <Tab> must be directly inside <Tabs>"],
  [
    '<YouTube id="<script>" />',
    "1: <YouTube> needs an id; it is part of the URL of what you want to show",
  ],
  ['<ThemedImage light="./a.png" />', /^1: <ThemedImage> needs two images/],
])("%s is refused", async (body, problem) => {
  expect(await problemOf(body)).toEqual(
    typeof problem === "string" ? problem : expect.stringMatching(problem),
  );
});

test("a component of the post or of the owner has its own meaning", async () => {
  expect(await htmlFrom("<Callout>x</Callout>", { components: ["Callout"] })).toBe(
    "<Callout>x</Callout>",
  );
});
