// Defines the index of everything the site shows from a content version. Immutable once published.

import type { PostCode } from "#lib/posts/mdx/compiled-post.ts";
import { existsSync } from "node:fs";
import { listYears } from "#lib/posts/archive.ts";
import { AddressTable } from "#lib/posts/addresses/address-table.ts";
import type { Redirects } from "#lib/posts/addresses/load-redirects.ts";
import { nowMs } from "#lib/core/clock.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { type Post, type PostIndex, createPostIndex } from "#lib/posts/post.ts";
import { isScheduled, publicationMs } from "#lib/posts/post-dates.ts";
import type { ContentFile } from "#lib/posts/source/content-source.ts";
import { listTopics, topicPath } from "#lib/posts/topics.ts";
import { listHiddenFiles } from "./hidden-files.ts";
import type { ParsedPost } from "./parsed-post.ts";
import type { PostChanges } from "./post-changes.ts";

/** What readers see, until the next scheduled post goes live. */
interface ReaderView {
  readonly index: PostIndex;
  readonly addresses: AddressTable;
  /** Published later, the next one first. */
  readonly scheduled: readonly Post[];
  /** What readers can't see: scheduled posts, and drafts if they are private. */
  readonly hidden: ReadonlySet<Post>;
  /** Paths of files that readers can't see. */
  readonly hiddenFiles: ReadonlySet<string>;
}

export interface PublishedIndex extends ReaderView {
  readonly version: string;
  /** Hidden posts included. */
  readonly allPosts: PostIndex;
  readonly allAddresses: AddressTable;
  readonly pages: ReadonlyMap<string, Post>;
  /** By id. */
  readonly parsedPosts: ReadonlyMap<string, ParsedPost>;
  /** Posts that are not compiled yet: the index has a placeholder. */
  readonly pendingIds: ReadonlySet<string>;
  /** The version's files, and the assets of posts from an older version. */
  readonly filesByPath: ReadonlyMap<string, readonly ContentFile[]>;
  readonly redirects: Redirects;
  readonly filesBySha: ReadonlyMap<string, ContentFile>;
}

/** Returns the index of the `parsedPosts` for which `toPost` returns a post. */
export function createPublishedIndex(
  version: string,
  files: readonly ContentFile[],
  parsedPosts: Iterable<ParsedPost>,
  toPost: (parsed: ParsedPost) => Post | null | undefined,
  pendingIds: ReadonlySet<string>,
  redirects: Redirects,
): PublishedIndex {
  const posts: Post[] = [];
  const pages = new Map<string, Post>();
  const filesByPath = new Map<string, ContentFile[]>();
  const shown = new Map<string, ParsedPost>();
  const filesBySha = new Map<string, ContentFile>();
  const addFile = (file: ContentFile) => {
    filesByPath.set(file.path, [...(filesByPath.get(file.path) ?? []), file]);
    filesBySha.set(file.blobSha, file);
  };
  for (const file of files) addFile(file);
  for (const parsed of parsedPosts) {
    const post = toPost(parsed);
    if (!post) continue;
    shown.set(parsed.id, parsed);
    if (parsed.file.kind === "post") posts.push(post);
    else pages.set(post.slug, post);
    // A last good post uses the images of its own version.
    if (parsed.version === version) continue;
    for (const file of parsed.file.assets) addFile(file);
    for (const { file } of parsed.references) if (!file.path.startsWith("/")) addFile(file);
  }
  const allPosts = createPostIndex(version, posts);
  const allAddresses = createAddresses(allPosts, pages, redirects);
  const content = { allPosts, allAddresses, pages, redirects, parsedPosts: shown, filesByPath };
  return { version, ...content, ...createReaderView(content), pendingIds, filesBySha };
}

/**
 * Returns the index with the times at which posts last changed, or the same index if they are
 * unchanged.
 */
export function withPostChanges(
  published: PublishedIndex,
  { changedMsById }: PostChanges,
): PublishedIndex {
  const { allPosts, pages } = published;
  let isChanged = false;
  const update = (kind: "post" | "page", post: Post): Post => {
    const changedMs = changedMsById.get(`${kind}/${post.slug}`);
    isChanged ||= post.changedMs !== changedMs;
    return { ...post, changedMs };
  };
  const updated = {
    allPosts: createPostIndex(
      published.version,
      allPosts.posts.map((post) => update("post", post)),
    ),
    pages: new Map([...pages].map(([slug, page]) => [slug, update("page", page)])),
  };
  if (!isChanged) return published;
  return { ...published, ...updated, ...createReaderView({ ...published, ...updated }) };
}

type Content = Pick<
  PublishedIndex,
  "allPosts" | "allAddresses" | "pages" | "redirects" | "parsedPosts" | "filesByPath"
>;

/** Hides posts from everything that readers reach: lists, search, addresses, files. */
function createReaderView(content: Content): ReaderView {
  const { allPosts, allAddresses, pages, redirects, parsedPosts, filesByPath } = content;
  const now = nowMs();
  const scheduled = allPosts.posts.filter((post) => isScheduled(post, now));
  const drafts =
    siteConfig.content.drafts === "private"
      ? [...allPosts.posts, ...pages.values()].filter(isDraft)
      : [];
  const hidden = new Set([...scheduled, ...drafts]);
  const hiddenFiles = listHiddenFiles([...filesByPath.keys()], parsedPosts.values(), [...hidden]);
  if (hidden.size === 0)
    return { index: allPosts, addresses: allAddresses, scheduled, hidden, hiddenFiles };
  const index = createPostIndex(
    allPosts.version,
    allPosts.posts.filter((post) => !hidden.has(post)),
  );
  return {
    index,
    // An alias would tell the address of a hidden post.
    addresses: createAddresses(
      index,
      new Map([...pages].filter(([, page]) => !hidden.has(page))),
      redirects,
    ),
    scheduled: scheduled.sort((a, b) => publicationMs(a) - publicationMs(b)),
    hidden,
    hiddenFiles,
  };
}

const isDraft = ({ frontMatter }: Post): boolean => frontMatter.draft;

/** Returns the index with the posts that went live since it was created, or null if none did. */
export function showDuePosts(published: PublishedIndex): PublishedIndex | null {
  const [next] = published.scheduled;
  if (!next || isScheduled(next, nowMs())) return null;
  return { ...published, ...createReaderView(published) };
}

function createAddresses(
  index: PostIndex,
  pages: ReadonlyMap<string, Post>,
  { rules, warnings }: Redirects,
): AddressTable {
  const lists = [
    ...[...listTopics(index).values()].map((topic) =>
      decodeURIComponent(topicPath(topic)).slice(1),
    ),
    ...listYears(index).map(({ year }) => `blog/archive/${year}`),
  ];
  const addresses = new AddressTable({
    posts: index.posts,
    pages: [...pages.keys(), ...lists],
    rules,
    isPublicFile,
  });
  addresses.warnings.unshift(...warnings);
  return addresses;
}

/** Returns whether public/ has the file at a decoded path. */
export function isPublicFile(path: string): boolean {
  return path !== "/" && !path.includes("..") && existsSync(`public${path}`);
}

/** Returns the post or page with this id, hidden or not, or null. */
export function findPublishedPost({ allPosts, pages }: PublishedIndex, id: string): Post | null {
  const slug = id.slice(id.indexOf("/") + 1);
  return (id.startsWith("post/") ? allPosts.bySlug.get(slug) : pages.get(slug)) ?? null;
}

/**
 * Returns the code with this hash of a post or page, or null. A hidden post's code, too: its preview
 * needs it, and no one can guess the hash.
 */
export function findPublishedCode(
  { allPosts, pages }: PublishedIndex,
  hash: string,
): PostCode | null {
  for (const posts of [allPosts.posts, pages.values()])
    for (const { compiled } of posts) if (compiled.code?.hash === hash) return compiled.code;
  return null;
}
