import { expect, test } from "vitest";
import { DAY_MS } from "#lib/core/clock.ts";
import { isPromotable, type PostIndex } from "./post.ts";
import { pickFeaturedPost, recommendPosts } from "./recommend.ts";
import { seededRandom } from "#tests/support/random.ts";
import { type SamplePost, sampleIndex } from "#tests/support/sample-posts.ts";

const NOW_MS = Date.UTC(2026, 10, 23, 9);
const anonymous = { key: "", readSlugs: new Set<string>() };
const none = new Map<string, number>();

function randomSite(random: () => number): {
  index: PostIndex;
  totals: Map<string, number>;
  reader: { key: string; readSlugs: Set<string> };
  slug: string | null;
} {
  const words = ["sqlite", "next", "react", "css", "testing", "fly", "careers"];
  const some = () => words.filter(() => random() < 0.25);
  const samples: SamplePost[] = Array.from({ length: Math.floor(random() * 25) }, (_, i) => ({
    slug: `p${i}`,
    keywords: some(),
    categories: some(),
    draft: random() < 0.15,
    unlisted: random() < 0.1,
    archived: random() < 0.1,
  }));
  const index = sampleIndex(...samples);
  const totals = new Map(
    index.posts
      .filter(() => random() < 0.7)
      .map(({ slug }) => [slug, Math.floor(random() * 1_000)]),
  );
  const share = random() < 0.2 ? 1 : random();
  const readSlugs = new Set(index.posts.filter(() => random() < share).map(({ slug }) => slug));
  const slug =
    random() < 0.2 ? null : (index.posts[Math.floor(random() * index.posts.length)]?.slug ?? null);
  return { index, totals, reader: { key: String(random()), readSlugs }, slug };
}

test("for any site and reader: three distinct promotable posts, read ones only if no others are left", () => {
  for (let seed = 0; seed < 2_000; seed++) {
    const { index, totals, reader, slug } = randomSite(seededRandom(seed));
    const chosen = recommendPosts(index, { slug, reader, totals, nowMs: NOW_MS });
    const possible = index.posts.filter((post) => isPromotable(post) && post.slug !== slug);
    const unread = possible.filter((post) => !reader.readSlugs.has(post.slug));
    expect(chosen.length, `seed ${seed}`).toBe(Math.min(3, possible.length));
    expect(new Set(chosen).size).toBe(chosen.length);
    for (const post of chosen) expect(possible, `seed ${seed}`).toContain(post);
    expect(chosen.filter((post) => unread.includes(post)).length, `seed ${seed}`).toBe(
      Math.min(3, unread.length),
    );
  }
});

test("recommendations are the same all day, and differ on other days", () => {
  let changed = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { index, totals, reader, slug } = randomSite(seededRandom(seed));
    const recommendAt = (nowMs: number) =>
      recommendPosts(index, { slug, reader, totals, nowMs }).map((post) => post.slug);
    const morning = recommendAt(Date.UTC(2026, 10, 23));
    expect(recommendAt(Date.UTC(2026, 10, 23, 23, 59, 59))).toEqual(morning);
    if (recommendAt(Date.UTC(2026, 10, 24)).join() !== morning.join()) changed += 1;
  }
  expect(changed).toBeGreaterThan(60);
});

test("reading a recommended post does not reorder the others", () => {
  const index = sampleIndex(...Array.from({ length: 40 }, (_, i) => ({ slug: `p${i}` })));
  const before = recommendPosts(index, {
    slug: "p0",
    reader: anonymous,
    totals: none,
    nowMs: NOW_MS,
  }).map(({ slug }) => slug);
  const after = recommendPosts(index, {
    slug: "p0",
    reader: { key: "", readSlugs: new Set([before[1] ?? ""]) },
    totals: none,
    nowMs: NOW_MS,
  }).map(({ slug }) => slug);
  expect(after.slice(0, 2)).toEqual([before[0], before[2]]);
});

test("all keywords and categories count", () => {
  const index = sampleIndex(
    { slug: "self", keywords: ["first", "second", "Third"], categories: ["Topic"] },
    { slug: "one", keywords: ["first"] },
    { slug: "three", keywords: ["x", "third", "second"], categories: ["topic"] },
    { slug: "nothing", keywords: ["y"] },
  );
  expect(
    recommendPosts(index, { slug: "self", reader: anonymous, totals: none, nowMs: NOW_MS })[0]
      ?.slug,
  ).toBe("three");
});

test("a rare keyword weighs more than a common one", () => {
  const common = Array.from({ length: 10 }, (_, i) => ({
    slug: `common-${i}`,
    date: "2026-12-01",
    keywords: ["web"],
  }));
  const index = sampleIndex(
    { slug: "self", keywords: ["web", "litefs"] },
    { slug: "rare", date: "2020-01-01", keywords: ["litefs"] },
    ...common,
  );
  expect(
    recommendPosts(index, { slug: "self", reader: anonymous, totals: none, nowMs: NOW_MS })[0]
      ?.slug,
  ).toBe("rare");
});

test("the popular post rotates among the four most read", () => {
  const index = sampleIndex(...Array.from({ length: 30 }, (_, i) => ({ slug: `p${i}` })));
  const totals = new Map(index.posts.map(({ slug }) => [slug, 1]));
  for (const slug of ["p3", "p7", "p11", "p15"]) totals.set(slug, 1_000);
  const seen = new Set<string | undefined>();
  for (let day = 0; day < 60; day++)
    seen.add(
      recommendPosts(index, {
        slug: null,
        reader: anonymous,
        totals,
        nowMs: NOW_MS + day * DAY_MS,
      })[0]?.slug,
    );
  expect([...seen].toSorted()).toEqual(["p11", "p15", "p3", "p7"]);
});

test("random posts are evenly distributed", () => {
  const index = sampleIndex(...Array.from({ length: 20 }, (_, i) => ({ slug: `p${i}` })));
  const seen = new Map<string, number>();
  for (let i = 0; i < 2_000; i++) {
    for (const { slug } of recommendPosts(index, {
      slug: null,
      reader: { key: `reader-${i}`, readSlugs: new Set() },
      totals: none,
      nowMs: NOW_MS,
    }))
      seen.set(slug, (seen.get(slug) ?? 0) + 1);
  }
  expect(seen.size).toBe(20);
  for (const [slug, times] of seen) expect(times, slug).toBeGreaterThan(200); // 300 each on average
});

test("the featured post is one of the four most read unread posts, or null", () => {
  const index = sampleIndex(
    { slug: "a" },
    { slug: "b" },
    { slug: "c" },
    { slug: "d" },
    { slug: "e" },
    { slug: "f" },
    { slug: "gone", archived: true },
    { slug: "draft", draft: true },
  );
  const totals = new Map([
    ["gone", 99],
    ["draft", 98],
    ["a", 9],
    ["b", 8],
    ["c", 7],
    ["d", 6],
    ["e", 5],
  ]);
  const seen = new Set<string | undefined>();
  for (let i = 0; i < 200; i++)
    seen.add(
      pickFeaturedPost(index, {
        reader: { key: `r${i}`, readSlugs: new Set(["a"]) },
        totals,
        nowMs: NOW_MS,
      })?.slug,
    );
  expect([...seen].toSorted()).toEqual(["b", "c", "d", "e"]);
  expect(
    pickFeaturedPost(index, {
      reader: { key: "", readSlugs: new Set(["a", "b", "c", "d", "e", "f"]) },
      totals,
      nowMs: NOW_MS,
    }),
  ).toBeNull();
  expect(pickFeaturedPost(sampleIndex(), { reader: anonymous, totals, nowMs: NOW_MS })).toBeNull();
  expect(pickFeaturedPost(index, { reader: anonymous, totals: none, nowMs: NOW_MS })).toBeNull();
});

test("count limits the recommendations", () => {
  const index = sampleIndex(
    { slug: "a", keywords: ["k"] },
    { slug: "b", keywords: ["k"] },
    { slug: "c" },
  );
  for (const count of [0, 1, 2])
    expect(
      recommendPosts(index, { slug: "a", count, reader: anonymous, totals: none, nowMs: NOW_MS }),
    ).toHaveLength(count);
});
