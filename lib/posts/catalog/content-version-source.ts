// Which content version is live, for this site's source: what lies on the disk, or what the row in the database says.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import type { ContentSource } from "#lib/posts/source/content-source.ts";
import type { GitSource } from "#lib/posts/source/git-source.ts";
import { findPublishedVersion, setPublishedVersion } from "./published-version.ts";
import { readSql, writeSql } from "#lib/db/database.ts";

export interface ContentVersionSource {
  readonly kind: "disk" | "git";
  /** Throws AppError(unavailable) when nobody knows one. */
  getVersion(): Promise<string>;
  /** What was live before, or null. */
  getPreviousVersion(): Promise<string | null>;
  /** Why the source can't be asked at the moment, or null. */
  getProblem(): string | null;
}

export interface VersionSourceOptions {
  /** Whether this instance may write now. */
  readonly isPrimary: () => boolean;
  /** How often the primary asks the host for the head of the branch: a webhook may get lost, or none be configured. */
  readonly pollMs: number;
}

/** A host that serves an older head for a moment must not undo what a webhook has just set. */
const SETTLE_MS = MINUTE_MS;
const COMMIT_SHA = /^[0-9a-f]{40,64}$/;

/** The disk's own version is live on this instance; the primary writes it to the row for admins to see. */
export function createDiskVersionSource(
  source: ContentSource,
  { isPrimary }: Pick<VersionSourceOptions, "isPrimary">,
): ContentVersionSource {
  let written: string | undefined;
  return {
    kind: "disk",
    async getVersion() {
      const version = await source.getHead();
      if (version !== written && isPrimary()) {
        written = version;
        // Nothing depends on it: a database that can't be written to must not keep posts from being read.
        writeSql((sql) => setPublishedVersion(sql, version)).catch((error: unknown) =>
          log("warn", "content.version_not_written", { error }),
        );
      }
      return version;
    },
    getPreviousVersion: async () => null,
    getProblem: () => null,
  };
}

/** The row decides. The primary writes it where there is none, and brings it up to the branch's head now and then. */
export function createGitVersionSource(
  source: GitSource,
  { isPrimary, pollMs }: VersionSourceOptions,
): ContentVersionSource {
  let polledAtMs = Number.NEGATIVE_INFINITY;
  let polling: Promise<void> | undefined;

  async function poll(): Promise<void> {
    const head = await source.getHead();
    const row = await readSql(findPublishedVersion);
    if (
      row &&
      row.version !== head &&
      COMMIT_SHA.test(row.version) &&
      nowMs() - row.updatedAtMs < SETTLE_MS
    ) {
      polledAtMs = nowMs() - pollMs + SETTLE_MS;
      return;
    }
    if (row?.version === head) return;
    await writeSql((sql) => setPublishedVersion(sql, head));
    log("info", "content.version_found", { version: head, before: row?.version });
  }

  function pollSoon(): Promise<void> {
    polledAtMs = nowMs();
    polling ??= poll().finally(() => (polling = undefined));
    return polling;
  }

  return {
    kind: "git",
    async getVersion() {
      const row = await readSql(findPublishedVersion);
      if (row && COMMIT_SHA.test(row.version)) {
        if (isPrimary() && nowMs() - polledAtMs >= pollMs)
          pollSoon().catch((error: unknown) => log("info", "content.poll_failed", { error }));
        return row.version;
      }
      // No version yet, or one of a disk that this site was run from before.
      if (!isPrimary())
        throw new AppError("unavailable", "No content version is live yet.", {
          retryAfterSeconds: 5,
        });
      await pollSoon();
      const first = await readSql(findPublishedVersion);
      if (!first)
        throw new AppError("unavailable", "No content version is live yet.", {
          retryAfterSeconds: 5,
        });
      return first.version;
    },
    async getPreviousVersion() {
      const row = await readSql(findPublishedVersion);
      return row?.previous && COMMIT_SHA.test(row.previous) ? row.previous : null;
    },
    getProblem: () => source.getHostStatus().problem,
  };
}
