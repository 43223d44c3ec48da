// Measures the quality of search with judged queries. docs/search.md has the figures.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sampleIndex, samplePost } from "#tests/support/sample-posts.ts";
import { DOCUMENTS } from "#tests/fixtures/search/documents.ts";
import { QUERIES } from "#tests/fixtures/search/queries.ts";
import { episodeSource, pageSource, postSource } from "./search-document.ts";
import { findMatches } from "./search-index.ts";
import { normalizeQuery } from "./search-query.ts";

const MIN_NDCG = 0.95;
const MIN_FIRST_HIT_RATE = 0.95;

function createSources() {
  const ofKind = (kind: string) => DOCUMENTS.filter((document) => document.kind === kind);
  const toPost = ({ slug, title, topics, description, text }: (typeof DOCUMENTS)[number]) =>
    samplePost({ slug, title, keywords: topics.split(", "), description, text });
  const texts = new Map(DOCUMENTS.map(({ slug, text }) => [slug, text]));
  return [
    postSource(sampleIndex(...ofKind("post").map(toPost))),
    pageSource(ofKind("page").map(toPost)),
    episodeSource(
      ofKind("episode").map(({ slug, title, topics, description }, i) => ({
        number: i + 1,
        slug,
        title,
        description,
        keywords: topics,
        publishedAtMs: 0,
        updatedAtMs: 0,
      })),
      async (slug) => texts.get(slug)!,
    ),
  ];
}

/**
 * Returns the discounted cumulative gain of the first ten grades, with the gain 2^grade − 1
 * (https://en.wikipedia.org/wiki/Discounted_cumulative_gain).
 */
const gainOf = (grades: readonly number[]) =>
  grades.slice(0, 10).reduce((sum, grade, i) => sum + (2 ** grade - 1) / Math.log2(i + 2), 0);

test("nDCG@10 of 60 judged queries is above its floor, as docs/search.md says", async () => {
  const sources = createSources();
  const misses: string[] = [];
  let ndcg = 0;
  let firstHits = 0;
  for (const { q, relevant } of QUERIES) {
    const { matches } = await findMatches(sources, normalizeQuery(q));
    const slugs = matches.map(({ document }) => document.slug);
    const grades = slugs.map((slug) => relevant[slug] ?? 0);
    const ideal = Object.values(relevant).sort((a, b) => b - a);
    const score = gainOf(grades) / gainOf(ideal);
    const isFirstRight = grades[0] === ideal[0];
    ndcg += score / QUERIES.length;
    if (isFirstRight) firstHits += 1;
    if (score < 0.999) misses.push(`${q} (${score.toFixed(2)}): ${slugs.slice(0, 5).join(", ")}`);
  }
  expect(QUERIES).toHaveLength(60);
  expect(ndcg, misses.join("\n")).toBeGreaterThan(MIN_NDCG);
  expect(firstHits / QUERIES.length, misses.join("\n")).toBeGreaterThan(MIN_FIRST_HIT_RATE);
  const docs = readFileSync("docs/search.md", "utf8");
  expect(docs).toContain(`nDCG@10 ${ndcg.toFixed(3)}`);
  expect(docs).toContain(`correct first result for ${firstHits} of 60`);
});
