// Makes the index of one content version: every post read, compiled or taken from its last good version.

import { nowMs } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import { isAppError } from "#lib/core/errors.ts";
import {
  type ContentFile,
  type PostFile,
  listPostFiles,
} from "#lib/posts/source/content-source.ts";
import { type PostIndex, createPostIndex } from "#lib/posts/post.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import {
  type CatalogContext,
  type ParsedPost,
  type SitePost,
  compiledPostCache,
  parsePostText,
  loadLastGood,
  postId,
  loadParsedPost,
  toSitePost,
  findPostProblem,
  saveLastGood,
  createPlaceholder,
} from "./parsed-post.ts";

export interface PostFailure {
  readonly slug: string;
  readonly kind: "post" | "page";
  readonly file: string;
  readonly line: number;
  readonly column?: number;
  readonly field?: string;
  readonly reason: string;
  /** Since when this post fails, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** What readers get meanwhile. */
  readonly servedFrom: "last good" | "nothing";
}

/** Everything the site shows of one content version. Never changed once published. */
export interface PublishedIndex {
  readonly version: string;
  readonly index: PostIndex<SitePost>;
  readonly pages: ReadonlyMap<string, SitePost>;
  /** By id. A post is uncompiled as long as `pending` has its id. */
  readonly parsedPosts: ReadonlyMap<string, ParsedPost>;
  readonly pendingIds: ReadonlySet<string>;
  readonly filesByPath: ReadonlyMap<string, readonly ContentFile[]>;
}

export interface BuildProgress {
  readonly done: number;
  /** Posts that no cache had. */
  readonly total: number;
}

/** A newer version became live while this one was made. */
export class BuildCancelled extends Error {}

/** How many files are asked for at the same time: GitHub asks for few. */
const READ_CONCURRENCY = 4;

export interface CatalogBuild {
  readonly version: string;
  readonly failures: ReadonlyMap<string, PostFailure>;
  getProgress(): BuildProgress;
  /** The post with this id as readers get it, compiled now if nobody did yet; null when it can't be shown. */
  compileOne(id: string): Promise<SitePost | null>;
  /** Front matter of every post, compiled where the cache has it. */
  partialIndex(): PublishedIndex;
  /** Everything compiled. Throws Superseded when `isWanted` turns false. */
  compileAll(isWanted: () => boolean): Promise<PublishedIndex>;
}

export interface BuildOptions {
  readonly version: string;
  readonly context: CatalogContext;
  /** What is served now: its posts are used again where nothing about them changed. */
  readonly publishedIndex: PublishedIndex | null;
  readonly previousFailures: ReadonlyMap<string, PostFailure>;
  /** The version that was live before, where a last good post may be when this machine's cache has none. */
  readonly getPreviousVersion: () => Promise<string | null>;
  readonly workers: number;
}

/**
 * Lists and reads `version`. A post that fails is replaced by its last good version or left out, and stands in
 * `failures`. Throws AppError when the source fails: then nothing about this version can be said.
 */
export async function startBuild({
  version,
  context,
  publishedIndex,
  previousFailures,
  getPreviousVersion,
  workers,
}: BuildOptions): Promise<CatalogBuild> {
  const files = await context.source.listFiles(version);
  const failures = new Map<string, PostFailure>();
  const drafts = new Map<string, ParsedPost>();
  const settled = new Map<string, Promise<SitePost | null>>();
  let earlier: Promise<{ version: string; posts: Map<string, PostFile> } | null> | undefined;
  let total = 0;
  let done = 0;

  function fail(file: PostFile, error: unknown, servedFrom: PostFailure["servedFrom"]): void {
    const { slug, kind } = file;
    const problem = findPostProblem(error) ?? {
      file: file.path,
      line: 1,
      reason: isAppError(error)
        ? error.message
        : `It could not be compiled: ${String(error).slice(0, 500)}`,
    };
    const known = previousFailures.get(postId(file));
    const sinceMs = known?.reason === problem.reason ? known.sinceMs : nowMs();
    failures.set(postId(file), { slug, kind, ...problem, sinceMs, servedFrom });
    log("warn", "content.post_failed", { ...problem, version, servedFrom });
  }

  /** The files of the version before, by id. Only a host has older versions; a disk answers not_found. */
  async function filesBefore() {
    try {
      const name = await getPreviousVersion();
      if (name === null || name === version) return null;
      return {
        version: name,
        posts: new Map(
          listPostFiles(await context.source.listFiles(name)).map((file) => [postId(file), file]),
        ),
      };
    } catch {
      return null;
    }
  }

  /** The post as it was when it last compiled, if that is another text than `draft`'s. */
  async function findGoodDraft(id: string, draft: ParsedPost | null): Promise<ParsedPost | null> {
    try {
      const good = loadLastGood(id, context);
      let found = good && (await parsePostText(good.file, good.version, good.text, context));
      if (!found) {
        earlier ??= filesBefore();
        const older = await earlier;
        const file = older?.posts.get(id);
        found = older && file ? await loadParsedPost(file, older.version, context) : null;
      }
      return found && found.compileKey !== draft?.compileKey ? found : null;
    } catch (error) {
      log("warn", "content.last_good_unusable", { id, error });
      return null;
    }
  }

  async function compiledOf(draft: ParsedPost): Promise<SitePost> {
    const known = publishedIndex?.parsedPosts.get(draft.id);
    const kept =
      known?.compileKey === draft.compileKey && !publishedIndex!.pendingIds.has(draft.id)
        ? findPublishedPost(publishedIndex!, draft.id)
        : null;
    const post = toSitePost(draft, kept?.compiled ?? (await compiledPostCache.get(draft)));
    saveLastGood(draft, context);
    return post;
  }

  async function settleNow(id: string): Promise<SitePost | null> {
    const draft = drafts.get(id);
    if (!draft) return null;
    try {
      return await compiledOf(draft);
    } catch (error) {
      // A draft from the last good version has its failure noted already: that of the new text.
      if (failures.has(id)) {
        failures.set(id, { ...failures.get(id)!, servedFrom: "nothing" });
        log("warn", "content.last_good_unusable", { id, error });
        return null;
      }
      const good = await findGoodDraft(id, draft);
      const post = good && (await compiledOf(good).catch(() => null));
      if (good && post) drafts.set(id, good);
      fail(draft.file, error, post ? "last good" : "nothing");
      return post;
    }
  }

  function settle(id: string): Promise<SitePost | null> {
    let post = settled.get(id);
    if (!post) {
      post = settleNow(id);
      settled.set(id, post);
    }
    return post;
  }

  async function load(file: PostFile): Promise<void> {
    const id = postId(file);
    const other = claimed.get(id);
    if (other !== file.path) {
      // Under an id of its own: the post that has the slug is served as it should.
      const doubleId = `${id} ${file.path}`;
      failures.set(doubleId, {
        slug: file.slug,
        kind: file.kind,
        file: file.path,
        line: 1,
        reason: `${other} has the same slug; only that one is shown.`,
        sinceMs: previousFailures.get(doubleId)?.sinceMs ?? nowMs(),
        servedFrom: "nothing",
      });
      return;
    }
    try {
      drafts.set(id, await loadParsedPost(file, version, context));
    } catch (error) {
      if (!findPostProblem(error)) throw error;
      const good = await findGoodDraft(id, null);
      if (good) drafts.set(id, good);
      fail(file, error, good ? "last good" : "nothing");
    }
  }

  function serve(
    post: (draft: ParsedPost) => SitePost | null | undefined,
    pending: ReadonlySet<string>,
  ): PublishedIndex {
    const posts: SitePost[] = [];
    const pages = new Map<string, SitePost>();
    const byPath = new Map<string, ContentFile[]>();
    const served = new Map<string, ParsedPost>();
    const add = (file: ContentFile) =>
      byPath.set(file.path, [...(byPath.get(file.path) ?? []), file]);
    for (const file of files) add(file);
    for (const draft of drafts.values()) {
      const found = post(draft);
      if (!found) continue;
      served.set(draft.id, draft);
      if (draft.file.kind === "post") posts.push(found);
      else pages.set(found.slug, found);
      // A last good post shows the pictures of its own version.
      if (draft.version !== version) for (const file of draft.file.beside) add(file);
    }
    return {
      version,
      index: createPostIndex(version, posts),
      pages,
      parsedPosts: served,
      pendingIds: pending,
      filesByPath: byPath,
    };
  }

  const list = listPostFiles(files);
  const claimed = new Map<string, string>();
  for (const file of list) if (!claimed.has(postId(file))) claimed.set(postId(file), file.path);
  await forEachConcurrently(list, READ_CONCURRENCY, load);

  return {
    version,
    failures,
    getProgress: () => ({ done, total }),
    compileOne: settle,
    partialIndex() {
      const pending = new Set<string>();
      const served = serve((draft) => {
        const compiled = compiledPostCache.peek(draft);
        if (!compiled) pending.add(draft.id);
        return toSitePost(draft, compiled ?? createPlaceholder(draft));
      }, pending);
      return served;
    },
    async compileAll(isWanted) {
      const newestFirst = [...drafts.values()].sort((a, b) =>
        a.frontMatter.date < b.frontMatter.date ? 1 : -1,
      );
      const missing = newestFirst.filter(
        (draft) =>
          publishedIndex?.parsedPosts.get(draft.id)?.compileKey !== draft.compileKey &&
          compiledPostCache.peek(draft) === null,
      );
      const isMissing = new Set(missing.map(({ id }) => id));
      total = missing.length;
      // No more at a time than there are workers: a post that a reader asks for meanwhile is then next in line.
      await forEachConcurrently(newestFirst, workers, async ({ id, file }) => {
        if (!isWanted()) throw new BuildCancelled();
        const startedMs = performance.now();
        await settle(id);
        if (!isMissing.has(id)) return;
        done += 1;
        log("info", "content.compiling", {
          progress: `${done}/${total}`,
          file: file.path,
          ms: Math.round(performance.now() - startedMs),
        });
      });
      const posts = new Map<string, SitePost | null>();
      for (const id of drafts.keys()) posts.set(id, await settle(id));
      return serve((draft) => posts.get(draft.id), new Set());
    },
  };
}

/** The post or page with this id, as it is served. */
export function findPublishedPost({ index, pages }: PublishedIndex, id: string): SitePost | null {
  const slug = id.slice(id.indexOf("/") + 1);
  return (id.startsWith("post/") ? index.bySlug.get(slug) : pages.get(slug)) ?? null;
}
