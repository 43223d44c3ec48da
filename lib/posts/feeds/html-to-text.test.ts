import { expect, test } from "vitest";
import { htmlToText } from "./html-to-text.ts";

test("a post's HTML reads as Markdown", () => {
  const html = `<h2><a href="#one">One</a></h2><p>A <em>short</em>
    text with <a href="https://example.com/a">a link</a>, <code>code</code><br>and a break.</p>
    <ul><li>first</li><li><p>second</p><ol start="3"><li>inner</li></ol></li></ul>
    <pre><code>let a = 1;
  let b;
</code></pre><blockquote><p>Said.</p><p>Twice.</p></blockquote>
    <figure><img src="/a.png" alt="A lectern"><figcaption>Oak.</figcaption></figure><hr>
    <table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>`;
  expect(htmlToText(html)).toBe(
    [
      "## One",
      "A short text with a link (https://example.com/a), `code`\nand a break.",
      "- first\n- second\n  3. inner",
      "    let a = 1;\n      let b;",
      "> Said.\n> \n> Twice.",
      "[A lectern]",
      "Oak.",
      "* * *",
      "a | b\n1 | 2",
    ].join("\n\n"),
  );
});

test("a link that is its own address, a footnote and an empty text add nothing", () => {
  expect(
    htmlToText(
      '<p><a href="https://example.com/">https://example.com/</a><sup><a href="#fn-1">1</a></sup></p><p> </p><div></div>',
    ),
  ).toBe("https://example.com/1");
  expect(htmlToText("")).toBe("");
});

test("a line after a hard break starts without a space, and a cell is one line", () => {
  expect(htmlToText("<p>one<br>\ntwo</p>")).toBe("one\ntwo");
  expect(htmlToText("<table><tr><td>a<br>b</td><td>c</td></tr></table>")).toBe("a b | c");
});

test("a video becomes its URL, and a formula its TeX", () => {
  expect(htmlToText('<video controls src="https://v.example/a.mp4"></video>')).toBe(
    "https://v.example/a.mp4",
  );
  expect(
    htmlToText(
      '<audio><source src="https://v.example/a.mp3"><source src="https://v.example/a.ogg"></audio>',
    ),
  ).toBe("https://v.example/a.mp3 https://v.example/a.ogg");
  expect(
    htmlToText(
      "<p>So <math><semantics><mrow><mi>x</mi></mrow><annotation>x^2</annotation></semantics></math>.</p>",
    ),
  ).toBe("So x^2.");
});
