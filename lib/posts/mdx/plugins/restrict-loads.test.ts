// Tries to load a file of another host from a strict post.

import { expect, test } from "vitest";
import { compileText, htmlFrom, htmlOf } from "#tests/support/compile-text.ts";

const STRICT = { trust: "strict" } as const;

test.each([
  `<audio src="https://tracker.example/a.mp3" controls></audio>`,
  `<video src="//tracker.example/a.mp4" controls></video>`,
  `<video poster="https://tracker.example/a.png" src="/a.mp4"></video>`,
  `<video><source src="https://tracker.example/a.mp4" /><track src="//tracker.example/a.vtt" /></video>`,
  `<audio src="\\\\tracker.example/a.mp3"></audio>`,
  `<audio src="/\\tracker.example/a.mp3"></audio>`,
  `<audio src="https:tracker.example/a.mp3"></audio>`,
  `<audio src="http:/tracker.example/a.mp3"></audio>`,
  `<audio src="HTTPS://user@tracker.example:8443/a.mp3"></audio>`,
  `<audio src=" https://tracker.example/a.mp3"></audio>`,
  `<img src="/a.png" srcset="https://tracker.example/a.png 2x" alt="a" />`,
  `<img src="/a.png" srcset="/a.png 1x,//tracker.example/a.png 2x" alt="a" />`,
  `<picture><source srcset="https://tracker.example/a.png" /><img src="/a.png" alt="a" /></picture>`,
  `<table background="https://tracker.example/a.png"><tbody><tr><td>x</td></tr></tbody></table>`,
  `<svg width="9"><use href="https://tracker.example/a.svg#x" /></svg>`,
  `<svg width="9"><use xlinkHref="//tracker.example/a.svg#x" /></svg>`,
  `<svg width="9"><rect fill="url(https://tracker.example/a.svg#x)" /></svg>`,
  `<svg width="9"><rect mask="URL( '//tracker.example/a.svg#x' )" /></svg>`,
  `<svg width="9"><rect cursor="url(//tracker.example/a.cur),auto" /></svg>`,
])("in a strict post, %s loads nothing from another host", async (body) => {
  for (const file of ["blog/test.mdx", "blog/test.md"]) {
    const post = await compileText(body, { ...STRICT, file });
    expect(htmlOf(post)).not.toContain("tracker.example");
    expect(post.warnings.join()).toContain("images.hosts");
  }
});

test("in a strict post, files of the site and of allowed hosts are kept, and so are links", async () => {
  for (const body of [
    `<audio src="/a.mp3" controls></audio>`,
    `<video src="https://media.example/a.mp4" poster="/a.png"></video>`,
    `<svg width="9"><rect fill="url(#paint)" /><use href="#x" /></svg>`,
    `<a href="https://tracker.example/a.mp3">a</a>`,
  ]) {
    const options = { imageHosts: ["*.example"] };
    const html = await htmlFrom(body, { ...STRICT, imageHosts: ["media.example"] });
    expect(html).toBe(await htmlFrom(body, options));
  }
});

test("a trusted post loads from any host", async () => {
  const body = `<audio src="https://media.example/a.mp3" controls></audio>`;
  expect(await htmlFrom(body)).toContain("https://media.example/a.mp3");
});
