// Groups posts with their translations, and picks the one in a reader's language.

import { parseLanguageTag } from "#lib/core/language-tag.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import {
  type Post,
  type PostIndex,
  countedSlug,
  isListed,
  listPostsInAllLanguages,
  originalOf,
} from "./post.ts";

/** Returns the language of a post as a BCP 47 tag. */
export const postLanguage = ({ frontMatter }: Pick<Post, "frontMatter">): string =>
  frontMatter.lang ?? siteConfig.language;

const groupsCache = new WeakMap<PostIndex, ReadonlyMap<string, readonly Post[]>>();

/** Returns the listed posts by the slug of their original. */
function groupByOriginal(index: PostIndex): ReadonlyMap<string, readonly Post[]> {
  let groups = groupsCache.get(index);
  if (!groups) {
    groups = Map.groupBy(listPostsInAllLanguages(index), ({ slug }) => countedSlug(index, slug));
    groupsCache.set(index, groups);
  }
  return groups;
}

/**
 * Returns the listed posts that are this one in another language, and itself: the original first,
 * then by language. Compares slugs, because a post may be from an earlier index.
 */
export function listTranslations(index: PostIndex, post: Post): readonly Post[] {
  const original = originalOf(index, post);
  const group = groupByOriginal(index).get(original.slug) ?? [];
  const isShown = ({ slug }: Post) => slug === post.slug || slug === original.slug;
  const translations = [
    ...group.filter((each) => !isShown(each)),
    ...(post.slug === original.slug ? [] : [post]),
  ];
  return [
    ...(post.slug === original.slug || isListed(original) ? [original] : []),
    ...translations.sort((a, b) => (postLanguage(a) < postLanguage(b) ? -1 : 1)),
  ];
}

/** Returns the primary language of a tag: "de" for "de-AT". */
export const primaryLanguage = (tag: string) => parseLanguageTag(tag).language;

/** Returns the translation in the first of the reader's languages that there is, or the post. */
export function inReadersLanguage(
  index: PostIndex,
  post: Post,
  languages: readonly string[],
): Post {
  if (languages.length === 0) return post;
  const translations = listTranslations(index, post);
  if (translations.length < 2) return post;
  for (const language of languages) {
    const match = translations.find((each) => primaryLanguage(postLanguage(each)) === language);
    if (match) return match;
  }
  return post;
}

const languagesCache = new WeakMap<PostIndex, ReadonlySet<string>>();

/** Returns whether a listed post was translated into this primary language, or from it. */
export function hasTranslationIn(index: PostIndex, language: string): boolean {
  let languages = languagesCache.get(index);
  if (!languages) {
    const translated = [...groupByOriginal(index).values()].filter((group) => group.length > 1);
    languages = new Set(translated.flat().map((post) => primaryLanguage(postLanguage(post))));
    languagesCache.set(index, languages);
  }
  return languages.has(language);
}
