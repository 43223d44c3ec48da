// Stores when the text of each post last changed, in replicated rows that all instances share.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { publicationMs } from "#lib/posts/post-dates.ts";
import type { ContentSource } from "#lib/posts/source/content-source.ts";
import type { ParsedPost } from "./parsed-post.ts";
import { findPublishedVersion, setPublishedVersion } from "./published-version.ts";

export interface PostChanges {
  /** Differs after each write. */
  readonly revision: number;
  /** Unix time in ms, by the post's id. */
  readonly changedMsById: ReadonlyMap<string, number>;
}

export const NO_CHANGES: PostChanges = { revision: 0, changedMsById: new Map() };

/** As many as a feed lists, because each takes a request to the Git host. */
const MAX_HISTORIES = 40;
const WRITE_BATCH = 500;
const RETRY_MS = MINUTE_MS;

interface ChangeRow {
  readonly postId: string;
  readonly blobSha: string;
  readonly changedAt: Date | null;
}

export interface PostChangeLogOptions {
  readonly source: ContentSource;
  /** Whether this instance may write now. */
  readonly isPrimary: () => boolean;
}

export class PostChangeLog {
  readonly #options: PostChangeLogOptions;
  #loaded = NO_CHANGES;
  #recordedPosts: object | null = null;
  #recording: Promise<void> | null = null;
  #retryAtMs = 0;

  constructor(options: PostChangeLogOptions) {
    this.#options = options;
  }

  /**
   * Returns the changes in the database, which is read again only after a write. Returns the last
   * known ones while it can't be read.
   */
  async load(): Promise<PostChanges> {
    try {
      this.#loaded = await read((tx) => loadChanges(tx, this.#loaded));
    } catch (error) {
      log("debug", "content.changes_not_loaded", { error });
    }
    return this.#loaded;
  }

  /**
   * On the primary, records in the background which posts of `version` changed. Called every
   * second, but runs once per `posts`, or again after a failure.
   */
  record(version: string, posts: ReadonlyMap<string, ParsedPost>): void {
    if (this.#recordedPosts === posts || this.#recording || nowMs() < this.#retryAtMs) return;
    if (!this.#options.isPrimary()) return;
    this.#recording = this.#record(version, [...posts.values()])
      .then(() => void (this.#recordedPosts = posts))
      .catch((error: unknown) => {
        this.#retryAtMs = nowMs() + RETRY_MS;
        log("warn", "content.changes_not_recorded", { error });
      })
      .finally(() => (this.#recording = null));
  }

  /** Resolves when nothing is being recorded. */
  async stop(): Promise<void> {
    await this.#recording;
  }

  async #record(version: string, posts: readonly ParsedPost[]): Promise<void> {
    const { published, rows } = await read(async (tx) => ({
      published: await findPublishedVersion(tx),
      rows: await tx.postChange.findMany(),
    }));
    const rowById = new Map(rows.map((row) => [row.postId, row]));
    const changed = posts.filter(({ id, file }) => rowById.get(id)?.blobSha !== file.blobSha);
    if (changed.length === 0) return;
    const histories = await this.#findHistories(version, changed);
    const publishedMs = published?.version === version ? published.updatedAtMs : nowMs();
    const changes = changed.map(({ id, file }): ChangeRow => {
      // A post that is new to the site counts as unchanged, unless its history says otherwise.
      const changedMs = histories.get(file.path) ?? (rowById.has(id) ? publishedMs : null);
      return {
        postId: id,
        blobSha: file.blobSha,
        changedAt: changedMs === null ? null : new Date(changedMs),
      };
    });
    await write((tx) => saveChanges(tx, version, changes));
  }

  /** Returns the last changes of the newest posts, from Git. Empty without Git. */
  async #findHistories(
    version: string,
    posts: readonly ParsedPost[],
  ): Promise<ReadonlyMap<string, number>> {
    const newest = posts
      .toSorted((a, b) => (publicationMs(b) || 0) - (publicationMs(a) || 0))
      .slice(0, MAX_HISTORIES)
      .map(({ file }) => file);
    if (newest.length === 0) return new Map();
    try {
      return await this.#options.source.findLastChanges(newest, version);
    } catch (error) {
      log("info", "content.history_unavailable", { error });
      return new Map();
    }
  }
}

async function loadChanges(tx: Tx, loaded: PostChanges): Promise<PostChanges> {
  const revision = (await findPublishedVersion(tx))?.changesAtMs ?? 0;
  if (revision === loaded.revision) return loaded;
  const rows = await tx.postChange.findMany({ where: { changedAt: { not: null } } });
  return {
    revision,
    changedMsById: new Map(rows.map(({ postId, changedAt }) => [postId, changedAt!.getTime()])),
  };
}

async function saveChanges(tx: Tx, version: string, changes: readonly ChangeRow[]): Promise<void> {
  for (let i = 0; i < changes.length; i += WRITE_BATCH) {
    const batch = changes.slice(i, i + WRITE_BATCH);
    await tx.postChange.deleteMany({ where: { postId: { in: batch.map((row) => row.postId) } } });
    await tx.postChange.createMany({ data: batch });
  }
  const published = await findPublishedVersion(tx);
  if (!published) await setPublishedVersion(tx, version);
  // Keeps two writes within a millisecond distinct.
  const changesAt = new Date(Math.max(nowMs(), (published?.changesAtMs ?? 0) + 1));
  await tx.contentVersion.updateMany({ where: { id: 1 }, data: { changesAt } });
}
