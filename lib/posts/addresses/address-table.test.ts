import { afterEach, expect, test } from "vitest";
import { measureCpu } from "#tests/support/measure-cpu.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { AddressTable } from "./address-table.ts";
import { findAddressProblem, findPatternProblem, postUrlPath } from "./post-address.ts";
import { parseRedirects } from "./redirect-rules.ts";

afterEach(() => overrideSiteConfig());

const makePost = (slug: string, aliases: string[] = []) => ({
  slug,
  path: `blog/${slug}.mdx`,
  frontMatter: { date: "2024-05-09", aliases },
});

function makeTable(posts: ReturnType<typeof makePost>[], redirects = "", files: string[] = []) {
  return new AddressTable({
    posts,
    rules: parseRedirects(redirects, "_redirects").rules,
    isPublicFile: (path) => files.includes(path),
  });
}

const redirectTo = (location: string, status = 301) => ({ kind: "redirect", status, location });
const route = (url: string) => ({ kind: "route", url });

test("an address of a post goes to the router as it is, encoded once", () => {
  const table = makeTable(
    ["café", "数据库", "v1.0", "readme.md", "CamelCase"].map((slug) => makePost(slug)),
  );
  for (const path of [
    "/blog/caf%C3%A9",
    "/blog/%E6%95%B0%E6%8D%AE%E5%BA%93",
    "/blog/v1.0",
    "/blog/readme.md",
    "/blog/CamelCase",
  ])
    expect([path, table.resolve(path)]).toEqual([path, null]);
  expect(postUrlPath(makePost("café"))).toBe("/blog/caf%C3%A9");
  expect(table.resolve("/blog/caf%c3%a9")).toEqual(route("/blog/caf%C3%A9"));
  expect(table.resolve("/blog/cafe%CC%81?a=1")).toEqual(redirectTo("/blog/caf%C3%A9?a=1"));
});

test("the Markdown of a post has its address with .md, also after a dot", () => {
  const table = makeTable([makePost("v1.0"), makePost("readme.md")]);
  expect(table.resolve("/blog/v1.0.md")).toEqual(route("/blog/v1.0/markdown"));
  expect(table.resolve("/blog/readme.md.md")).toEqual(route("/blog/readme.md/markdown"));
  expect(table.resolve("/blog/nothing.md?a")).toEqual(route("/blog/nothing/markdown?a"));
});

test("a post in a folder has the folder in its address, and is one segment for the router", () => {
  const table = makeTable([makePost("2026/café"), makePost("a")]);
  expect(postUrlPath(makePost("2026/café"))).toBe("/blog/2026/caf%C3%A9");
  expect(table.resolve("/blog/2026/caf%C3%A9?a=1")).toEqual(route("/blog/2026%2Fcaf%C3%A9?a=1"));
  expect(table.resolve("/blog/2026/caf%C3%A9.md")).toEqual(
    route("/blog/2026%2Fcaf%C3%A9/markdown"),
  );
  expect(table.resolve("/blog/2026/caf%C3%A9/social.png?v=1")).toEqual(
    route("/blog/2026%2Fcaf%C3%A9/social.png?v=1"),
  );
  expect(table.resolve("/blog/2026")).toBeNull();
  expect(table.resolve("/blog/a/social.png")).toBeNull();
});

test("with another pattern, the pages are at its addresses and the routes redirect", () => {
  overrideSiteConfig({ content: { address: "/:year/:month/:slug" } });
  const table = makeTable([makePost("café")]);
  expect(postUrlPath(makePost("café"))).toBe("/2024/05/caf%C3%A9");
  expect(table.resolve("/2024/05/caf%C3%A9?a=1")).toEqual(route("/blog/caf%C3%A9?a=1"));
  expect(table.resolve("/2024/05/caf%C3%A9.md")).toEqual(route("/blog/caf%C3%A9/markdown"));
  expect(table.resolve("/blog/caf%C3%A9?a=1")).toEqual(redirectTo("/2024/05/caf%C3%A9?a=1"));
  expect(table.resolve("/blog/caf%C3%A9.md")).toEqual(redirectTo("/2024/05/caf%C3%A9.md"));
  expect(table.resolve("/blog/caf%C3%A9/social.png")).toBeNull();
  expect(table.resolve("/2023/05/caf%C3%A9")).toBeNull();
});

test("an address that belongs to a page of the site is refused", () => {
  overrideSiteConfig({ content: { address: "/:slug" } });
  expect(findAddressProblem(makePost("calls"))).toContain("/calls, which belongs to a page");
  expect(findAddressProblem(makePost("feed.xml"))).toContain("/feed.xml, which belongs");
  expect(findAddressProblem(makePost("hello"))).toBeNull();
  expect(findPatternProblem("/calls/:slug")).toContain("/calls/ belongs to pages of this site");
  expect(findPatternProblem("/:category/:slug")).toContain(":category is unknown");
  expect(findPatternProblem("/blog/:year/:slug")).toBeNull();
});

test("aliases redirect to the post, and aliases that are other pages' addresses are reported and ignored", () => {
  const table = makeTable([
    makePost("a", [
      "/2019/old",
      "older",
      "https://old.example/a.html",
      "/calls",
      "/blog/b",
      "/blog/a",
    ]),
    makePost("b", ["/2019/old"]),
  ]);
  for (const path of ["/2019/old", "/2019/old/", "/blog/older", "/a.html"])
    expect([path, table.resolve(`${path}?x=1`)]).toEqual([path, redirectTo("/blog/a?x=1")]);
  expect(table.resolve("/calls")).toBeNull();
  expect(table.resolve("/blog/b")).toBeNull();
  expect(table.warnings).toEqual([
    "blog/a.mdx:1: the alias /calls is a page of this site and is ignored",
    "blog/a.mdx:1: the alias /blog/b belongs to blog/b.mdx and is ignored",
    "blog/b.mdx:1: the alias /2019/old belongs to blog/a.mdx and is ignored",
  ]);
});

test("rules apply in their order, after posts, pages of the site and files", () => {
  const table = makeTable(
    [makePost("a")],
    "/x/* /first/:splat\n/x/y /second\n/y /third 302\n/blog/* /posts/:splat\n/gone 410\n/kept 404\n/* https://old.example/:splat 307",
    ["/resume.pdf"],
  );
  expect(table.resolve("/x/y")).toEqual(redirectTo("/first/y"));
  expect(table.resolve("/y")).toEqual(redirectTo("/third", 302));
  expect(table.resolve("/blog/a")).toBeNull();
  expect(table.resolve("/blog/a/social.png")).toBeNull();
  expect(table.resolve("/blog/b")).toEqual(redirectTo("/posts/b"));
  expect(table.resolve("/gone")).toEqual({ kind: "gone" });
  expect(table.resolve("/kept")).toBeNull();
  expect(table.resolve("/anything/else?q")).toEqual(
    redirectTo("https://old.example/anything/else?q", 307),
  );
  for (const path of ["/", "/calls", "/admin", "/feed.xml", "/_next/static/a.js", "/resume.pdf"])
    expect([path, table.resolve(path)]).toEqual([path, null]);
});

test("a page of content/pages takes precedence over a rule, and a post with its address is reported", () => {
  overrideSiteConfig({ content: { address: "/:slug" } });
  const { rules } = parseRedirects("/* /blog", "_redirects");
  const posts = [makePost("uses")];
  const table = new AddressTable({
    posts,
    pages: ["uses", "now"],
    rules,
    isPublicFile: () => false,
  });
  expect(table.resolve("/now")).toBeNull();
  expect(table.resolve("/later")).toEqual(redirectTo("/blog"));
  expect(table.warnings).toEqual([
    "blog/uses.mdx:1: its address /uses is also the address of a page; the post takes precedence",
  ]);
});

test("a rule with parameters also applies to a page of the site", () => {
  const table = makeTable([makePost("a")], "/ p=123 /blog/a");
  expect(table.resolve("/?p=123")).toEqual(redirectTo("/blog/a"));
  expect(table.resolve("/?p=124")).toBeNull();
  expect(table.resolve("/")).toBeNull();
});

test("rules that loop are reported and skipped, and rules that never apply are reported", () => {
  const table = makeTable(
    [makePost("a")],
    [
      "/self /self/",
      "/one /two",
      "/two /one",
      "/deep/* /deep/er/:splat",
      "/same/* /same/:splat",
      "/calls /a",
      "/blog/a /b",
      "/ok /fine",
      "/ok /other",
    ].join("\n"),
  );
  expect(table.warnings).toEqual([
    "_redirects:6: /calls is a page of this site, which takes precedence",
    "_redirects:7: /blog/a is an address of blog/a.mdx, which takes precedence",
    "_redirects:9: /ok has a rule in _redirects:8, which takes precedence",
    "_redirects:1: /self redirects to itself; the line is skipped",
    "_redirects:2: /one is in a redirect loop through /one; the line is skipped",
    "_redirects:3: /two is in a redirect loop through /two; the line is skipped",
    "_redirects:4: /deep/* redirects more than 10 times; the line is skipped",
    "_redirects:5: /same/* redirects to itself; the line is skipped",
  ]);
  for (const path of ["/self", "/one", "/two", "/deep/x", "/same/x"])
    expect([path, table.resolve(path)]).toEqual([path, null]);
});

test("a rule that would redirect to the requested URL itself does nothing", () => {
  const table = makeTable([], "/x/:a/:b /x/:a/b");
  expect(table.resolve("/x/1/2")).toEqual(redirectTo("/x/1/b"));
  expect(table.resolve("/x/1/b")).toBeNull();
});

test("115 rules and 1,000 posts cost a request a few microseconds", () => {
  const posts = Array.from({ length: 1_000 }, (_, i) => makePost(`post-${i}`, [`/old/${i}`]));
  const rules = Array.from({ length: 115 }, (_, i) =>
    i % 5 === 0 ? `/section-${i}/:slug /blog/:slug` : `/page-${i} /blog/post-${i}`,
  );
  const measure = (table: AddressTable) => {
    const urls = ["/blog/post-7", "/calls", "/_next/static/a.js", "/nothing/here", "/?p=1"];
    for (const url of urls) table.resolve(url);
    const startedMs = performance.now();
    for (let i = 0; i < 10_000; i++) table.resolve(urls[i % urls.length]!);
    return (performance.now() - startedMs) / 10;
  };
  const [without, withRules] = [
    measure(makeTable(posts)),
    measure(makeTable(posts, rules.join("\n"))),
  ];
  console.log(
    `µs a request: ${without.toFixed(2)} without rules, ${withRules.toFixed(2)} with 115`,
  );
  expect(withRules).toBeLessThan(500);
});

test("20,000 rules take linear time, not quadratic time", () => {
  let tries = 0;
  class CountedPattern extends RegExp {
    override exec(text: string) {
      tries += 1;
      return super.exec(text);
    }
  }
  const makeRules = (count: number) =>
    Array.from({ length: count / 4_000 }, (_, block) =>
      parseRedirects(
        Array.from({ length: 4_000 }, (_, i) => `/${block}-${i}/:slug /new/:slug`).join("\n"),
        "_redirects",
      ).rules.map((rule) => ({ ...rule, pattern: new CountedPattern(rule.pattern!, "su") })),
    ).flat();
  const countTries = (count: number) => {
    tries = 0;
    const table = new AddressTable({
      posts: [],
      rules: makeRules(count),
      isPublicFile: () => false,
    });
    const ofTable = tries;
    table.resolve("/4-3999/x/y/z");
    expect(tries - ofTable).toBeLessThanOrEqual(1);
    return ofTable;
  };
  const [few, many] = [countTries(4_000), countTries(20_000)];
  expect(many).toBe(5 * few);
});

test("a path takes linear time, however many slashes it has", () => {
  const table = makeTable([makePost("a")], "/old/:slug /blog/:slug\n/a/b/* /c");
  // In quadratic time, it takes many seconds and gigabytes.
  for (const path of [`/a${"/".repeat(100_000)}x`, `/a/b${"/c".repeat(100_000)}`])
    expect(measureCpu(() => void table.resolve(path))).toBeLessThan(2_000_000);
});
