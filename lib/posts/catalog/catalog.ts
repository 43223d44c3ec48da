// Keeps what the site shows in step with the live content version: looks, builds in the background, swaps.

import { createHash } from "node:crypto";
import { MINUTE_MS, SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { compilePost } from "#lib/posts/mdx/compiler.ts";
import { type ContentFile, listPostFiles } from "#lib/posts/source/content-source.ts";
import type { PostIndex } from "#lib/posts/post.ts";
import { compilerVersion } from "#lib/posts/mdx/compiler-version.ts";
import type { ContentVersionSource } from "./content-version-source.ts";
import {
  type CatalogContext,
  type SitePost,
  compiledPostCache,
  loadParsedPost,
  toSitePost,
  findPostProblem,
} from "./parsed-post.ts";
import {
  type CatalogBuild,
  type BuildProgress,
  type PostFailure,
  type PublishedIndex,
  BuildCancelled,
  findPublishedPost,
  startBuild,
} from "./catalog-build.ts";

export interface CatalogOptions {
  readonly versionSource: ContentVersionSource;
  /** Asked anew for each build: pictures may be made while the site runs. */
  readonly getContext: () => CatalogContext;
  readonly workers: number;
  /** In development a request waits for what was just saved, and a broken post is an error instead of its last good version or a 404. */
  readonly isDevelopment: boolean;
  /** Called with what pages will show from now on, and the links in all posts. */
  readonly onPublish?: (embeds: readonly string[]) => void;
}

export interface CatalogStatus {
  readonly source: "disk" | "git";
  /** Why the source can't be asked at the moment, in words; null when it can. */
  readonly sourceProblem: string | null;
  /** The version that is live, and the one that this instance shows. */
  readonly publishedVersion: string | null;
  readonly servedVersion: string | null;
  readonly compilerVersion: string;
  readonly key: string;
  readonly posts: number;
  readonly pages: number;
  /** Posts that wait for their first compile. */
  readonly pendingCount: number;
  /** The build going on, or null. */
  readonly buildProgress: BuildProgress | null;
  /** Why the live version as a whole is not shown; null when it is. */
  readonly problem: {
    readonly reason: string;
    readonly sinceMs: number;
    readonly retryAtMs: number;
  } | null;
  readonly failures: readonly PostFailure[];
  /** What is shown in a lesser way, or ignored: "file: line N: …". */
  readonly warnings: readonly string[];
}

export interface FreshCompile {
  readonly file: string;
  readonly version: string;
  /** Reading and front matter included; milliseconds. */
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
  readonly totalMs: number;
  readonly warnings: readonly string[];
  readonly problem: { readonly line: number; readonly reason: string } | null;
}

export interface Catalog {
  /** Begins to look for a new version every second and to compile. Safe to call again. */
  start(): void;
  stop(): Promise<void>;
  getIndex(): Promise<PostIndex<SitePost>>;
  getPost(slug: string): Promise<SitePost | null>;
  getPage(slug: string): Promise<SitePost | null>;
  /** The body of a post as it was written, for readers that are programs; null when there is no such post. */
  getPostSource(slug: string): Promise<string | null>;
  /** The file beside a post at `path`, in the version named `blob` if it is still used, else in the served one. */
  findFile(path: string, blob: string | null): Promise<ContentFile | null>;
  getStatus(): CatalogStatus;
  /** Changes whenever a page with posts would look different. */
  getKey(): string;
  /** Something that pages show next to posts changed. */
  invalidate(): void;
  /** Looks now instead of within a second; resolves when what was found is served. */
  refresh(): Promise<void>;
  /** Reads, checks and compiles one post past every cache; null when there is no such file. */
  compileFresh(slug: string): Promise<FreshCompile | null>;
}

const POLL_INTERVAL_MS = SECOND_MS;
const MIN_RETRY_DELAY_MS = 2 * SECOND_MS;
const MAX_RETRY_DELAY_MS = 5 * MINUTE_MS;
/** A post that failed is tried again: a deadline may have been missed on a busy machine. */
const MIN_POST_RETRY_DELAY_MS = 5 * MINUTE_MS;
const MAX_POST_RETRY_DELAY_MS = 60 * MINUTE_MS;

interface VersionProblem {
  readonly version: string | null;
  readonly error: unknown;
  readonly sinceMs: number;
  readonly retryAtMs: number;
  readonly attempts: number;
}

export function createCatalog({
  versionSource,
  getContext,
  workers,
  isDevelopment,
  onPublish = () => {},
}: CatalogOptions): Catalog {
  let served: PublishedIndex | null = null;
  let build: CatalogBuild | null = null;
  let failures: ReadonlyMap<string, PostFailure> = new Map();
  let target: string | null = null;
  let problem: VersionProblem | null = null;
  let looking: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let key = "starting";
  let touched = 0;
  let imagesThen: unknown;
  let postsRetryAtMs = Number.POSITIVE_INFINITY;
  let postsRetries = 0;
  const published = Promise.withResolvers<void>();

  function publish(next: PublishedIndex): void {
    served = next;
    const hash = createHash("sha256");
    for (const [id, draft] of [...next.parsedPosts].sort(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(`${id} ${draft.file.hash} ${draft.compileKey} ${next.pendingIds.has(id)}\n`);
    key = hash.digest("hex").slice(0, 16);
    published.resolve();
    onPublish(
      next.pendingIds.size > 0
        ? []
        : [...next.parsedPosts.keys()].flatMap(
            (id) => findPublishedPost(next, id)?.compiled.embeds ?? [],
          ),
    );
  }

  async function make(version: string, isWanted: () => boolean): Promise<void> {
    const startedMs = performance.now();
    const inputs = getContext();
    const next = await startBuild({
      version,
      context: inputs,
      publishedIndex: served,
      previousFailures: failures,
      getPreviousVersion: () => versionSource.getPreviousVersion(),
      workers,
    });
    build = next;
    // The very first readers get lists before everything is compiled; later ones get the old index meanwhile.
    if (!served) publish(next.partialIndex());
    // What readers see uncompiled is finished in any case: a newer version comes after it.
    const done = await next.compileAll(
      () => !stopped && (isWanted() || served?.pendingIds.size !== 0),
    );
    failures = next.failures;
    imagesThen = inputs.images;
    publish(done);
    log(failures.size > 0 ? "warn" : "info", "content.live", {
      version,
      posts: done.index.posts.length,
      compiled: next.getProgress().total,
      failed: failures.size,
      ms: Math.round(performance.now() - startedMs),
    });
  }

  function note(version: string | null, error: unknown): void {
    const attempts = problem?.version === version ? problem.attempts + 1 : 0;
    const waitMs = Math.max(
      Math.min(MAX_RETRY_DELAY_MS, MIN_RETRY_DELAY_MS * 2 ** attempts),
      isAppError(error)
        ? Math.min(MAX_RETRY_DELAY_MS, (error.retryAfterSeconds ?? 0) * SECOND_MS)
        : 0,
    );
    problem = {
      version,
      error,
      sinceMs: attempts > 0 ? problem!.sinceMs : nowMs(),
      retryAtMs: nowMs() + waitMs,
      attempts,
    };
    log(served ? "warn" : "error", "content.version_failed", {
      version,
      served: served?.version,
      retryInMs: waitMs,
      error,
    });
  }

  async function makeOrKeep(version: string): Promise<void> {
    try {
      await make(version, () => target === version);
      problem = null;
      postsRetries = failures.size > 0 ? postsRetries + 1 : 0;
      postsRetryAtMs =
        failures.size > 0
          ? nowMs() +
            Math.min(MAX_POST_RETRY_DELAY_MS, MIN_POST_RETRY_DELAY_MS * 2 ** (postsRetries - 1))
          : Number.POSITIVE_INFINITY;
    } catch (error) {
      if (error instanceof BuildCancelled) return;
      note(version, error);
      const fallback = served ? null : await versionSource.getPreviousVersion().catch(() => null);
      if (fallback !== null && fallback !== version)
        await make(fallback, () => true).catch((failed: unknown) =>
          log("warn", "content.previous_failed", { version: fallback, error: failed }),
        );
    } finally {
      build = null;
    }
  }

  async function lookOnce(): Promise<void> {
    let version: string;
    try {
      version = await versionSource.getVersion();
    } catch (error) {
      if (problem?.version !== null || nowMs() >= problem.retryAtMs) note(null, error);
      return;
    }
    const isNew = version !== target;
    target = version;
    if (isNew) postsRetries = 0;
    if (problem?.version === null) problem = null;
    if (problem && problem.version === version && nowMs() < problem.retryAtMs) return;
    const isRetryDue = nowMs() >= postsRetryAtMs;
    const havePicturesChanged = isDevelopment && getContext().images !== imagesThen;
    if (
      served?.version === version &&
      served.pendingIds.size === 0 &&
      !isRetryDue &&
      !havePicturesChanged
    ) {
      problem = null;
      return;
    }
    await makeOrKeep(version);
    // Something newer may have become live meanwhile.
    if (!stopped && target !== version) await makeOrKeep(target);
  }

  function look(): Promise<void> {
    if (stopped) return Promise.resolve();
    looking ??= lookOnce()
      .catch((error: unknown) => log("error", "content.look_failed", { error }))
      .finally(() => (looking = null));
    return looking;
  }

  /** While a long build goes on, notices that a newer version became live. */
  async function glance(): Promise<void> {
    if (!looking) return look();
    if (!build) return;
    target = await versionSource.getVersion().catch(() => target);
  }

  async function current(): Promise<PublishedIndex> {
    start();
    if (isDevelopment && served) await look();
    if (served) return served;
    if (!problem || nowMs() >= problem.retryAtMs) await Promise.race([published.promise, look()]);
    if (served) return served;
    const reason =
      problem && isAppError(problem.error)
        ? problem.error.message
        : "The posts are being prepared.";
    throw new AppError("unavailable", reason, { retryAfterSeconds: 5, cause: problem?.error });
  }

  async function getById(id: string): Promise<SitePost | null> {
    const now = await current();
    if (now.pendingIds.has(id)) {
      if (build?.version === now.version) return build.compileOne(id);
      const draft = now.parsedPosts.get(id)!;
      return toSitePost(draft, await compiledPostCache.get(draft));
    }
    // Whoever has just saved it wants to see what is wrong, not what was right.
    const failure = isDevelopment ? failures.get(id) : undefined;
    if (failure)
      throw new AppError("invalid", `${failure.file}:${failure.line}: ${failure.reason}`);
    return findPublishedPost(now, id);
  }

  function start(): void {
    if (timer || stopped) return;
    timer = setInterval(() => void glance(), POLL_INTERVAL_MS).unref();
    void look();
  }

  return {
    start,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
    },
    getIndex: async () => (await current()).index,
    getPost: (slug) => getById(`post/${slug}`),
    getPage: (slug) => getById(`page/${slug}`),
    getPostSource: async (slug) => (await current()).parsedPosts.get(`post/${slug}`)?.body ?? null,
    async findFile(path, blob) {
      const found = (await current()).filesByPath.get(path);
      return found?.find((file) => file.blob === blob) ?? found?.[0] ?? null;
    },
    getStatus: () => ({
      source: versionSource.kind,
      sourceProblem: versionSource.getProblem(),
      publishedVersion: target,
      servedVersion: served?.version ?? null,
      compilerVersion: compilerVersion(),
      key: `${key}.${touched}`,
      posts: served?.index.posts.length ?? 0,
      pages: served?.pages.size ?? 0,
      pendingCount: served?.pendingIds.size ?? 0,
      buildProgress: build?.getProgress() ?? null,
      problem: problem && {
        reason: (problem.error as Error).message,
        sinceMs: problem.sinceMs,
        retryAtMs: problem.retryAtMs,
      },
      failures: [...(build?.failures ?? failures).values()],
      warnings: served
        ? [...served.parsedPosts.values()].flatMap((draft) => [
            ...draft.warnings.map((warning) => `${draft.file.path}: ${warning}`),
            ...(findPublishedPost(served!, draft.id)?.compiled.warnings ?? []),
          ])
        : [],
    }),
    getKey: () => `${key}.${touched}`,
    invalidate: () => void touched++,
    refresh: look,
    async compileFresh(slug) {
      const version = await versionSource.getVersion();
      const inputs = getContext();
      const file = listPostFiles(await inputs.source.listFiles(version)).find(
        (each) => each.kind === "post" && each.slug === slug,
      );
      if (!file) return null;
      const startedMs = performance.now();
      const stages: { name: string; ms: number }[] = [];
      const base = { file: file.path, version, stages };
      const finish = () => ({ totalMs: performance.now() - startedMs });
      try {
        const draft = await loadParsedPost(file, version, inputs);
        stages.push({ name: "read, front matter, pictures", ms: performance.now() - startedMs });
        const compiled = await compilePost(draft.compileInput);
        const inside = compiled.stages.reduce((sum, { ms }) => sum + ms, 0);
        const { totalMs } = finish();
        stages.push(...compiled.stages, {
          name: "waiting for the worker",
          ms: Math.max(0, totalMs - stages[0]!.ms - inside),
        });
        return {
          ...base,
          totalMs,
          warnings: [...draft.warnings, ...compiled.warnings],
          problem: null,
        };
      } catch (error) {
        const found = findPostProblem(error);
        if (!found) throw error;
        return {
          ...base,
          ...finish(),
          warnings: [],
          problem: { line: found.line, reason: found.reason },
        };
      }
    },
  };
}
