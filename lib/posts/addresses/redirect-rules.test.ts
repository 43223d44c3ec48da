import { expect, test } from "vitest";
import { applyRule, parseRedirects } from "./redirect-rules.ts";

/** Returns where the rules lead from a path, with the status. */
function follow(text: string, path: string, search = ""): string | null {
  for (const rule of parseRedirects(text, "_redirects").rules) {
    const target = applyRule(rule, path, search);
    if (target !== null) return `${rule.status} ${target}`;
  }
  return null;
}

test("a rule has a path, a target and a status, which is 301 without one", () => {
  const text = [
    "# old posts",
    "",
    "/a /b",
    "/c   /d\t302 # moved for a week",
    "/e /f#part 308",
    "/g https://other.example/h 307!",
    "/gone 410",
    "/hidden /404.html 404",
  ].join("\r\n");
  expect(parseRedirects(text, "_redirects").warnings).toEqual([]);
  expect(
    ["/a", "/c", "/e", "/g", "/gone", "/hidden", "/b"].map((path) => follow(text, path)),
  ).toEqual([
    "301 /b",
    "302 /d",
    "308 /f#part",
    "307 https://other.example/h",
    "410 ",
    "404 ",
    null,
  ]);
});

test("placeholders and a splat are filled in", () => {
  const text = "/docs/* /guide/:splat 302\n/:year/:month/:slug /blog/:slug\n/p id=:id /posts/:id";
  expect(follow(text, "/2019/05/hello")).toBe("301 /blog/hello");
  expect(follow(text, "/2019/05")).toBe(null);
  expect(follow(text, "/docs/a/b")).toBe("302 /guide/a/b");
  expect(follow(text, "/docs")).toBe("302 /guide/");
  expect(follow(text, "/docsearch")).toBe(null);
  expect(follow(text, "/p", "?id=7&utm=1")).toBe("301 /posts/7?utm=1");
  expect(follow(text, "/p", "?utm=1")).toBe(null);
});

test("the query is kept, before the part and after the target's own", () => {
  expect(follow("/a /b", "/a", "?x=1&y=%20")).toBe("301 /b?x=1&y=%20");
  expect(follow("/a /b?z=2#part", "/a", "?x=1")).toBe("301 /b?z=2&x=1#part");
});

test("letters of any script match in either normalization form and are encoded once", () => {
  expect(follow("/cafe\u0301/* /blog/:splat", "/caf\u00e9/数")).toBe("301 /blog/%E6%95%B0");
  expect(follow("/caf%C3%A9 /blog/数", "/café")).toBe("301 /blog/%E6%95%B0");
});

test("a path never leads to another host", () => {
  const text = "/go/* /:splat\n/to/:name https://other.example/:name";
  for (const path of ["/go//evil.example", "/go/\\evil.example", "/go/\t/evil.example"])
    expect(follow(text, path)).toMatch(/^301 \/(?![/\\])/);
  expect(follow(text, "/to/@evil.example")).toBe("301 https://other.example/%40evil.example");
  expect(follow(text, "/go/a?b#c\r\nx: y")).toBe("301 /a%3Fb%23c%0D%0Ax%3A%20y");
});

test("a bad line is reported with its number and skipped", () => {
  const lines = [
    "/ok /fine",
    "no-slash /b",
    "/a",
    "/a /b 418",
    "/* /index.html 200",
    "/a /b 301 Country=de",
    "https://old.example/* /:splat",
    "/a/*/b /c",
    "/a/:x /c/:y",
    "/:x/:x /c",
    "/:splat/* /c",
    "/a //evil.example",
    "/a https://:splat/",
    "/a/* https://other.example:splat",
    "/a javascript:alert(1)",
    "/%ff /b",
    `/${"a".repeat(2_000)} /b`,
  ];
  const { rules, warnings } = parseRedirects(lines.join("\n"), "_redirects");
  expect(rules.map(({ from }) => from)).toEqual(["/ok"]);
  expect(warnings.map((warning) => warning.split(": ")[0])).toEqual(
    lines.slice(1).map((_, index) => `_redirects:${index + 2}`),
  );
  expect(warnings[1]).toBe("_redirects:3: the target is missing; the line is skipped");
});
