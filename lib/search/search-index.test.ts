import { expect, test } from "vitest";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import { type PostIndex, createPostIndex } from "#lib/posts/post.ts";
import { damageCacheFile } from "#tests/support/damage-cache-file.ts";
import { seededRandom } from "#tests/support/random.ts";
import { sampleIndex, samplePost } from "#tests/support/sample-posts.ts";
import { postSource } from "./search-document.ts";
import { indexSources } from "./search-index.ts";
import { searchPosts } from "./search-posts.ts";
import type { TextSegment } from "./search-query.ts";
import { BATCH_CHARACTERS, splitText, syncSearchTable } from "./search-table.ts";

const search = (index: PostIndex, q: string) => searchPosts(index, { q });
const slugs = async (index: PostIndex, q: string) =>
  (await search(index, q)).results.map(({ post }) => post.slug);
const shown = (segments: readonly TextSegment[]) =>
  segments.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join("");

test("only posts that changed are indexed again", async () => {
  const unchanged = samplePost({ slug: "unchanged", title: "Unchanged" });
  const before = createPostIndex("v1", [
    unchanged,
    samplePost({ slug: "changed", title: "Old" }),
    samplePost({ slug: "gone", title: "Gone" }),
  ]);
  expect(await slugs(before, "old")).toEqual(["changed"]);
  const rowOf = () =>
    withCacheDatabase((db) =>
      db.prepare("SELECT id FROM search_6_documents WHERE key = 'post/unchanged'").pluck().get(),
    );
  const row = rowOf();
  const after = createPostIndex("v2", [
    unchanged,
    samplePost({ slug: "changed", title: "New" }),
    samplePost({ slug: "added", title: "Added" }),
  ]);
  expect(await slugs(after, "old")).toEqual([]);
  expect(await slugs(after, "gone")).toEqual([]);
  expect(await slugs(after, "new")).toEqual(["changed"]);
  expect(await slugs(after, "added")).toEqual(["added"]);
  expect(rowOf()).toBe(row);
});

test("dropped and broken tables are rebuilt", async () => {
  const index = sampleIndex({ slug: "a", title: "Word" });
  expect(await slugs(index, "word")).toEqual(["a"]);
  for (const sql of [
    "DROP TABLE search_6_text",
    "DROP TABLE search_6_trigrams; DROP TABLE search_6_words",
    "DROP TABLE search_6_state; DROP TABLE search_6_documents; DROP TABLE search_6_text",
    "DROP TABLE search_6_documents; CREATE TABLE search_6_documents (other)",
  ]) {
    withCacheDatabase((db) => db.exec(sql));
    expect(await slugs(index, "word"), sql).toEqual(["a"]);
  }
});

test("a file that was damaged while it was open is rebuilt, and no post is lost", async () => {
  const index = sampleIndex(
    ...Array.from({ length: 40 }, (_, i) => ({ slug: `p${i}`, text: `word ${i} `.repeat(500) })),
  );
  expect((await search(index, "word")).total).toBe(40);
  damageCacheFile();
  // With a full-text table: "wor" is in no title.
  expect((await search(index, "wor")).total).toBe(40);
  expect(shown((await search(index, "wor")).results[0]!.snippet)).toContain("[word]");
  expect(withCacheDatabase((db) => db.pragma("integrity_check", { simple: true }))).toBe("ok");
});

test("the index is built in transactions of bounded size, between which other requests run", async () => {
  const random = seededRandom(12);
  const word = () => `word${Math.floor(random() * 2_000)}`;
  const posts = Array.from({ length: 200 }, (_, i) => ({
    slug: `p${i}`,
    title: `Post ${i}`,
    text: Array.from({ length: i === 7 ? 5_000 : 400 }, word).join(" "),
  }));
  const source = postSource(sampleIndex(...posts));
  const sizes: number[] = [];
  for await (const size of syncSearchTable(source)) {
    sizes.push(size);
    expect(withCacheDatabase((db) => db.inTransaction)).toBe(false);
  }
  const characters = posts.reduce((sum, { text }) => sum + text.length, 0);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(BATCH_CHARACTERS);
  expect(sizes.length).toBeGreaterThanOrEqual(characters / BATCH_CHARACTERS);
  // Once up to date, nothing is written.
  for await (const _ of syncSearchTable(source)) throw new Error("The index was built again.");
});

test("a text that is longer than a transaction is found by words of each part", async () => {
  const filler = "lorem ipsum dolor ".repeat(1_000);
  const index = sampleIndex(
    { slug: "long", title: "Consul", text: `aardvark ${filler} badger ${filler} caracal` },
    { slug: "other", title: "Birds" },
  );
  for (const q of ["aardvark", "badger", "caracal", "consul caracal", "aardvark caracal"]) {
    const page = await search(index, q);
    expect([page.isApproximate, ...page.results.map(({ post }) => post.slug)], q).toEqual([
      false,
      "long",
    ]);
  }
  expect(await slugs(index, "aardvark birds")).toEqual(["long", "other"]); // similar only
  expect(shown((await search(index, "caracal")).results[0]!.snippet)).toContain("[caracal]");
  const changed = sampleIndex({ slug: "long", title: "Consul", text: "short" });
  expect(await slugs(changed, "caracal")).toEqual([]);
  expect(
    withCacheDatabase((db) => db.prepare("SELECT count(*) FROM search_6_text").pluck().get()),
  ).toBe(1);
});

test("a text is split between words, and no character is lost", () => {
  const words = Array.from({ length: 9_000 }, (_, i) => `w${i}`);
  const parts = splitText(words.join(" "));
  expect(parts.join(" ").split(" ")).toEqual(words);
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(BATCH_CHARACTERS);
  expect(splitText("x".repeat(20_000)).join("")).toHaveLength(20_000);
  expect(splitText("")).toEqual([""]);
});

test("an interrupted build is continued by the next search", async () => {
  const index = sampleIndex(
    ...Array.from({ length: 30 }, (_, i) => ({ slug: `p${i}`, text: `word ${i} `.repeat(900) })),
  );
  for await (const size of syncSearchTable(postSource(index))) if (size > 0) break;
  expect((await search(index, "wor")).total).toBe(30);
});

test("concurrent searches share one build, during which timers run", async () => {
  const index = sampleIndex(
    ...Array.from({ length: 300 }, (_, i) => ({ slug: `p${i}`, text: `word ${i} `.repeat(200) })),
  );
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  const source = [postSource(index)];
  await Promise.all([indexSources(source), indexSources(source)]);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(3);
  expect((await search(index, "wor")).total).toBe(300);
});

test("two content versions at the same time find only their own posts", async () => {
  const before = sampleIndex({ slug: "a", title: "Otter" }, { slug: "b", title: "Badger" });
  const after = sampleIndex({ slug: "a", title: "Heron" }, { slug: "c", title: "Badger" });
  const found = await Promise.all(
    [before, after, before, after].map((index) => slugs(index, "badger")),
  );
  for (const [i, result] of found.entries())
    expect(["b", "c"].filter((slug) => slug !== (i % 2 === 0 ? "b" : "c"))).not.toEqual(result);
  expect(await slugs(after, "otter")).toEqual([]);
  expect(await slugs(after, "badger")).toEqual(["c"]);
});
