import { expect, test } from "vitest";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import type { PostIndex } from "#lib/posts/post.ts";
import { createPostIndex } from "#lib/posts/post.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { damageCacheFile } from "#tests/support/damage-cache-file.ts";
import { seededRandom } from "#tests/support/random.ts";
import { sampleIndex, samplePost } from "#tests/support/sample-posts.ts";
import { type SearchRequest, indexPosts, searchPosts } from "./search-posts.ts";
import { normalizeQuery, type TextSegment, buildFtsQueries } from "./search-query.ts";
import { syncInSteps, syncSearchTable, querySearchTable } from "./search-table.ts";

const search = (index: PostIndex, request: SearchRequest | string = {}) =>
  searchPosts(index, typeof request === "string" ? { q: request } : request);
const slugs = (index: PostIndex, request: SearchRequest | string = {}) =>
  search(index, request).results.map(({ post }) => post.slug);
const shown = (segments: readonly TextSegment[]) =>
  segments.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join("");

test("phrase matches rank before word matches, and those before prefix matches", () => {
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
  expect(slugs(index, "write queue")).toEqual(["phrase", "words", "prefix"]);
});

test("a match in the title weighs more than in keywords, description and text", () => {
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
  expect(slugs(index, "lease")).toEqual(["title", "keyword", "description", "text"]);
});

test("matches are marked in the title and in a short snippet", () => {
  const index = sampleIndex({
    title: "The write queue",
    description: "About doors.",
    text: `${"before ".repeat(80)} Then a reader met the write queue again. ${"after ".repeat(80)}`,
  });
  const [hit] = search(index, "write queue").results;
  expect(shown(hit?.title ?? [])).toBe("The [write queue]");
  expect(shown(hit?.snippet ?? [])).toContain("met the [write queue] again");
  expect(hit?.snippet.map(({ text }) => text).join("").length).toBeLessThan(300);
});

test("the snippet is the description if that matches, or if only the title does", () => {
  const index = sampleIndex({
    title: "Consul",
    description: "About a lease.",
    text: "The lease is told here too.",
  });
  expect(shown(search(index, "lease").results[0]?.snippet ?? [])).toBe("About a [lease].");
  expect(shown(search(index, "consul").results[0]?.snippet ?? [])).toBe("About a lease.");
});

test("markup and match delimiters in a title stay text", () => {
  const index = sampleIndex({ title: "A <b>bold</b> \uE000title\uE001 & more" });
  expect(search(index, "bold").results[0]?.title).toEqual([
    { text: "A <b>", isMatch: false },
    { text: "bold", isMatch: true },
    { text: "</b> title & more", isMatch: false },
  ]);
});

test("accents are ignored, composed or not", () => {
  const index = sampleIndex(
    { slug: "cafe", title: "Café São Tomé" },
    { slug: "plain", title: "Cafe" },
  );
  for (const q of ["cafe", "café", "cafe\u0301", "CAFÉ"])
    expect(slugs(index, q).toSorted()).toEqual(["cafe", "plain"]);
  expect(slugs(index, "sao tome")).toEqual(["cafe"]);
});

test("a single letter matches as a prefix", () => {
  const index = sampleIndex(
    { slug: "x", title: "Xylophone", text: "y" },
    { slug: "other", title: "Birds", text: "y" },
  );
  expect(slugs(index, "x")).toEqual(["x"]);
  expect(slugs(index, "xy")).toEqual(["x"]);
});

test("every word matches as a prefix in the last tier", () => {
  expect(slugs(sampleIndex({ slug: "a", title: "Replication of databases" }), "repl data")).toEqual(
    ["a"],
  );
});

test("drafts and unlisted posts are never found", () => {
  const index = sampleIndex(
    { slug: "draft", title: "Secret", draft: true },
    { slug: "unlisted", title: "Secret", unlisted: true },
    { slug: "post", title: "Secret" },
  );
  expect(slugs(index, "secret")).toEqual(["post"]);
  expect(slugs(index)).toEqual(["post"]);
});

test("FTS5 operators are treated as words", () => {
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
      slugs(index, q).filter((slug) => slug !== "near"),
      q,
    ).toEqual([]);
  }
  expect(slugs(index, "near OR so")).toEqual(["near"]);
  expect(slugs(index, "-near")).toEqual(["near"]);
});

test("an emoji in the title is found", () => {
  const index = sampleIndex({ slug: "party", title: "Ten years 🎉" }, { slug: "other" });
  expect(slugs(index, "🎉")).toEqual(["party"]);
  expect(slugs(index, "👍")).toEqual([]);
});

test("a thousand random strings throw nothing and find only what is listed", () => {
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
  withCacheDatabase((db) => syncSearchTable(db, index));
  for (let i = 0; i < 1_000; i++) {
    const q = Array.from(
      { length: Math.floor(random() * 12) },
      () =>
        pieces[Math.floor(random() * pieces.length)] ??
        String.fromCharCode(Math.floor(random() * 65_536)),
    ).join(random() < 0.5 ? "" : " ");
    const page = search(index, q);
    // Queries the table directly as well: the fallback of searchPosts would hide an error.
    expect(
      () => withCacheDatabase((db) => querySearchTable(db, buildFtsQueries(normalizeQuery(q)))),
      q,
    ).not.toThrow();
    for (const { post, title } of page.results) {
      expect(["a", "b"], q).toContain(post.slug);
      expect(title.map(({ text }) => text).join("")).toBe(post.frontMatter.title);
    }
  }
});

test("a query of ten kilobytes is truncated", () => {
  const index = sampleIndex({ slug: "a", title: "Word" });
  const page = search(index, "word ".repeat(2_000));
  expect(page.q.length).toBeLessThanOrEqual(200);
  expect(slugs(index, "\0".repeat(10_000))).toEqual(["a"]);
  expect(search(index, "😀".repeat(5_000)).q.isWellFormed()).toBe(true);
});

test("only posts that changed are indexed again", () => {
  const unchanged = samplePost({ slug: "unchanged", title: "Unchanged" });
  const before = createPostIndex("v1", [
    unchanged,
    samplePost({ slug: "changed", title: "Old" }),
    samplePost({ slug: "gone", title: "Gone" }),
  ]);
  expect(slugs(before, "old")).toEqual(["changed"]);
  const rowOf = () =>
    withCacheDatabase((db) =>
      db.prepare("SELECT id FROM post_search_2_held WHERE slug = 'unchanged'").pluck().get(),
    );
  const row = rowOf();
  const after = createPostIndex("v2", [
    unchanged,
    samplePost({ slug: "changed", title: "New" }),
    samplePost({ slug: "added", title: "Added" }),
  ]);
  expect(slugs(after, "old")).toEqual([]);
  expect(slugs(after, "gone")).toEqual([]);
  expect(slugs(after, "new")).toEqual(["changed"]);
  expect(slugs(after, "added")).toEqual(["added"]);
  expect(rowOf()).toBe(row);
});

test("dropped and broken tables are rebuilt", () => {
  const index = sampleIndex({ slug: "a", title: "Word" });
  expect(slugs(index, "word")).toEqual(["a"]);
  for (const sql of [
    "DROP TABLE post_search_2",
    "DROP TABLE post_search_2_state; DROP TABLE post_search_2_held; DROP TABLE post_search_2",
    "DROP TABLE post_search_2_held; CREATE TABLE post_search_2_held (other)",
  ]) {
    withCacheDatabase((db) => db.exec(sql));
    expect(slugs(index, "word"), sql).toEqual(["a"]);
  }
});

test("a file that was damaged while it was open is rebuilt, and no post is lost", () => {
  const index = sampleIndex(
    ...Array.from({ length: 40 }, (_, i) => ({ slug: `p${i}`, text: `word ${i} `.repeat(500) })),
  );
  expect(search(index, "word").total).toBe(40);
  damageCacheFile();
  // With a full-text table: "wor" is in no title.
  expect(search(index, "wor").total).toBe(40);
  expect(shown(search(index, "wor").results[0]!.snippet)).toContain("[word]");
  expect(withCacheDatabase((db) => db.pragma("integrity_check", { simple: true }))).toBe("ok");
});

test("with a read-only database, titles are searched", () => {
  const index = sampleIndex({ slug: "a", title: "Word" }, { slug: "b" });
  withCacheDatabase((db) => db.pragma("query_only = ON"));
  expect(slugs(index, "word")).toEqual(["a"]);
  withCacheDatabase((db) => db.pragma("query_only = OFF"));
});

test("topics are in the alphabetical order of the site's language", () => {
  const index = sampleIndex({ categories: ["zebra", "Äpfel", "Éclair", "apple", "Fly"] });
  const topics = (language: string) => {
    overrideSiteConfig({ language });
    return search(index).topicCounts.map(({ topic }) => topic);
  };
  try {
    expect(topics("de")).toEqual(["Äpfel", "apple", "Éclair", "Fly", "zebra"]);
    expect(topics("sv")).toEqual(["apple", "Éclair", "Fly", "zebra", "Äpfel"]);
  } finally {
    overrideSiteConfig();
  }
});

test("posts must have all topics, and each topic has a count of the remaining results", () => {
  const index = sampleIndex(
    { slug: "both", date: "2026-01-03", categories: ["SQLite", "Next"] },
    { slug: "sqlite", date: "2026-01-02", categories: ["sqlite"] },
    { slug: "fly", date: "2026-01-01", categories: ["Fly"] },
    { slug: "draft", draft: true, categories: ["Secret"] },
  );
  expect(search(index).topicCounts).toEqual([
    { topic: "Fly", count: 1, isSelected: false },
    { topic: "Next", count: 1, isSelected: false },
    { topic: "SQLite", count: 2, isSelected: false },
  ]);
  const page = search(index, { topics: ["sqlite", "sqlite", "unknown"] });
  expect(page.results.map(({ post }) => post.slug)).toEqual(["both", "sqlite"]);
  expect(page.topics).toEqual(["SQLite"]);
  expect(page.topicCounts.map(({ count }) => count)).toEqual([0, 1, 2]);
  expect(slugs(index, { topics: ["SQLite", "Next"] })).toEqual(["both"]);
  expect(slugs(index, { topics: ["Fly", "Next"] })).toEqual([]);
});

test("most-read sorts by reads, ties newest first", () => {
  const index = sampleIndex(
    { slug: "new", date: "2026-01-03" },
    { slug: "middle", date: "2026-01-02" },
    { slug: "old", date: "2026-01-01" },
  );
  expect(slugs(index, { sort: "most-read", totals: new Map([["old", 5]]) })).toEqual([
    "old",
    "new",
    "middle",
  ]);
  expect(slugs(index, { sort: "newest" })).toEqual(["new", "middle", "old"]);
  expect(search(index, { sort: "relevance" }).sort).toBe("newest");
  expect(
    search(index, { q: "title", sort: "most-read", totals: new Map([["old", 5]]) }).results[0]
      ?.reads,
  ).toBe(5);
});

test("the read filter needs the slugs of read posts", () => {
  const index = sampleIndex({ slug: "a" }, { slug: "b" });
  const readSlugs = new Set(["a"]);
  expect(slugs(index, { readFilter: "read", readSlugs })).toEqual(["a"]);
  expect(slugs(index, { readFilter: "unread", readSlugs })).toEqual(["b"]);
  expect(slugs(index, { readFilter: "unread" })).toEqual(["a", "b"]);
});

test("each page adds twelve posts to the previous ones", () => {
  const index = sampleIndex(
    ...Array.from({ length: 30 }, (_, i) => ({ slug: `p${String(i).padStart(2, "0")}` })),
  );
  const sizes = [undefined, 1, 2, 3, 4, 0, -1, Number.NaN, 1e9].map((page) => {
    const { results, nextPage, total } = search(index, { page });
    return [results.length, nextPage, total];
  });
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

test("scripts without spaces are found by any part of a word", () => {
  const index = sampleIndex(
    { slug: "chinese", title: "全文搜索", text: "一个数据库的故事" },
    { slug: "japanese", title: "全文検索エンジン" },
    { slug: "thai", title: "ฐานข้อมูล", text: "ระบบฐานข้อมูลขนาดเล็ก" },
    { slug: "korean", title: "데이터베이스를 옮기기" },
  );
  expect(slugs(index, "搜索")).toEqual(["chinese"]);
  expect(slugs(index, "检索")).toEqual([]);
  expect(slugs(index, "据库")).toEqual(["chinese"]);
  expect(slugs(index, "検索")).toEqual(["japanese"]);
  expect(slugs(index, "索")).toEqual(expect.arrayContaining(["chinese", "japanese"]));
  expect(slugs(index, "ข้อมูล")).toEqual(["thai"]);
  expect(slugs(index, "데이터")).toEqual(["korean"]);
  expect(slugs(index, "库据")).toEqual([]);
});

test("C++, C# and F# are found exactly", () => {
  const index = sampleIndex(
    { slug: "cpp", title: "Moving to C++17", text: "x" },
    { slug: "csharp", title: "Why C#?", text: "x" },
    { slug: "fsharp", title: "About F#, too", text: "x" },
    { slug: "c", title: "C and cats", text: "x" },
  );
  expect(slugs(index, "C++")).toEqual(["cpp"]);
  expect(slugs(index, "c#")).toEqual(["csharp"]);
  expect(slugs(index, "F#")).toEqual(["fsharp"]);
  expect(slugs(index, "why c#")).toEqual(["csharp"]);
});

test("a part of a camelCase name is found below exact matches", () => {
  const index = sampleIndex(
    { slug: "hook", date: "2026-05-02", title: "useEffect in practice", text: "x" },
    { slug: "word", date: "2026-05-01", title: "Birds", text: "It has an effect." },
  );
  expect(slugs(index, "effect")).toEqual(["word", "hook"]);
  expect(slugs(index, "useEffect")).toEqual(["hook"]);
});

test("letters are found with and without their diacritics", () => {
  for (const [marked, plain] of [
    ["Łódź", "lodz"],
    ["Ørsted", "orsted"],
    ["Straße", "strasse"],
    ["Ёлка", "елка"],
    ["Đà Nẵng", "da nang"],
    ["Þór", "thor"],
  ] as const) {
    const index = sampleIndex(
      { slug: "marked", title: marked, text: "x" },
      { slug: "plain", title: plain, text: "x" },
      { slug: "other", title: "Birds", text: "x" },
    );
    for (const q of [marked, plain])
      expect(slugs(index, q).toSorted(), q).toEqual(["marked", "plain"]);
    expect(search(index, plain).results.map(({ post }) => post.frontMatter.title)).toContain(
      marked,
    );
  }
});

test("posts are indexed in steps that keep the event loop for less than 10 ms", async () => {
  const random = seededRandom(12);
  for (const count of [500, 2_000]) {
    const index = sampleIndex(
      ...Array.from({ length: count }, (_, i) => ({
        slug: `p${i}`,
        title: `Post ${i}`,
        text: Array.from({ length: 400 }, () => `word${Math.floor(random() * 2_000)}`).join(" "),
      })),
    );
    const stepMs: number[] = [];
    const steps = withCacheDatabase((db) => syncInSteps(db, index));
    for (let isDone = false; !isDone;) {
      // CPU time, because on a busy machine the test itself waits.
      const before = process.threadCpuUsage();
      isDone = steps.next().done === true;
      const { user, system } = process.threadCpuUsage(before);
      stepMs.push((user + system) / 1_000);
    }
    stepMs.sort((a, b) => a - b);
    const [p98, longest] = [stepMs[Math.floor(stepMs.length * 0.98)]!, stepMs.at(-1)!];
    console.log(
      `${count} posts, ${stepMs.length} steps: 98% take at most ${p98.toFixed(1)} ms, the longest ${longest.toFixed(1)} ms.`,
    );
    // A garbage collection may fall into any step.
    expect(p98).toBeLessThan(10);
    expect(search(index, `post ${count - 1}`).results[0]?.post.slug).toBe(`p${count - 1}`);
  }
});

test("requests run while posts are indexed, and concurrent searches share the work", async () => {
  const index = sampleIndex(
    ...Array.from({ length: 300 }, (_, i) => ({ slug: `p${i}`, text: `word ${i} `.repeat(200) })),
  );
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  await Promise.all([indexPosts(index), indexPosts(index)]);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(3);
  expect(search(index, "wor").total).toBe(300);
});
