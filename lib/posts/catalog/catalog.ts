// Keeps the served posts in sync with the published content version: polls, builds in the
// background, and swaps the index.

import { createHash } from "node:crypto";
import { SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import type { AddressMatch } from "#lib/http/content-addresses.ts";
import type { ContentOutage } from "#lib/http/content-outage.ts";
import type { PostCode } from "#lib/posts/mdx/compiled-post.ts";
import { AddressTable } from "#lib/posts/addresses/address-table.ts";
import { compilerVersion } from "#lib/posts/mdx/compiler-version.ts";
import type { Post, PostIndex } from "#lib/posts/post.ts";
import { publicationMs } from "#lib/posts/post-dates.ts";
import { hasTranslationIn } from "#lib/posts/translations.ts";
import type { ImageFile } from "#lib/posts/images/content-image.ts";
import type { ContentFile } from "#lib/posts/source/content-source.ts";
import { BuildCanceled, CatalogBuild, type PostFailure } from "./catalog-build.ts";
import { type CatalogStatus, describeOutage, listWarnings } from "./catalog-status.ts";
import { compiledPostCache, toPost } from "./compiled-post-cache.ts";
import type { ContentVersionSource } from "./content-version-source.ts";
import { type FreshCompile, compileFreshPost } from "./fresh-compile.ts";
import type { CatalogContext } from "./parsed-post.ts";
import { NO_CHANGES, type PostChangeLog } from "./post-changes.ts";
import {
  type PublishedIndex,
  findPublishedCode,
  findPublishedPost,
  showDuePosts,
  withPostChanges,
} from "./published-index.ts";
import { toImageFile } from "./post-images.ts";
import { type VersionProblem, nextVersionProblem, postRetryDelayMs } from "./retry-policy.ts";

const POLL_INTERVAL_MS = SECOND_MS;
/** Before the first version is published. */
const NO_ADDRESSES = new AddressTable({ posts: [], rules: [], isPublicFile: () => false });

export interface CatalogOptions {
  readonly versionSource: ContentVersionSource;
  readonly changeLog: PostChangeLog;
  readonly context: CatalogContext;
  readonly workers: number;
  /** In development, a request waits for the newest text, and a broken post is an error. */
  readonly isDevelopment: boolean;
  /** Called after each complete publish with the links that posts embed. */
  readonly onPublish?: (embeds: readonly string[]) => void;
}

export class Catalog {
  readonly #options: CatalogOptions;
  readonly #firstPublish = Promise.withResolvers<void>();
  #published: PublishedIndex | null = null;
  #replaced: PublishedIndex | null = null;
  #build: CatalogBuild | null = null;
  /** The code of posts shown before the index has them, by hash. */
  readonly #pendingCode = new Map<string, PostCode>();
  #failures: ReadonlyMap<string, PostFailure> = new Map();
  #changes = NO_CHANGES;
  #targetVersion: string | null = null;
  #problem: VersionProblem | null = null;
  #refreshing: Promise<void> | null = null;
  /** The run after the current one. */
  #nextRefresh: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #contentKey = "starting";
  #revision = 0;
  #publicRevision = 0;
  #fileWarnings: readonly string[] = [];
  #loggedWarnings: ReadonlySet<string> = new Set();
  #postRetryAtMs = Number.POSITIVE_INFINITY;
  #postRetries = 0;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** Polls for a new version every second and compiles in the background. Idempotent. */
  start(): void {
    if (this.#timer || this.#isStopped) return;
    this.#timer = setInterval(() => void this.#peekVersion(), POLL_INTERVAL_MS).unref();
    void this.refresh();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#refreshing;
    await this.#options.changeLog.stop();
  }

  async getIndex(): Promise<PostIndex> {
    return (await this.#getPublished()).index;
  }

  findPostBySlug(slug: string): Promise<Post | null> {
    return this.#getById(`post/${slug}`);
  }

  findPageBySlug(slug: string): Promise<Post | null> {
    return this.#getById(`page/${slug}`);
  }

  /** Returns a post, also if readers can't see it. */
  async findPostForPreview(slug: string): Promise<Post | null> {
    return this.#getCompiled(await this.#getPublished(), `post/${slug}`);
  }

  /** Returns all posts, and which of them readers can't see. */
  async listAllPosts(): Promise<Pick<PublishedIndex, "allPosts" | "hidden">> {
    return this.#getPublished();
  }

  /** Returns false only if the published version lacks the page, or hides it. */
  hasPage(slug: string): boolean {
    if (!this.#published) return true;
    const page = this.#published.pages.get(slug);
    return page !== undefined && !this.#published.hidden.has(page);
  }

  /** Returns whether a listed post was translated into this primary language, or from it. */
  hasTranslationIn(language: string): boolean {
    return this.#published !== null && hasTranslationIn(this.#published.index, language);
  }

  /** Returns the pages of content/pages. */
  async listPages(): Promise<readonly Post[]> {
    const { pages, hidden } = await this.#getPublished();
    return [...pages.values()].filter((page) => !hidden.has(page));
  }

  /** Returns the body of a post as written, or null. */
  async findPostSource(slug: string): Promise<string | null> {
    return (await this.#getPublished()).parsedPosts.get(`post/${slug}`)?.body ?? null;
  }

  /**
   * Returns the file at `path` next to a post: the version `blobSha` if it is still in use, else the
   * served one; null if it is missing or hidden.
   */
  async findFile(path: string, blobSha: string | null): Promise<ContentFile | null> {
    const { filesByPath, hiddenFiles } = await this.#getPublished();
    const files = hiddenFiles.has(path) ? undefined : filesByPath.get(path);
    return files?.find((file) => file.blobSha === blobSha) ?? files?.[0] ?? null;
  }

  /**
   * Returns the code with this hash. Includes posts shown before the others are compiled, and the
   * previously published version, whose pages may still be cached.
   */
  async findPostCode(hash: string): Promise<PostCode | null> {
    const published = await this.#getPublished();
    return (
      findPublishedCode(published, hash) ??
      this.#pendingCode.get(hash) ??
      (this.#replaced && findPublishedCode(this.#replaced, hash))
    );
  }

  /** Resolves the path and query of a request: lib/posts/addresses/address-table.ts. */
  resolveAddress(url: string): AddressMatch | null {
    return (this.#published?.addresses ?? NO_ADDRESSES).resolve(url);
  }

  /** Returns the file of the content or of public with these bytes, if a post can show it. */
  async findImageFile(blobSha: string): Promise<ImageFile | null> {
    const published = await this.#getPublished();
    const { context } = this.#options;
    const file = published.filesBySha.get(blobSha) ?? context.publicFiles.findBySha(blobSha);
    return file && toImageFile(file, context);
  }

  /** Returns a cache key that changes whenever a page with posts would look different. */
  getKey(): string {
    return `${this.#contentKey}.${this.#revision}`;
  }

  /** Changes the cache key, after something else that pages with posts show has changed. */
  invalidate(): void {
    this.#revision += 1;
  }

  /** Reads the published version now. Resolves once it is served. */
  refresh(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    this.#showDuePosts();
    // The current run may have read an older version.
    if (this.#refreshing)
      return (this.#nextRefresh ??= this.#refreshing.then(() => {
        this.#nextRefresh = null;
        return this.refresh();
      }));
    this.#refreshing = this.#refreshOnce()
      .then(() => this.#syncChanges())
      .catch((error: unknown) => log("error", "content.refresh_failed", { error }))
      .finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** Compiles a post without any cache. Returns null if there is no such file. */
  async compileFresh(slug: string): Promise<FreshCompile | null> {
    const { versionSource, context } = this.#options;
    const path = this.#published?.parsedPosts.get(`post/${slug}`)?.file.path;
    return compileFreshPost({ slug, path }, await versionSource.getVersion(), context);
  }

  getStatus(): CatalogStatus {
    const { versionSource } = this.#options;
    const published = this.#published;
    return {
      source: versionSource.kind,
      sourceProblem: versionSource.findProblem(),
      publishedVersion: this.#targetVersion,
      servedVersion: published?.version ?? null,
      compilerVersion: compilerVersion(),
      posts: published?.index.posts.length ?? 0,
      pages: published?.pages.size ?? 0,
      scheduled: (published?.scheduled ?? []).map((post) => ({
        slug: post.slug,
        title: post.frontMatter.title,
        goLiveMs: publicationMs(post),
      })),
      pendingCount: published?.pendingIds.size ?? 0,
      buildProgress: this.#build?.getProgress() ?? null,
      problem: this.#problem && {
        reason: (this.#problem.error as Error).message,
        sinceMs: this.#problem.sinceMs,
        retryAtMs: this.#problem.retryAtMs,
      },
      failures: [...(this.#build?.failures ?? this.#failures).values()],
      warnings: published ? [...listWarnings(published), ...this.#fileWarnings] : [],
    };
  }

  /** Returns why nothing is published yet; null once something is. */
  findOutage(): ContentOutage | null {
    return this.#published ? null : describeOutage(this.#options.versionSource, this.#problem);
  }

  async #getById(id: string): Promise<Post | null> {
    const published = await this.#getPublished();
    const post = findPublishedPost(published, id);
    return post && published.hidden.has(post) ? null : this.#getCompiled(published, id);
  }

  async #getCompiled(published: PublishedIndex, id: string): Promise<Post | null> {
    if (published.pendingIds.has(id)) {
      const post = await this.#compilePending(published, id);
      const code = post?.compiled.code;
      if (code) this.#pendingCode.set(code.hash, code);
      return post;
    }
    // Shows the author the error, not the last good version.
    const failure = this.#options.isDevelopment ? this.#failures.get(id) : undefined;
    if (failure)
      throw new AppError("invalid", `${failure.file}:${failure.line}: ${failure.reason}`);
    return findPublishedPost(published, id);
  }

  async #compilePending(published: PublishedIndex, id: string): Promise<Post | null> {
    if (this.#build?.version === published.version) return this.#build.compileOne(id);
    const parsed = published.parsedPosts.get(id)!;
    return toPost(parsed, await compiledPostCache.get(parsed));
  }

  async #getPublished(): Promise<PublishedIndex> {
    this.start();
    if (this.#options.isDevelopment && this.#published) await this.refresh();
    if (this.#published) return this.#published;
    if (!this.#problem || nowMs() >= this.#problem.retryAtMs)
      await Promise.race([this.#firstPublish.promise, this.#refreshing ?? this.refresh()]);
    if (this.#published) return this.#published;
    const { reason, retryAfterSeconds } = this.findOutage()!;
    const error = this.#problem?.error;
    // The public doesn't learn the addresses of hosts and files.
    const isShown = this.#options.isDevelopment && isAppError(error);
    throw new AppError("unavailable", isShown ? error.message : reason, {
      retryAfterSeconds,
      cause: error,
    });
  }

  /** Notices a newer version during a long build. */
  async #peekVersion(): Promise<void> {
    if (!this.#refreshing) return this.refresh();
    this.#showDuePosts();
    if (!this.#build) return;
    this.#targetVersion = await this.#options.versionSource
      .getVersion()
      .catch(() => this.#targetVersion);
  }

  async #refreshOnce(): Promise<void> {
    let version: string;
    try {
      version = await this.#options.versionSource.getVersion();
    } catch (error) {
      if (this.#problem?.version !== null || nowMs() >= this.#problem.retryAtMs)
        this.#noteProblem(null, error);
      return;
    }
    if (version !== this.#targetVersion) this.#postRetries = 0;
    this.#targetVersion = version;
    if (this.#problem?.version === null) this.#problem = null;
    if (this.#problem?.version === version && nowMs() < this.#problem.retryAtMs) return;
    if (await this.#isUpToDate(version)) {
      this.#problem = null;
      return;
    }
    await this.#tryPublish(version);
    // A newer version may have been published during the build.
    if (!this.#isStopped && this.#targetVersion !== version)
      await this.#tryPublish(this.#targetVersion);
  }

  async #isUpToDate(version: string): Promise<boolean> {
    return (
      this.#published?.version === version &&
      this.#published.pendingIds.size === 0 &&
      nowMs() < this.#postRetryAtMs &&
      (await this.#options.context.publicFiles.getRevision()) === this.#publicRevision
    );
  }

  /**
   * Builds and publishes `version`. If that fails and nothing is published yet, publishes the
   * previous version.
   */
  async #tryPublish(version: string): Promise<void> {
    try {
      await this.#buildAndPublish(version, () => this.#targetVersion === version);
      this.#problem = null;
      const needsRetry = this.#failures.size > 0 || hasTemporaryPosts(this.#published!);
      this.#postRetries = needsRetry ? this.#postRetries + 1 : 0;
      this.#postRetryAtMs = needsRetry
        ? nowMs() + postRetryDelayMs(this.#postRetries)
        : Number.POSITIVE_INFINITY;
    } catch (error) {
      if (error instanceof BuildCanceled) return;
      this.#noteProblem(version, error);
      if (!this.#published) await this.#publishPrevious(version);
    } finally {
      this.#build = null;
    }
  }

  async #publishPrevious(version: string): Promise<void> {
    const previous = await this.#options.versionSource.findPreviousVersion().catch(() => null);
    if (previous === null || previous === version) return;
    await this.#buildAndPublish(previous, () => true).catch((error: unknown) =>
      log("warn", "content.previous_failed", { version: previous, error }),
    );
  }

  async #buildAndPublish(version: string, isWanted: () => boolean): Promise<void> {
    const { versionSource, context, workers } = this.#options;
    const startedMs = performance.now();
    const publicRevision = await context.publicFiles.getRevision();
    const build = await CatalogBuild.start({
      version,
      context,
      publishedIndex: this.#published,
      previousFailures: this.#failures,
      findPreviousVersion: () => versionSource.findPreviousVersion(),
      workers,
    });
    this.#build = build;
    this.#changes = await this.#options.changeLog.load();
    // After a start, lists are available before all posts are compiled. Later, the old index stays
    // until then.
    if (!this.#published) this.#publish(build.createPartialIndex());
    // A partial index is always completed, even if a newer version is waiting.
    const index = await build.compileAll(
      () => !this.#isStopped && (isWanted() || this.#published?.pendingIds.size !== 0),
    );
    this.#failures = build.failures;
    this.#publicRevision = publicRevision;
    this.#publish(index);
    log(this.#failures.size > 0 ? "warn" : "info", "content.published", {
      version,
      posts: index.index.posts.length,
      compiled: build.getProgress().total,
      failed: this.#failures.size,
      ms: Math.round(performance.now() - startedMs),
    });
    this.#fileWarnings = await build.checkFiles(() => !this.#isStopped && isWanted());
    this.#logNewWarnings();
  }

  #logNewWarnings(): void {
    const { warnings } = this.getStatus();
    for (const warning of warnings)
      if (!this.#loggedWarnings.has(warning)) log("warn", "content.warning", { warning });
    this.#loggedWarnings = new Set(warnings);
  }

  #publish(published: PublishedIndex): void {
    // The index during a build shows the same posts as the one after it.
    if (this.#published?.version !== published.version) this.#replaced = this.#published;
    this.#published = withPostChanges(published, this.#changes);
    this.#contentKey = hashContent(this.#published);
    if (published.pendingIds.size === 0) this.#pendingCode.clear();
    this.#firstPublish.resolve();
    if (published.pendingIds.size > 0) return;
    const embeds = [...published.parsedPosts.keys()].flatMap(
      (id) => findPublishedPost(published, id)?.compiled.embeds ?? [],
    );
    this.#options.onPublish?.(embeds);
  }

  /** Records which posts changed, and applies what the primary has recorded. */
  async #syncChanges(): Promise<void> {
    const published = this.#published;
    if (!published || this.#isStopped) return;
    const { changeLog } = this.#options;
    if (published.pendingIds.size === 0) changeLog.record(published.version, published.parsedPosts);
    this.#changes = await changeLog.load();
    const shown = withPostChanges(published, this.#changes);
    if (shown === published) return;
    this.#published = shown;
    this.#contentKey = hashContent(shown);
  }

  /** Needs no source, so a post goes live on time even if the Git host is down. */
  #showDuePosts(): void {
    const shown = this.#published && showDuePosts(this.#published);
    if (!shown) return;
    this.#published = shown;
    this.#contentKey = hashContent(shown);
    log("info", "content.went_live", { posts: shown.index.posts.length });
  }

  #noteProblem(version: string | null, error: unknown): void {
    this.#problem = nextVersionProblem(this.#problem, version, error);
    log(this.#published ? "warn" : "error", "content.version_failed", {
      version,
      served: this.#published?.version,
      retryInMs: this.#problem.retryAtMs - nowMs(),
      error,
    });
  }
}

function hasTemporaryPosts({ allPosts, pages }: PublishedIndex): boolean {
  return [...allPosts.posts, ...pages.values()].some(({ compiled }) => compiled.isTemporary);
}

function hashContent({
  parsedPosts,
  pendingIds,
  scheduled,
  allPosts,
  pages,
}: PublishedIndex): string {
  const hash = createHash("sha256");
  for (const [id, { file, compileKey }] of [...parsedPosts].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${id} ${file.hash} ${compileKey} ${pendingIds.has(id)}\n`);
  for (const { slug } of scheduled) hash.update(`scheduled ${slug}\n`);
  for (const { path, changedMs, compiled } of [...allPosts.posts, ...pages.values()]) {
    if (changedMs !== undefined) hash.update(`changed ${path} ${changedMs}\n`);
    if (compiled.isTemporary) hash.update(`temporary ${path}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}
