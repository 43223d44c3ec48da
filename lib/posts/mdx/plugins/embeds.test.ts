import { expect, test } from "vitest";
import { compileText, htmlFrom, problemOf } from "#tests/support/compile-text.ts";
import { playerPageUrl } from "./embeds.ts";

test("a paragraph that is only a URL is an embed, and is reported once", async () => {
  const post = await compileText(
    "https://x.example/a\n\nText\n\nhttps://x.example/a\n\nhttps://twitter.com/a/status/1_2\n",
  );
  expect(post.embeds).toEqual(["https://x.example/a", "https://twitter.com/a/status/1_2"]);
  expect(post.components).toEqual(["Embed"]);
});

test("the text before and after an embed is one node each", async () => {
  expect(await htmlFrom("Before\n\nhttps://x.example/a\n\nAfter\n")).toBe(
    '<p>Before</p><Embed url="https://x.example/a"></Embed><p>After</p>',
  );
});

test.each([
  "See https://x.example/a",
  "- https://x.example/a",
  "[words](https://x.example/a)",
  "https://x.example/a https://x.example/b",
  "mail@x.example",
  "| https://x.example/a |\n| - |",
])("%j is not an embed", async (body) => {
  expect((await compileText(body)).embeds).toEqual([]);
});

test("<Embed url> needs an http(s) URL", async () => {
  expect((await compileText('<Embed url="https://x.example/a" />')).embeds).toEqual([
    "https://x.example/a",
  ]);
  expect(await problemOf('\n<Embed url="javascript:alert(1)" />')).toMatch(
    /^2: <Embed> needs a url/,
  );
});

test.each([
  ["https://www.youtube.com/embed/abc?start=9", "https://www.youtube.com/watch?v=abc&t=9"],
  ["//www.youtube-nocookie.com/embed/abc", "https://www.youtube.com/watch?v=abc"],
  [
    "https://www.youtube.com/embed/videoseries?list=PL1",
    "https://www.youtube.com/playlist?list=PL1",
  ],
  ["https://codesandbox.io/embed/new-x1?a=b", "https://codesandbox.io/s/new-x1"],
  ["https://codepen.io/team/embed/abC", "https://codepen.io/team/pen/abC"],
  ["https://player.vimeo.com/video/1", "https://vimeo.com/1"],
  ["https://player.vimeo.com/video/1?h=0a1b&dnt=1", "https://vimeo.com/1/0a1b"],
  [
    "https://codesandbox.io/embed/github/ada/site/tree/main/demo?a=b",
    "https://codesandbox.io/s/github/ada/site/tree/main/demo",
  ],
  ["https://codepen.io/team/ada/embed/abc", "https://codepen.io/team/ada/pen/abc"],
  ["https://youtube.com.evil.example/embed/abc", null],
  ["javascript:alert(1)", null],
])("the player %s has the page %s", (src, page) => {
  expect(playerPageUrl(src)).toBe(page);
});

test("a known iframe becomes an embed", async () => {
  expect(
    await htmlFrom(
      '<iframe width="1" src="https://www.youtube.com/embed/abc" allowFullScreen></iframe>',
    ),
  ).toBe('<Embed url="https://www.youtube.com/watch?v=abc"></Embed>');
});

test("any other iframe is rejected at its line", async () => {
  expect(await problemOf('\n\n<iframe src="https://evil.example/" />')).toMatch(
    /^3: an iframe of "https:\/\/evil\.example\/" is not supported/,
  );
});
