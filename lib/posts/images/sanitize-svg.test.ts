import { expect, test } from "vitest";
import { measureCpu } from "#tests/support/measure-cpu.ts";
import { sanitizeSvg } from "./sanitize-svg.ts";

const sanitize = (svg: string | Uint8Array) =>
  Buffer.from(sanitizeSvg(typeof svg === "string" ? Buffer.from(svg) : svg)).toString();
const inSvg = (content: string) => `<svg xmlns="http://www.w3.org/2000/svg">${content}</svg>`;

test.each([
  ['<script>alert(1)</script><path d="M0 0"/>', '<path d="M0 0"></path>'],
  ["<svg:script>alert(1)</svg:script>", ""],
  ["<SCRIPT><g>x</g></SCRIPT><g>y</g>", "<g>y</g>"],
  ['<g onload="alert(1)" id="a"/>', '<g id="a"></g>'],
  ['<a href=" java&#115;cript:alert(1)">x</a>', "<a>x</a>"],
  ['<a href="java&#9;script&#10;:alert(1)">x</a>', "<a>x</a>"],
  [
    '<a xlink:href="https://a.example/?a=1&amp;b=2">x</a>',
    '<a xlink:href="https://a.example/?a=1&amp;b=2">x</a>',
  ],
  ['<animate values="#a;javascript:alert(1)"/>', "<animate></animate>"],
  [
    '<use href="data:image/svg+xml,%3Csvg/%3E"/>',
    '<use href="data:image/svg+xml,%3Csvg/%3E"></use>',
  ],
  ['<a href="data:text/html,x">x</a>', "<a>x</a>"],
  ["<style><![CDATA[a > b {}]]></style>", "<style>a &gt; b {}</style>"],
  ["<!-- <script>a</script> -->text &amp; more", "text &amp; more"],
  [
    "<foreignObject><iframe src='x'/><p onclick='x'>p</p></foreignObject>",
    "<foreignObject><p>p</p></foreignObject>",
  ],
])("%s becomes %s", (content, expected) => {
  expect(sanitize(inSvg(content))).toBe(inSvg(expected));
});

test("entities of a drawing program are expanded, and those with markup dropped", () => {
  const doctype =
    '<!DOCTYPE svg PUBLIC "a" "b" [<!ENTITY ns "http://www.w3.org/2000/svg"><!ENTITY x "<script>1</script>">]>';
  expect(sanitize(`<?xml version="1.0"?>${doctype}<svg xmlns="&ns;">&x;</svg>`)).toBe(
    '<svg xmlns="http://www.w3.org/2000/svg">&amp;x;</svg>',
  );
});

test("an SVG in another encoding becomes UTF-8", () => {
  const latin1 = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${inSvg("é")}`, "latin1");
  expect(sanitize(latin1)).toBe(inSvg("é"));
  expect(sanitize(Buffer.from(`\ufeff${inSvg("é")}`, "utf16le"))).toBe(inSvg("é"));
});

test("entities add at most a million characters", () => {
  const doctype = `<!DOCTYPE svg [<!ENTITY a "${"x".repeat(100_000)}">]>`;
  const svg = sanitize(doctype + inSvg("&a;".repeat(100)));
  expect(svg.length).toBeGreaterThan(1_000_000);
  expect(svg.length).toBeLessThan(1_010_000);
});

test.each([
  ["declarations without an end", "<!DOCTYPE["],
  ["nested elements", "<g>"],
])("%s take linear time", (_, part) => {
  const [small, large] = [25_000, 200_000].map((n) => {
    const svg = inSvg(part.repeat(n));
    return measureCpu(() => expect(sanitize(svg)).toContain("<svg"));
  });
  // Quadratic time would be 64 times as long.
  expect(large! / small!).toBeLessThan(30);
});
