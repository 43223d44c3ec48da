// Parses language tags and caches the results, because a page needs the language of every card.

import { LRUCache } from "lru-cache";

interface LanguageTag {
  /** The primary language: "de" for "de-AT". */
  readonly language: string;
  /** The likely script, such as "Arab"; "" if none is known. */
  readonly script: string;
}

const cachedTags = new LRUCache<string, LanguageTag>({ max: 100 });

/** Returns the parts of a BCP 47 tag. Throws a RangeError if the tag is malformed. */
export function parseLanguageTag(tag: string): LanguageTag {
  const cached = cachedTags.get(tag);
  if (cached) return cached;
  const locale = new Intl.Locale(tag);
  const result = { language: locale.language, script: locale.maximize().script ?? "" };
  cachedTags.set(tag, result);
  return result;
}
