import { expect, test } from "vitest";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import type { PostIndex } from "#lib/posts/post.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { fuzzCount, seededRandom } from "#tests/support/random.ts";
import { sampleIndex } from "#tests/support/sample-posts.ts";
import { postSource } from "./search-document.ts";
import { indexSources } from "./search-index.ts";
import { type SearchRequest, searchPosts } from "./search-posts.ts";
import { normalizeQuery, type TextSegment, parseQuery } from "./search-query.ts";
import { querySearchTable } from "./query-search-table.ts";

const search = (index: PostIndex, request: SearchRequest | string = {}) =>
  searchPosts(index, typeof request === "string" ? { q: request } : request);
const slugs = async (index: PostIndex, request: SearchRequest | string = {}) =>
  (await search(index, request)).results.map(({ post }) => post.slug);
const shown = (segments: readonly TextSegment[]) =>
  segments.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join("");

test("phrase matches rank before word matches, and those before prefix matches", async () => {
  const index = sampleIndex(
    { slug: "prefix", date: "2026-05-04", title: "Write queues", text: "A write and many queues." },
    { slug: "words", date: "2026-05-03", title: "A queue for each write", text: "Nothing else." },
    {
      slug: "phrase",
      date: "2026-05-02",
      title: "Doors",
      text: "One thing only: the write queue commits together.",
    },
    { slug: "none", date: "2026-05-01", title: "Birds" },
  );
  expect(await slugs(index, "write queue")).toEqual(["phrase", "words", "prefix"]);
});

test("a match in the title weighs more than in keywords, description and text", async () => {
  const filler = "lorem ipsum dolor sit amet consetetur sadipscing elitr ".repeat(4);
  const index = sampleIndex(
    { slug: "text", date: "2026-05-04", title: "One", text: `${filler} lease ${filler}` },
    {
      slug: "description",
      date: "2026-05-03",
      title: "Two",
      description: "What a lease is about",
      text: filler,
    },
    { slug: "keyword", date: "2026-05-02", title: "Three", keywords: ["lease"], text: filler },
    { slug: "title", date: "2026-05-01", title: "The lease", text: filler },
  );
  expect(await slugs(index, "lease")).toEqual(["title", "keyword", "description", "text"]);
});

test("in a snippet, a heading is separate from the text below it", async () => {
  const index = sampleIndex({
    title: "Queues",
    description: "About doors.",
    text: "“Before it.”\nFail over (fast)\nIn production, a lease expires.\nnpm start",
  });
  const [hit] = (await search(index, "fast in production")).results;
  expect(shown(hit?.snippet ?? [])).toBe(
    "“Before it.” Fail over ([fast) · In production], a lease expires. npm start",
  );
});

test("matches are marked in the title and in a short snippet", async () => {
  const index = sampleIndex({
    title: "The write queue",
    description: "About doors.",
    text: `${"before ".repeat(80)} Then a reader met the write queue again. ${"after ".repeat(80)}`,
  });
  const [hit] = (await search(index, "write queue")).results;
  expect(shown(hit?.title ?? [])).toBe("The [write queue]");
  expect(shown(hit?.snippet ?? [])).toContain("met the [write queue] again");
  expect(hit?.snippet.map(({ text }) => text).join("").length).toBeLessThan(300);
});

test("the snippet is the description if that matches, or if only the title does", async () => {
  const index = sampleIndex({
    title: "Consul",
    description: "About a lease.",
    text: "The lease is told here too.",
  });
  expect(shown((await search(index, "lease")).results[0]?.snippet ?? [])).toBe("About a [lease].");
  expect(shown((await search(index, "consul")).results[0]?.snippet ?? [])).toBe("About a lease.");
});

test("markup and match delimiters in a title stay text", async () => {
  const index = sampleIndex({ title: "A <b>bold</b> \uE000title\uE001 & more" });
  expect((await search(index, "bold")).results[0]?.title).toEqual([
    { text: "A <b>", isMatch: false },
    { text: "bold", isMatch: true },
    { text: "</b> title & more", isMatch: false },
  ]);
});

test("accents are ignored, composed or not", async () => {
  const index = sampleIndex(
    { slug: "cafe", title: "Café São Tomé" },
    { slug: "plain", title: "Cafe" },
  );
  for (const q of ["cafe", "café", "cafe\u0301", "CAFÉ"])
    expect((await slugs(index, q)).toSorted()).toEqual(["cafe", "plain"]);
  expect(await slugs(index, "sao tome")).toEqual(["cafe"]);
});

test("a single letter matches as a prefix", async () => {
  const index = sampleIndex(
    { slug: "x", title: "Xylophone", text: "y" },
    { slug: "other", title: "Birds", text: "y" },
  );
  expect(await slugs(index, "x")).toEqual(["x"]);
  expect(await slugs(index, "xy")).toEqual(["x"]);
});

test("every word matches as a prefix in the last tier", async () => {
  const index = sampleIndex({ slug: "a", title: "Replication of databases" });
  expect(await slugs(index, "repl data")).toEqual(["a"]);
});

test("drafts and unlisted posts are never found", async () => {
  const index = sampleIndex(
    { slug: "draft", title: "Secret", draft: true },
    { slug: "unlisted", title: "Secret", unlisted: true },
    { slug: "post", title: "Secret" },
  );
  expect(await slugs(index, "secret")).toEqual(["post"]);
  expect(await slugs(index)).toEqual(["post"]);
});

test("FTS5 operators are treated as words", async () => {
  const index = sampleIndex(
    { slug: "near", title: "Near and not far, or so" },
    { slug: "other", title: "Birds" },
  );
  for (const q of [
    "NEAR",
    "NOT far",
    "near AND far",
    "near OR so",
    'near"',
    '"near',
    "near*",
    "title:near",
    "near NOT far",
    "-near",
    "(near",
    "^near",
    "{title} : near",
    "near + far",
    "NEAR(near far, 2)",
  ]) {
    expect(
      (await slugs(index, q)).filter((slug) => slug !== "near"),
      q,
    ).toEqual([]);
  }
  expect(await slugs(index, "near OR so")).toEqual(["near"]);
  expect(await slugs(index, "-near")).toEqual(["near"]);
});

test("an emoji in the title is found", async () => {
  const index = sampleIndex({ slug: "party", title: "Ten years 🎉" }, { slug: "other" });
  expect(await slugs(index, "🎉")).toEqual(["party"]);
  expect(await slugs(index, "👍")).toEqual([]);
});

test("random strings throw nothing and find only what is listed", async () => {
  const random = seededRandom(20261123);
  const index = sampleIndex(
    { slug: "a", title: "Write queue NEAR", text: "a b c" },
    { slug: "b", title: "Über 文字 слово", text: "x" },
    { slug: "draft", draft: true, title: "Write queue" },
  );
  const pieces = [
    '"',
    "'",
    "*",
    "-",
    "^",
    "(",
    ")",
    "{",
    "}",
    ":",
    "+",
    "AND",
    "OR",
    "NOT",
    "NEAR",
    "NEAR(",
    ",",
    "\0",
    "\n",
    "\\",
    "%",
    "_",
    ";--",
    "a",
    "write",
    "queue",
    "é",
    "e\u0301",
    "文字",
    "слово",
    "🎉",
    "👩‍👩‍👧",
    "\uD800",
    "\uDC00",
    "\uE000",
    "\uE001",
    "\u202E",
    "\uFEFF",
    "𐵊",
    "1",
    "title:",
    "rowid",
    " ",
    " ",
  ];
  await indexSources([postSource(index)]);
  for (let i = fuzzCount(200); i > 0; i--) {
    const q = Array.from(
      { length: Math.floor(random() * 12) },
      () =>
        pieces[Math.floor(random() * pieces.length)] ??
        String.fromCharCode(Math.floor(random() * 65_536)),
    ).join(random() < 0.5 ? "" : " ");
    const page = await search(index, q);
    // Queries the table directly as well: the fallback of searchPosts would hide an error.
    expect(
      () =>
        withCacheDatabase((db) => querySearchTable(db, parseQuery(normalizeQuery(q)), ["post"])),
      q,
    ).not.toThrow();
    for (const { post, title } of page.results) {
      expect(["a", "b"], q).toContain(post.slug);
      expect(title.map(({ text }) => text).join("")).toBe(post.frontMatter.title);
    }
  }
});

test("a query of ten kilobytes is truncated", async () => {
  const index = sampleIndex({ slug: "a", title: "Word" });
  const page = await search(index, "word ".repeat(2_000));
  expect(page.q.length).toBeLessThanOrEqual(200);
  expect(await slugs(index, "\0".repeat(10_000))).toEqual(["a"]);
  expect((await search(index, "😀".repeat(5_000))).q.isWellFormed()).toBe(true);
});

test("a repeated word is searched once, however it is spelled", () => {
  const once = parseQuery("queue write C++ 数据");
  expect(parseQuery("Queue quéue queue write WRITE c++ write C++ 数据 数据").tiers.at(-1)).toEqual(
    once.tiers.at(-1),
  );
  expect(parseQuery("the ".repeat(40))).toEqual(parseQuery("the"));
  expect(parseQuery("new york new york").tiers[0]).toEqual(parseQuery("new york").tiers[0]);
});

test("with a read-only database, titles are searched", async () => {
  const index = sampleIndex({ slug: "a", title: "Word" }, { slug: "b" });
  withCacheDatabase((db) => db.pragma("query_only = ON"));
  expect(await slugs(index, "word")).toEqual(["a"]);
  withCacheDatabase((db) => db.pragma("query_only = OFF"));
});

test("topics are in the alphabetical order of the site's language", async () => {
  const index = sampleIndex({ categories: ["zebra", "Äpfel", "Éclair", "apple", "Fly"] });
  const topics = async (language: string) => {
    overrideSiteConfig({ language });
    return (await search(index)).topicCounts.map(({ topic }) => topic);
  };
  try {
    expect(await topics("de")).toEqual(["Äpfel", "apple", "Éclair", "Fly", "zebra"]);
    expect(await topics("sv")).toEqual(["apple", "Éclair", "Fly", "zebra", "Äpfel"]);
  } finally {
    overrideSiteConfig();
  }
});

test("posts must have all topics, and each topic has a count of the remaining results", async () => {
  const index = sampleIndex(
    { slug: "both", date: "2026-01-03", categories: ["SQLite", "Next"] },
    { slug: "sqlite", date: "2026-01-02", categories: ["sqlite"] },
    { slug: "fly", date: "2026-01-01", categories: ["Fly"] },
    { slug: "draft", draft: true, categories: ["Secret"] },
  );
  expect((await search(index)).topicCounts).toEqual([
    { topic: "Fly", count: 1, isSelected: false },
    { topic: "Next", count: 1, isSelected: false },
    { topic: "SQLite", count: 2, isSelected: false },
  ]);
  const page = await search(index, { topics: ["sqlite", "sqlite", "unknown"] });
  expect(page.results.map(({ post }) => post.slug)).toEqual(["both", "sqlite"]);
  expect(page.topics).toEqual(["SQLite"]);
  expect(page.topicCounts.map(({ count }) => count)).toEqual([0, 1, 2]);
  expect(await slugs(index, { topics: ["SQLite", "Next"] })).toEqual(["both"]);
  expect(await slugs(index, { topics: ["Fly", "Next"] })).toEqual([]);
});

test("most-read sorts by reads, ties newest first", async () => {
  const index = sampleIndex(
    { slug: "new", date: "2026-01-03" },
    { slug: "middle", date: "2026-01-02" },
    { slug: "old", date: "2026-01-01" },
  );
  expect(await slugs(index, { sort: "most-read", totals: new Map([["old", 5]]) })).toEqual([
    "old",
    "new",
    "middle",
  ]);
  expect(await slugs(index, { sort: "newest" })).toEqual(["new", "middle", "old"]);
  expect((await search(index, { sort: "relevance" })).sort).toBe("newest");
  expect(
    (await search(index, { q: "title", sort: "most-read", totals: new Map([["old", 5]]) }))
      .results[0]?.reads,
  ).toBe(5);
});

test("the read filter needs the slugs of read posts", async () => {
  const index = sampleIndex({ slug: "a" }, { slug: "b" });
  const readSlugs = new Set(["a"]);
  expect(await slugs(index, { readFilter: "read", readSlugs })).toEqual(["a"]);
  expect(await slugs(index, { readFilter: "unread", readSlugs })).toEqual(["b"]);
  expect(await slugs(index, { readFilter: "unread" })).toEqual(["a", "b"]);
});

test("each page adds twelve posts to the previous ones", async () => {
  const index = sampleIndex(
    ...Array.from({ length: 30 }, (_, i) => ({ slug: `p${String(i).padStart(2, "0")}` })),
  );
  const sizes: unknown[] = [];
  for (const page of [undefined, 1, 2, 3, 4, 0, -1, Number.NaN, 1e9]) {
    const { results, nextPage, total } = await search(index, { page });
    sizes.push([results.length, nextPage, total]);
  }
  expect(sizes).toEqual([
    [12, 2, 30],
    [12, 2, 30],
    [24, 3, 30],
    [30, null, 30],
    [30, null, 30],
    [12, 2, 30],
    [12, 2, 30],
    [12, 2, 30],
    [30, null, 30],
  ]);
});

test("a page with many results marks the matches of the first ones only", async () => {
  const index = sampleIndex(...Array.from({ length: 70 }, (_, i) => ({ title: `Queue ${i}` })));
  const { results } = await search(index, { q: "queue", page: 1e9 });
  expect(results.map(({ title }) => title.map(({ text }) => text).join(""))).toEqual(
    results.map(({ post }) => post.frontMatter.title),
  );
  expect(results.map(({ title }) => title.some(({ isMatch }) => isMatch))).toEqual(
    Array.from({ length: 70 }, (_, i) => i < 60),
  );
});

test("scripts without spaces are found by any part of a word", async () => {
  const index = sampleIndex(
    { slug: "chinese", title: "全文搜索", text: "一个数据库的故事" },
    { slug: "japanese", title: "全文検索エンジン" },
    { slug: "thai", title: "ฐานข้อมูล", text: "ระบบฐานข้อมูลขนาดเล็ก" },
    { slug: "korean", title: "데이터베이스를 옮기기" },
  );
  expect(await slugs(index, "搜索")).toEqual(["chinese"]);
  expect(await slugs(index, "检索")).toEqual([]);
  expect(await slugs(index, "据库")).toEqual(["chinese"]);
  expect(await slugs(index, "検索")).toEqual(["japanese"]);
  expect(await slugs(index, "索")).toEqual(expect.arrayContaining(["chinese", "japanese"]));
  expect(await slugs(index, "ข้อมูล")).toEqual(["thai"]);
  expect(await slugs(index, "데이터")).toEqual(["korean"]);
  expect(await slugs(index, "库据")).toEqual([]);
});

test("a word of another script is found without spaces around it, and words with 〆 or half-width kana are found", async () => {
  const index = sampleIndex(
    { slug: "chinese", title: "使用Docker部署应用", text: "用nginx和redis缓存" },
    { slug: "japanese", title: "〆切の話", text: "毎日vimを使う。ﾃﾞｰﾀ" },
  );
  for (const q of ["docker", "docker 应用", "nginx", "redis 缓存"])
    expect([q, await slugs(index, q)]).toEqual([q, ["chinese"]]);
  for (const q of ["vim", "〆切", "ﾃﾞｰﾀ", "データ"])
    expect([q, await slugs(index, q)]).toEqual([q, ["japanese"]]);
});

test("matches in scripts without spaces and of names with symbols are marked", async () => {
  const index = sampleIndex({ title: "全文搜索 with C++17", description: "搜索：c++", text: "x" });
  const marked = async (q: string) => {
    const [hit] = (await search(index, q)).results;
    return `${shown(hit!.title)} / ${shown(hit!.snippet)}`;
  };
  expect(await marked("搜索")).toBe("全文[搜索] with C++17 / [搜索]：c++");
  expect(await marked("C++ with")).toBe("全文搜索 [with] [C++]17 / 搜索：[c++]");
});

test("a match only in the text of a script without spaces is shown with the text around it", async () => {
  const filler = "关于缓存的故事。".repeat(30);
  const index = sampleIndex({
    title: "缓存",
    description: "一个故事",
    text: `${filler}复制数据库。${filler}`,
  });
  const [hit] = (await search(index, "数据库")).results;
  expect(shown(hit!.snippet)).toMatch(/^….*故事。复制\[数据库\]。关于.*…$/);
  expect(shown(hit!.snippet).length).toBeLessThan(200);
});

test("C++, C# and F# are found exactly", async () => {
  const index = sampleIndex(
    { slug: "cpp", title: "Moving to C++17", text: "x" },
    { slug: "csharp", title: "Why C#?", text: "x" },
    { slug: "fsharp", title: "About F#, too", text: "x" },
    { slug: "c", title: "C and cats", text: "x" },
    { slug: "chinese", title: "用C++写代码", text: "学习Z#入门" },
  );
  expect(await slugs(index, "C++ 代码")).toEqual(["chinese"]);
  expect(await slugs(index, "z#")).toEqual(["chinese"]);
  expect(await slugs(index, "学习")).toEqual(["chinese"]);
  expect((await slugs(index, "C++")).sort()).toEqual(["chinese", "cpp"]);
  expect(await slugs(index, "c#")).toEqual(["csharp"]);
  expect(await slugs(index, "F#")).toEqual(["fsharp"]);
  expect(await slugs(index, "why c#")).toEqual(["csharp"]);
});

test("a part of a camelCase name is found below exact matches", async () => {
  const index = sampleIndex(
    { slug: "hook", date: "2026-05-02", title: "useEffect in practice", text: "x" },
    { slug: "word", date: "2026-05-01", title: "Birds", text: "It has an effect." },
  );
  expect(await slugs(index, "effect")).toEqual(["word", "hook"]);
  expect(await slugs(index, "useEffect")).toEqual(["hook"]);
});

test("letters are found with and without their diacritics", async () => {
  for (const [marked, plain] of [
    ["Łódź", "lodz"],
    ["Ørsted", "orsted"],
    ["Straße", "strasse"],
    ["Ёлка", "елка"],
    ["Đà Nẵng", "da nang"],
    ["Þór", "thor"],
    ["Ｄｏｃｋｅｒ", "docker"],
    ["oﬃce", "office"],
  ] as const) {
    const index = sampleIndex(
      { slug: "marked", title: marked, text: "x" },
      { slug: "plain", title: plain, text: "x" },
      { slug: "other", title: "Birds", text: "x" },
    );
    for (const q of [marked, plain])
      expect((await slugs(index, q)).toSorted(), q).toEqual(["marked", "plain"]);
    expect(
      (await search(index, plain)).results.map(({ post }) => post.frontMatter.title),
    ).toContain(marked);
  }
});

test("a typo of one letter finds the word, with the results marked as similar", async () => {
  const index = sampleIndex(
    { slug: "queue", title: "The write queue", text: "Replication with accents: Łódź." },
    { slug: "other", title: "Birds" },
  );
  for (const q of [
    "qeue",
    "queeu",
    "quaue",
    "wriet queue",
    "replciation",
    "replicaton",
    "replicat",
    "lodza",
  ]) {
    const page = await search(index, q);
    expect(
      page.results.map(({ post }) => post.slug),
      q,
    ).toEqual(["queue"]);
  }
  expect((await search(index, "qeue")).isApproximate).toBe(true);
  expect((await search(index, "queue")).isApproximate).toBe(false);
  expect(await slugs(index, "xyzzyqueue")).toEqual([]);
});

test("a corrected query is ranked like a correct one", async () => {
  const index = sampleIndex(
    { slug: "often", title: "Timeouts", text: "write a queue and a queue to write ".repeat(20) },
    { slug: "title", title: "A write queue", text: "x" },
  );
  expect(await slugs(index, "wirte queeu")).toEqual(["title", "often"]);
  expect(await slugs(index, "write queeu")).toEqual(["title", "often"]);
});

test("if one of several words matches nothing, the others are found", async () => {
  const index = sampleIndex({ slug: "a", title: "The write queue" }, { slug: "b", title: "Birds" });
  expect(await slugs(index, "write queue nonsense")).toEqual(["a"]);
  expect(await slugs(index, "nonsense")).toEqual([]);
});

test("names with symbols are found, the exact name first", async () => {
  const index = sampleIndex(
    { slug: "exact", date: "2026-01-01", text: "It imports node:fs, and @scope/pkg." },
    { slug: "words", date: "2026-02-01", title: "A node, fs, a scope and a pkg", text: "x" },
    { slug: "other", title: "Birds" },
  );
  expect(await slugs(index, "node:fs")).toEqual(["exact", "words"]);
  expect(await slugs(index, "@scope/pkg")).toEqual(["exact", "words"]);
  expect(await slugs(index, "(node:fs)")).toEqual(["exact", "words"]);
});

test("an exact title comes first, however often others repeat its words", async () => {
  const index = sampleIndex(
    { slug: "often", title: "Queues, queues and queues", text: "queues ".repeat(50) },
    { slug: "exact", title: "Queues", text: "Nothing." },
  );
  expect(await slugs(index, "queues")).toEqual(["exact", "often"]);
  expect(await slugs(index, "QUEUES ")).toEqual(["exact", "often"]);
});
