// Builds the index of a content version: reads and compiles every post, or falls back to its last
// good version.

import { nowMs } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { type Redirects, loadRedirects } from "#lib/posts/addresses/load-redirects.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import { log } from "#lib/core/log.ts";
import type { Post } from "#lib/posts/post.ts";
import {
  type ContentFile,
  type PostFile,
  listBundles,
  listPostFiles,
} from "#lib/posts/source/content-source.ts";
import { describeNonPost, isIgnoredPath } from "#lib/posts/source/post-path.ts";
import { compiledPostCache, createPlaceholder, toPost } from "./compiled-post-cache.ts";
import { LastGoodPosts, saveLastGood } from "./last-good-post.ts";
import {
  type CatalogContext,
  type ParsedPost,
  findPostProblem,
  loadParsedPost,
  postId,
} from "./parsed-post.ts";
import { type FilesByPath, findFileProblem, indexByPath } from "./post-images.ts";
import { type PublishedIndex, createPublishedIndex, findPublishedPost } from "./published-index.ts";

export interface PostFailure {
  readonly slug: string;
  readonly kind: "post" | "page";
  readonly file: string;
  readonly line: number;
  readonly column?: number;
  readonly field?: string;
  readonly reason: string;
  /** When this post started to fail (Unix time in ms). */
  readonly sinceMs: number;
  /** What readers see until it is fixed. */
  readonly servedFrom: "last good" | "nothing";
}

export interface BuildProgress {
  readonly done: number;
  /** The number of posts that were not in the cache. */
  readonly total: number;
}

/** Thrown when a newer version was published during the build. */
export class BuildCanceled extends Error {}

/** GitHub asks clients to limit concurrent requests. */
const READ_CONCURRENCY = 4;

export interface BuildOptions {
  readonly version: string;
  readonly context: CatalogContext;
  /** The currently published index. Unchanged posts are reused. */
  readonly publishedIndex: PublishedIndex | null;
  readonly previousFailures: ReadonlyMap<string, PostFailure>;
  /**
   * Returns the version published before, for last good posts that the local cache doesn't have.
   */
  readonly findPreviousVersion: () => Promise<string | null>;
  readonly workers: number;
}

/** Returns null if the post failed. Rethrows if the source did, so that the version is retried. */
function rethrowUnavailable(error: unknown): null {
  if (isAppError(error, "unavailable")) throw error;
  return null;
}

/** Builds one content version. Created by start(). */
export class CatalogBuild {
  readonly version: string;
  readonly failures = new Map<string, PostFailure>();
  readonly #options: BuildOptions;
  readonly #files: readonly ContentFile[];
  readonly #redirects: Redirects;
  readonly #filesByPath: FilesByPath;
  readonly #lastGoodPosts: LastGoodPosts;
  readonly #parsedPosts = new Map<string, ParsedPost>();
  readonly #posts = new Map<string, Promise<Post | null>>();
  #progress: BuildProgress = { done: 0, total: 0 };

  private constructor(options: BuildOptions, files: readonly ContentFile[], redirects: Redirects) {
    this.version = options.version;
    this.#options = options;
    this.#files = files;
    this.#redirects = redirects;
    this.#filesByPath = indexByPath(files);
    this.#lastGoodPosts = new LastGoodPosts(options);
  }

  /**
   * Lists and parses the posts of `version`. A broken post falls back to its last good version or
   * is left out, and is recorded in `failures`. Throws AppError if the source fails.
   */
  static async start(options: BuildOptions): Promise<CatalogBuild> {
    const files = await options.context.source.listFiles(options.version);
    const redirects = await loadRedirects(files, options.context.source);
    const build = new CatalogBuild(options, files, redirects);
    const parsed = new Map<PostFile, ParsedPost>();
    const postFiles = listPostFiles(files);
    const pathById = new Map(postFiles.toReversed().map((file) => [postId(file), file.path]));
    await forEachConcurrently(postFiles, READ_CONCURRENCY, async (file) => {
      const post = await build.#parse(file, pathById.get(postId(file)) === file.path);
      if (post) parsed.set(file, post);
    });
    // Of two files with one slug, the first one by path is served.
    for (const file of postFiles) {
      const post = parsed.get(file);
      const other = post && build.#parsedPosts.get(post.id);
      if (other) build.#addDuplicate(file, post, other.file.path);
      else if (post) build.#parsedPosts.set(post.id, post);
    }
    return build;
  }

  getProgress(): BuildProgress {
    return this.#progress;
  }

  /** Returns an index of every post: compiled if it is in the cache, else a placeholder. */
  createPartialIndex(): PublishedIndex {
    const pendingIds = new Set<string>();
    return this.#createIndex((parsed) => {
      const compiled = compiledPostCache.peek(parsed);
      if (!compiled) pendingIds.add(parsed.id);
      return toPost(parsed, compiled ?? createPlaceholder(parsed));
    }, pendingIds);
  }

  /**
   * Compiles the post with this id, at most once. Returns null if it cannot be shown. Throws
   * AppError(unavailable) if a file can't be read now.
   */
  compileOne(id: string): Promise<Post | null> {
    let post = this.#posts.get(id);
    if (!post) {
      post = this.#compileOrFallBack(id);
      this.#posts.set(id, post);
      post.catch(() => this.#posts.delete(id));
    }
    return post;
  }

  /** Compiles every post, newest first. Throws BuildCanceled when `isWanted` returns false. */
  async compileAll(isWanted: () => boolean): Promise<PublishedIndex> {
    const newestFirst = [...this.#parsedPosts.values()].sort((a, b) =>
      a.frontMatter.date < b.frontMatter.date ? 1 : -1,
    );
    const missing = newestFirst.filter(
      (parsed) => !this.#isPublished(parsed) && compiledPostCache.peek(parsed) === null,
    );
    const missingIds = new Set(missing.map(({ id }) => id));
    this.#progress = { done: 0, total: missing.length };
    // At most one per worker, so that a post that a reader requests is next in the queue.
    await forEachConcurrently(newestFirst, this.#options.workers, async ({ id, file }) => {
      if (!isWanted()) throw new BuildCanceled();
      const startedMs = performance.now();
      await this.compileOne(id);
      if (!missingIds.has(id)) return;
      const { done, total } = this.#progress;
      this.#progress = { done: done + 1, total };
      log("info", "content.compiling", {
        progress: `${done + 1}/${total}`,
        file: file.path,
        ms: Math.round(performance.now() - startedMs),
      });
    });
    const posts = new Map<string, Post | null>();
    for (const id of this.#parsedPosts.keys()) posts.set(id, await this.compileOne(id));
    return this.#createIndex(({ id }) => posts.get(id), new Set());
  }

  /**
   * Returns warnings for files that no post mentions: broken, too large, or posts in the wrong
   * place. Posts report the others.
   * Stops when `isWanted` returns false.
   */
  async checkFiles(isWanted: () => boolean): Promise<string[]> {
    const { context } = this.#options;
    const mentioned = new Set(
      [...this.#parsedPosts.values()].flatMap(({ references }) =>
        references.map(({ file }) => file.path),
      ),
    );
    const postPaths = new Set(listPostFiles(this.#files).map(({ path }) => path));
    const bundles = listBundles(this.#files);
    const links = await context.source.listLinks(this.version);
    const warnings = links
      .filter((path) => !isIgnoredPath(path))
      .map(
        (path) =>
          `${path}:1: it is a symbolic link, which is not followed; copy the file or folder that it points to`,
      );
    for (const file of this.#files) {
      if (!isWanted()) break;
      if (
        /\.(?:mdx?|markdown)$/i.test(file.path) &&
        !postPaths.has(file.path) &&
        !isIgnoredPath(file.path)
      )
        warnings.push(`${file.path}:1: ${describeNonPost(file.path, bundles)}`);
      if (mentioned.has(file.path)) continue;
      const problem = await findFileProblem(file, context);
      if (problem !== undefined) warnings.push(`${file.path}:1: ${problem}`);
    }
    return warnings;
  }

  #createIndex(
    toIndexPost: (parsed: ParsedPost) => Post | null | undefined,
    pendingIds: ReadonlySet<string>,
  ): PublishedIndex {
    return createPublishedIndex(
      this.version,
      this.#files,
      this.#parsedPosts.values(),
      toIndexPost,
      pendingIds,
      this.#redirects,
    );
  }

  /**
   * Returns the post or, if it is broken, its last good version; null if there is none. Of files
   * with one name, only the first has a last good version.
   */
  async #parse(file: PostFile, isFirst: boolean): Promise<ParsedPost | null> {
    try {
      return await loadParsedPost(file, this.version, this.#filesByPath, this.#options.context);
    } catch (error) {
      if (!findPostProblem(error)) throw error;
      const lastGood = isFirst ? await this.#lastGoodPosts.find(file, null) : null;
      const id = lastGood?.id ?? (isFirst ? postId(file) : `${postId(file)} ${file.path}`);
      this.#addFailure(id, file, error, lastGood ? "last good" : "nothing");
      return lastGood;
    }
  }

  async #compileOrFallBack(id: string): Promise<Post | null> {
    const parsed = this.#parsedPosts.get(id);
    if (!parsed) return null;
    try {
      return await this.#compile(parsed);
    } catch (error) {
      rethrowUnavailable(error);
      // If the post failed to parse, `parsed` is already its last good version.
      const failure = this.failures.get(id);
      if (failure) {
        this.failures.set(id, { ...failure, servedFrom: "nothing" });
        log("warn", "content.last_good_unusable", { id, error });
        return null;
      }
      const lastGood = await this.#lastGoodPosts.find(parsed.file, parsed);
      const post = lastGood && (await this.#compile(lastGood).catch(rethrowUnavailable));
      if (lastGood && post) this.#parsedPosts.set(id, lastGood);
      this.#addFailure(id, parsed.file, error, post ? "last good" : "nothing");
      return post;
    }
  }

  async #compile(parsed: ParsedPost): Promise<Post> {
    const { context, publishedIndex } = this.#options;
    const isReusable = this.#isPublished(parsed) && !publishedIndex!.pendingIds.has(parsed.id);
    const published = isReusable ? findPublishedPost(publishedIndex!, parsed.id) : null;
    const compiled =
      published && !published.compiled.isTemporary
        ? published.compiled
        : await compiledPostCache.get(parsed);
    const post = toPost(parsed, compiled);
    saveLastGood(parsed, context);
    return post;
  }

  #isPublished({ id, compileKey }: ParsedPost): boolean {
    return this.#options.publishedIndex?.parsedPosts.get(id)?.compileKey === compileKey;
  }

  #addFailure(
    id: string,
    file: PostFile,
    error: unknown,
    servedFrom: PostFailure["servedFrom"],
  ): void {
    const problem = findPostProblem(error) ?? {
      file: file.path,
      line: 1,
      reason: isAppError(error)
        ? error.message
        : `It could not be compiled: ${String(error).slice(0, 500)}`,
    };
    const previous = this.#options.previousFailures.get(id);
    const sinceMs = previous?.reason === problem.reason ? previous.sinceMs : nowMs();
    this.failures.set(id, { slug: file.slug, kind: file.kind, ...problem, sinceMs, servedFrom });
    log("warn", "content.post_failed", { ...problem, version: this.version, servedFrom });
  }

  /**
   * Records a second file with the same slug as a failure, under a separate id. The first one is
   * served.
   */
  #addDuplicate(file: PostFile, { id: postId, slug }: ParsedPost, otherPath: string): void {
    const id = `${postId} ${file.path}`;
    this.failures.set(id, {
      slug,
      kind: file.kind,
      file: file.path,
      line: 1,
      reason: `${otherPath} has the same slug; only that one is shown.`,
      sinceMs: this.#options.previousFailures.get(id)?.sinceMs ?? nowMs(),
      servedFrom: "nothing",
    });
  }
}
