import { expect, test } from "vitest";
import { nowMs } from "#lib/core/clock.ts";
import { write } from "#lib/db/database.ts";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import { read } from "#lib/db/database.ts";
import { listEpisodeHeads } from "#lib/calls/searchable-episodes.ts";
import { publishCall, unpublishCall } from "#lib/calls/publish.ts";
import { saveAnswer } from "#lib/calls/review.ts";
import { getReviewedCall } from "#lib/calls/review-queue.ts";
import type { Member } from "#lib/members/member.ts";
import { insertCall, insertUser } from "#tests/support/factories.ts";
import { readFileSync } from "node:fs";
import { sampleIndex, samplePost, type SamplePost } from "#tests/support/sample-posts.ts";
import { searchPosts } from "./search-posts.ts";
import { searchSite } from "./search-site.ts";

const audio = readFileSync("tests/fixtures/audio/tone.mp3");

/** Searches posts, pages and the episodes of the database, as the search page does. */
async function find(
  q: string,
  { posts = [], pages = [] }: { posts?: SamplePost[]; pages?: SamplePost[] } = {},
) {
  const episodes = await read((tx) => listEpisodeHeads(tx));
  const site = { index: sampleIndex(...posts), pages: pages.map(samplePost), episodes };
  return (await searchSite(site, { q })).results;
}

const paths = async (...args: Parameters<typeof find>) =>
  (await find(...args)).map(({ path }) => path);

/** Inserts an answered call about otters; `decision` is what publishCall and unpublishCall take. */
async function insertAnsweredCall() {
  const admin: Member = await write((tx) => ({
    ...insertUser(tx, { role: "ADMIN" }),
    sessionKey: "key",
    loggedInAtMs: nowMs(),
  }));
  const { id: callId } = await write((tx) =>
    insertCall(tx, {
      userId: insertUser(tx, { firstName: "Zebulon" }).id,
      title: "Why otters?",
      description: "About rivers.",
      keywords: "mammals, water",
    }),
  );
  const decision = async () =>
    write(async (tx) => {
      const { changedAt } = await getReviewedCall(tx, { admin, callId });
      return { callId, admin, expectedVersion: changedAt };
    });
  const answered = await decision();
  await write((tx) =>
    saveAnswer(tx, {
      ...answered,
      answer: { contentType: "audio/mpeg", durationMs: 4_000, audio },
    }),
  );
  return decision;
}

test("posts, pages and episodes are found by title, description, keywords and transcript", async () => {
  const decision = await insertAnsweredCall();
  const published = await decision();
  await write((tx) => publishCall(tx, { ...published, transcript: "They hold hands asleep." }));
  const content = {
    posts: [{ slug: "post", title: "Otters and beavers" }],
    pages: [{ slug: "about", title: "About otters", text: "We like them." }],
  };
  expect((await paths("otters", content)).toSorted()).toEqual([
    "/about",
    "/blog/post",
    "/calls/1-why-otters",
  ]);
  for (const q of ["why otters", "rivers", "mammals", "hands asleep"])
    expect(await paths(q, content), q).toEqual(["/calls/1-why-otters"]);
  const [episode] = await find("hands asleep", content);
  expect(episode).toMatchObject({ kind: "episode", number: 1 });
  expect(episode!.snippet.filter(({ isMatch }) => isMatch).map(({ text }) => text)).toEqual([
    "hands asleep",
  ]);
  // A caller's name is on the page, but searching for it must not find what they said.
  expect(await paths("Zebulon")).toEqual([]);
});

test("a call is found only while it is published, even if it is still in the index", async () => {
  const decision = await insertAnsweredCall();
  expect(await paths("otters")).toEqual([]);
  const answered = await decision();
  await write((tx) => publishCall(tx, { ...answered, transcript: "A secret word: xylograph." }));
  expect(await paths("xylograph")).toEqual(["/calls/1-why-otters"]);
  const published = await decision();
  await write((tx) => unpublishCall(tx, published));
  for (const q of ["otters", "xylograph", "xilograph", "why otters", "rivers", "mammals"])
    expect(await paths(q), q).toEqual([]);
});

test("drafts, unlisted posts and unlisted pages are found by no query", async () => {
  const hidden = { title: "Quagga", description: "Quagga", keywords: ["quagga"], text: "quagga" };
  const content = {
    posts: [
      { ...hidden, slug: "draft", draft: true },
      { ...hidden, slug: "unlisted", unlisted: true },
      { slug: "public", title: "Birds" },
    ],
    pages: [
      { ...hidden, slug: "draft-page", draft: true },
      { ...hidden, slug: "unlisted-page", unlisted: true },
    ],
  };
  for (const q of ["quagga", "Quagga", "quag", "quaga", "q", "draft", "unlisted", "quagga birds"])
    expect(
      (await paths(q, content)).filter((path) => path !== "/blog/public"),
      q,
    ).toEqual([]);
});

test("a post that is withdrawn or becomes a draft is no longer found, nor a typo of its words", async () => {
  const post = { slug: "a", title: "Quagga", text: "quagga" };
  expect(await paths("quagga", { posts: [post] })).toEqual(["/blog/a"]);
  expect(await paths("quagga", { posts: [{ ...post, draft: true }] })).toEqual([]);
  expect(await paths("quaga", { posts: [{ slug: "b", title: "Birds" }] })).toEqual([]);
});

test("texts that another version indexed are not shown", async () => {
  const old = samplePost({ slug: "a", title: "Quagga", hash: "old" });
  const site = (post: typeof old) => ({ index: sampleIndex(post), pages: [], episodes: [] });
  await searchSite(site(old), { q: "quagga" });
  // Even with a table that claims to be current, as after a bug or a crash.
  const changed = site(samplePost({ slug: "a", title: "Birds", hash: "new" }));
  const { fingerprint } = (await import("./search-document.ts")).postSource(changed.index);
  withCacheDatabase((db) =>
    db.prepare("UPDATE search_6_state SET fingerprint = ?").run(fingerprint),
  );
  expect((await searchSite(changed, { q: "quagga" })).results).toEqual([]);
});

test("a page that matches exactly doesn't hide similar posts in a search of posts", async () => {
  const index = sampleIndex({ slug: "a", title: "Ottera" });
  const pages = [samplePost({ slug: "p", title: "Otterx" })];
  const site = { index, pages, episodes: [] };
  expect((await searchSite(site, { q: "otterx" })).results.map(({ path }) => path)).toEqual(["/p"]);
  expect((await searchPosts(index, { q: "otterx" })).results.map(({ post }) => post.slug)).toEqual([
    "a",
  ]);
});

test("a post is shown in its own language if it matches, else as the translation that does", async () => {
  const index = sampleIndex(
    { slug: "original", title: "The first frost: what survived, what did not, and why" },
    { slug: "german", title: "Frost", lang: "de", translationOf: "original", text: "Tulpen" },
  );
  const site = { index, pages: [], episodes: [] };
  for (const [q, slug] of [
    ["frost", "original"],
    ["tulpen", "german"],
  ] as const) {
    expect((await searchSite(site, { q })).results.map((result) => result.slug)).toEqual([slug]);
    const { results } = await searchPosts(index, { q });
    expect(results.map(({ matchedPost }) => matchedPost.slug)).toEqual([slug]);
  }
});

test("results have pages, and a page number beyond the last shows the last page", async () => {
  const posts = Array.from({ length: 45 }, (_, i) => ({ slug: `p${i}`, title: `Otter ${i}` }));
  const site = { index: sampleIndex(...posts), pages: [], episodes: [] };
  const sizes: unknown[] = [];
  for (const page of [1, 2, 3, 99, -1, Number.NaN]) {
    const found = await searchSite(site, { q: "otter", page });
    sizes.push([found.page, found.pages, found.results.length, found.total]);
  }
  expect(sizes).toEqual([
    [1, 3, 20, 45],
    [2, 3, 20, 45],
    [3, 3, 5, 45],
    [3, 3, 5, 45],
    [1, 3, 20, 45],
    [1, 3, 20, 45],
  ]);
  expect((await searchSite(site, { q: "  " })).total).toBe(0);
});
