import { expect, test } from "vitest";
import { sampleIndex } from "#tests/support/sample-posts.ts";
import { countedSlug, listPosts, listPostsInAllLanguages } from "./post.ts";
import { recommendPosts } from "./recommend.ts";
import { hasTranslationIn, inReadersLanguage, listTranslations } from "./translations.ts";

const index = sampleIndex(
  { slug: "names", date: "2026-11-03" },
  { slug: "names-de", lang: "de", translationOf: "names", date: "2026-11-04" },
  { slug: "names-es", lang: "es-MX", translationOf: "names", date: "2026-11-05" },
  { slug: "names-fr", lang: "fr", translationOf: "names", draft: true },
  { slug: "files", date: "2026-11-01" },
  { slug: "allein", lang: "de", translationOf: "no-such-post", date: "2026-10-01" },
  { slug: "second-hand", lang: "it", translationOf: "names-de", date: "2026-09-01" },
);
const post = (slug: string) => index.bySlug.get(slug)!;
const slugs = (posts: readonly { slug: string }[]) => posts.map(({ slug }) => slug);

test("lists have a post once, and its translations only if its original is missing", () => {
  expect(slugs(listPosts(index))).toEqual(["names", "files", "allein", "second-hand"]);
  expect(slugs(listPostsInAllLanguages(index))).toHaveLength(6);
});

test("every translation knows all the others, but no draft", () => {
  for (const slug of ["names", "names-de", "names-es"])
    expect(slugs(listTranslations(index, post(slug)))).toEqual(["names", "names-de", "names-es"]);
  expect(slugs(listTranslations(index, post("files")))).toEqual(["files"]);
  expect(slugs(listTranslations(index, post("allein")))).toEqual(["allein"]);
  expect(slugs(listTranslations(index, post("names-fr")))).toEqual([
    "names",
    "names-de",
    "names-es",
    "names-fr",
  ]);
});

test("a post from an earlier index is not listed next to itself", () => {
  const earlier = { ...post("names-de") };
  expect(slugs(listTranslations(index, earlier))).toEqual(["names", "names-de", "names-es"]);
  expect(slugs(listTranslations(index, { ...post("names") }))).toEqual([
    "names",
    "names-de",
    "names-es",
  ]);
});

test("a post and its translations are counted under the original's slug", () => {
  expect(["names", "names-de", "names-es"].map((slug) => countedSlug(index, slug))).toEqual([
    "names",
    "names",
    "names",
  ]);
  expect(countedSlug(index, "allein")).toBe("allein");
  expect(countedSlug(index, "unknown")).toBe("unknown");
});

test("a list shows the translation in the first of the reader's languages that there is", () => {
  const shown = (...languages: string[]) => inReadersLanguage(index, post("names"), languages).slug;
  expect(shown()).toBe("names");
  expect(shown("de", "en")).toBe("names-de");
  expect(shown("fr", "es")).toBe("names-es");
  expect(shown("en", "de")).toBe("names");
  expect(shown("ja")).toBe("names");
  expect(inReadersLanguage(index, post("files"), ["de"]).slug).toBe("files");
});

test("an unlisted original hides no translation from lists", () => {
  const hidden = sampleIndex(
    { slug: "a", unlisted: true },
    { slug: "a-de", lang: "de", translationOf: "a" },
  );
  expect(slugs(listPosts(hidden))).toEqual(["a-de"]);
  expect(slugs(listTranslations(hidden, hidden.bySlug.get("a-de")!))).toEqual(["a-de"]);
});

test("a translation is never recommended after its original, nor the original after it", () => {
  for (const slug of ["names", "names-de"]) {
    const recommended = recommendPosts(index, {
      slug,
      count: 10,
      reader: { key: "", readSlugs: new Set() },
      totals: new Map(),
      nowMs: 0,
    });
    expect(slugs(recommended).sort()).toEqual(["allein", "files", "second-hand"]);
  }
});

test("the site knows whether a post exists in another language", () => {
  expect(hasTranslationIn(index, "de")).toBe(true);
  expect(hasTranslationIn(index, "fr")).toBe(false);
});
