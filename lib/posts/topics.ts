// Lists the topics of the posts: their categories, each of which has a page and a feed.

import { siteConfig } from "#lib/core/site-config.ts";
import { encodePath } from "./addresses/post-address.ts";
import { createPostIndex, listPosts, type Post, type PostIndex } from "./post.ts";

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

/** Returns the last segment of a topic's path, not encoded: "remote-work" for "Remote work". */
const topicSlug = (topic: string): string => topicKey(topic).replace(/[\s/\\%?]+/g, "-");

/** Returns the path of a topic's page, percent-encoded. */
export const topicPath = (topic: string): string => encodePath(`/blog/topics/${topicSlug(topic)}`);

export const topicFeedPath = (topic: string): string => `${topicPath(topic)}/feed.xml`;

/** Returns what site.config.ts says about a topic. */
function settingsOf(topic: string): { title?: string | undefined; text?: string | undefined } {
  const key = topicKey(topic);
  const [, settings] =
    Object.entries(siteConfig.topics).find(([each]) => topicKey(each) === key) ?? [];
  return settings ?? {};
}

/** Returns the name of a topic as readers see it. */
export const topicTitle = (topic: string): string => settingsOf(topic).title ?? topic;

export interface Topic {
  /** As in the newest post. */
  readonly name: string;
  readonly title: string;
  /** What the topic is about; undefined unless site.config.ts says it. */
  readonly text: string | undefined;
}

/** Returns the topic of a listed post with this last segment of its path, or null. */
export function findTopic(index: PostIndex, slug: string): Topic | null {
  const wanted = topicKey(slug);
  const name = [...listTopics(index).values()].find((topic) => topicSlug(topic) === wanted);
  if (name === undefined) return null;
  return { name, title: topicTitle(name), text: settingsOf(name).text };
}

/** Returns an index with only the posts that have a topic. */
export function selectTopic(index: PostIndex, topic: string): PostIndex {
  const key = topicKey(topic);
  return createPostIndex(
    index.version,
    index.posts.filter((post) => topicKeysOf(post).has(key)),
  );
}
