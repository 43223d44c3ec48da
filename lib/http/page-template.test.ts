import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { fillTemplate, markPart, parseTemplate } from "./page-template.ts";

const PAGE = `<p>${markPart("account", "Log in")}</p>\n<h1>Ünïcödé 数据</h1>${markPart("next", "")}<i></i>`;

test("the shared page has no trace of the marks", () => {
  const { page, parts } = parseTemplate(PAGE);
  expect(String(page)).toBe("<p>Log in</p>\n<h1>Ünïcödé 数据</h1><i></i>");
  expect(parts).toEqual(["account", "next"]);
});

test("a reader's parts replace those of the page, plain and compressed", () => {
  const template = parseTemplate(PAGE);
  const parts = { account: "Ägypten", next: "<b>$1 $& \0</b>".repeat(5_000) };
  const plain = fillTemplate(template, parts, "identity");
  expect(String(plain)).toBe(
    `<p>Ägypten</p>\n<h1>Ünïcödé 数据</h1>${"<b>$1 $& \0</b>".repeat(5_000)}<i></i>`,
  );
  expect(gunzipSync(fillTemplate(template, parts, "gzip"))).toEqual(plain);
});

test("a template keeps no more memory than its bytes", () => {
  for (const { bytes, deflated } of parseTemplate(PAGE).segments)
    expect([bytes.buffer.byteLength, deflated.buffer.byteLength]).toEqual([
      bytes.length,
      deflated.length,
    ]);
});

test("a page without parts is the same for everyone", () => {
  const template = parseTemplate("<p>x</p>");
  expect(String(gunzipSync(fillTemplate(template, {}, "gzip")))).toBe("<p>x</p>");
});

test("a page with a mark elsewhere is refused, and so is a page without one of its parts", () => {
  const [open = "", close = ""] = markPart("a", "|").split("|");
  for (const html of [open, close, close + open, `${open}x`, markPart("a", markPart("b", "x"))])
    expect(() => parseTemplate(html), html).toThrow("not around a part");
  expect(() => fillTemplate(parseTemplate(PAGE), { account: "x" }, "gzip")).toThrow("next");
});

test("a text that looks like a mark stays text", () => {
  const guess = `<!--${"0".repeat(36)} account-->x<!--${"0".repeat(36)}-->`;
  expect(parseTemplate(guess)).toMatchObject({ parts: [], page: Buffer.from(guess) });
});
