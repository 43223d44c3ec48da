// Provides the published content version: the disk's own or, for Git, the one in the database.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { read, write } from "#lib/db/database.ts";
import type { ContentSource } from "#lib/posts/source/content-source.ts";
import type { GitSource } from "#lib/posts/source/git-source.ts";
import { findPublishedVersion, setPublishedVersion } from "./published-version.ts";

export interface ContentVersionSource {
  readonly kind: "disk" | "git";
  /** Throws AppError(unavailable) if no version is known. */
  getVersion(): Promise<string>;
  /** Returns the version published before, or null. */
  findPreviousVersion(): Promise<string | null>;
  /** Returns why the source cannot be reached, or null. */
  findProblem(): string | null;
}

export interface VersionSourceOptions {
  /** Whether this instance may write now. */
  readonly isPrimary: () => boolean;
  /**
   * How often the primary reads the branch's head, since webhooks may be lost or not configured.
   */
  readonly pollMs: number;
}

/** How long a published version is protected from a Git host that briefly serves an older head. */
const SETTLE_MS = MINUTE_MS;
/** The delay before the disk's version is written again after a failure. */
const WRITE_RETRY_MS = MINUTE_MS;
const COMMIT_SHA = /^[0-9a-f]{40,64}$/;

/**
 * Serves the disk's own version on this instance. The primary also writes it to the database, for
 * admins.
 */
export function createDiskVersionSource(
  source: ContentSource,
  { isPrimary }: Pick<VersionSourceOptions, "isPrimary">,
): ContentVersionSource {
  let writtenVersion: string | undefined;
  let retryAtMs = 0;
  return {
    kind: "disk",
    async getVersion() {
      const version = await source.getHead();
      // Another primary may write its own version in the meantime.
      if (!isPrimary()) writtenVersion = undefined;
      else if (version !== writtenVersion && nowMs() >= retryAtMs) {
        writtenVersion = version;
        // Not awaited, because posts must be readable even if the database is not writable.
        write((tx) => setPublishedVersion(tx, version)).catch((error: unknown) => {
          writtenVersion = undefined;
          retryAtMs = nowMs() + WRITE_RETRY_MS;
          log("warn", "content.version_not_written", { error });
        });
      }
      return version;
    },
    findPreviousVersion: async () => null,
    findProblem: () => null,
  };
}

/**
 * Serves the version in the database. The primary sets it to the branch's head at first and every
 * `pollMs`.
 */
export function createGitVersionSource(
  source: GitSource,
  { isPrimary, pollMs }: VersionSourceOptions,
): ContentVersionSource {
  let polledAtMs = Number.NEGATIVE_INFINITY;
  let polling: Promise<void> | undefined;

  async function pollOnce(): Promise<void> {
    const head = await source.getHead();
    const published = await read(findPublishedVersion);
    if (published?.version === head) return;
    const isRecent = published && nowMs() - published.updatedAtMs < SETTLE_MS;
    if (isRecent && COMMIT_SHA.test(published.version)) {
      polledAtMs = nowMs() - pollMs + SETTLE_MS;
      return;
    }
    const isWritten = await write(async (tx) => {
      // A push may have published a newer one since the read.
      const current = await findPublishedVersion(tx);
      return current?.version === published?.version && setPublishedVersion(tx, head);
    });
    if (isWritten)
      log("info", "content.version_found", { version: head, previous: published?.version });
  }

  function poll(): Promise<void> {
    polledAtMs = nowMs();
    polling ??= pollOnce().finally(() => (polling = undefined));
    return polling;
  }

  return {
    kind: "git",
    async getVersion() {
      const published = await read(findPublishedVersion);
      if (published && COMMIT_SHA.test(published.version)) {
        if (isPrimary() && nowMs() - polledAtMs >= pollMs)
          poll().catch((error: unknown) => log("info", "content.poll_failed", { error }));
        return published.version;
      }
      // There is no version yet, or it is from a disk source that was configured earlier.
      if (isPrimary()) {
        await poll();
        const first = await read(findPublishedVersion);
        if (first) return first.version;
      }
      throw new AppError("unavailable", "No content version has been published yet.", {
        retryAfterSeconds: 5,
      });
    },
    async findPreviousVersion() {
      const published = await read(findPublishedVersion);
      return published?.previous && COMMIT_SHA.test(published.previous) ? published.previous : null;
    },
    findProblem: () => source.getHostStatus().problem,
  };
}
