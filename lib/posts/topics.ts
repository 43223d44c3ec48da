// Lists the topics of the posts: their categories, of which each has a page and a feed.

import { siteConfig } from "#lib/core/site-config.ts";
import { listPosts, type Post, type PostIndex } from "./post.ts";

/** Returns a topic's key. Topics that differ only in case have the same key. */
export function topicKey(topic: string): string {
  return topic.toWellFormed().normalize("NFC").replace(/\s+/gu, " ").trim().toLowerCase();
}

/** Returns the keys of a post's topics. */
export function topicKeysOf({ frontMatter }: Pick<Post, "frontMatter">): Set<string> {
  return new Set(frontMatter.categories.map(topicKey));
}

/**
 * Returns every topic of the listed posts by key, spelled as in the newest post. The order is the
 * alphabet of the site's language.
 */
export function listTopics(index: PostIndex): ReadonlyMap<string, string> {
  const topics = new Map<string, string>();
  for (const post of listPosts(index)) {
    for (const topic of post.frontMatter.categories)
      if (!topics.has(topicKey(topic))) topics.set(topicKey(topic), topic);
  }
  const { compare } = new Intl.Collator(siteConfig.language);
  return new Map([...topics].sort(([, a], [, b]) => compare(a, b)));
}
