// Stores and finds the last text of each post that compiled. Stores text, not output, so that a newer
// compiler can still show it.

import { z } from "zod";
import { defineCache } from "#lib/cache/define-cache.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { type PostFile, listPostFiles } from "#lib/posts/source/content-source.ts";
import {
  type CatalogContext,
  type ParsedPost,
  loadParsedPost,
  parsePostText,
  postId,
} from "./parsed-post.ts";
import { type FilesByPath, indexByPath } from "./post-images.ts";
import type { PublishedIndex } from "./published-index.ts";

const contentFileSchema = z.object({ path: z.string(), blobSha: z.string(), bytes: z.number() });
const lastGoodPostSchema = z.object({
  version: z.string(),
  text: z.string(),
  /** Texts of what it imports. */
  codeFiles: z.record(z.string(), z.string()).optional(),
  file: contentFileSchema.extend({
    slug: z.string(),
    kind: z.enum(["post", "page"]),
    hash: z.string(),
    assets: z.array(contentFileSchema),
  }),
});
export type LastGoodPost = z.output<typeof lastGoodPostSchema>;

const lastGoodPostCache = defineCache<{ sourceId: string; id: string }, LastGoodPost | null>({
  name: "site.last-good",
  version: 3,
  keyOf: ({ sourceId, id }) => `${sourceId}:${id}`,
  schema: lastGoodPostSchema.nullable(),
  ttlMs: 90 * DAY_MS,
  timeoutMs: 1_000,
  produce: () => null,
});

/** Records that this post compiled. Writes once per version of its text. */
export function saveLastGood(
  { file, version, text, references, compileInput: { codeFiles } }: ParsedPost,
  { sourceId }: CatalogContext,
): void {
  const id = postId(file);
  if (lastGoodPostCache.peek({ sourceId, id })?.file.hash === file.hash) return;
  // Its images may also be elsewhere in the content.
  const assets = new Map(file.assets.map((asset) => [asset.path, asset]));
  for (const { file: image } of references)
    if (!image.path.startsWith("/")) assets.set(image.path, image);
  lastGoodPostCache.set(
    { sourceId, id },
    {
      version,
      text,
      ...(codeFiles && { codeFiles: { ...codeFiles } }),
      file: { ...file, assets: [...assets.values()] },
    },
  );
}

interface PreviousFiles {
  readonly version: string;
  readonly filesByPath: FilesByPath;
  readonly filesById: ReadonlyMap<string, PostFile>;
}

interface LastGoodOptions {
  readonly context: CatalogContext;
  /** The version that is being built. */
  readonly version: string;
  readonly publishedIndex: PublishedIndex | null;
  readonly findPreviousVersion: () => Promise<string | null>;
}

/** Finds the last good versions of posts for the build of one content version. */
export class LastGoodPosts {
  readonly #options: LastGoodOptions;
  #previousFiles: Promise<PreviousFiles | null> | undefined;

  constructor(options: LastGoodOptions) {
    this.#options = options;
  }

  /**
   * Returns the last version of the post that compiled, unless it equals `broken`: the one stored on
   * this instance or, without one, the published one, or that of the version published before.
   * Returns null without one. Throws AppError(unavailable) if the source fails.
   */
  async find(file: PostFile, broken: ParsedPost | null): Promise<ParsedPost | null> {
    try {
      const lastGood =
        (await this.#findStored(file)) ??
        this.#findPublished(file) ??
        (await this.#findPrevious(file));
      return lastGood?.compileKey === broken?.compileKey ? null : lastGood;
    } catch (error) {
      if (isAppError(error, "unavailable")) throw error;
      log("warn", "content.last_good_unusable", { id: postId(file), error });
      return null;
    }
  }

  async #findStored(file: PostFile): Promise<ParsedPost | null> {
    const { context } = this.#options;
    const stored = lastGoodPostCache.peek({ sourceId: context.sourceId, id: postId(file) });
    if (!stored) return null;
    const filesByPath = indexByPath(stored.file.assets);
    const { file: storedFile, version, text, codeFiles } = stored;
    return parsePostText(storedFile, version, text, filesByPath, context, codeFiles);
  }

  /** Returns the published version, for when the cache was deleted or full. */
  #findPublished(file: PostFile): ParsedPost | null {
    const { parsedPosts, pendingIds } = this.#options.publishedIndex ?? {};
    const post = parsedPosts?.values().find((each) => postId(each.file) === postId(file));
    return post && !pendingIds!.has(post.id) ? post : null;
  }

  async #findPrevious(file: PostFile): Promise<ParsedPost | null> {
    this.#previousFiles ??= this.#listPreviousFiles();
    const previous = await this.#previousFiles;
    const older = previous?.filesById.get(postId(file));
    return previous && older
      ? loadParsedPost(older, previous.version, previous.filesByPath, this.#options.context)
      : null;
  }

  /** Lists the files of the previous version. Returns null on disk, which has no older versions. */
  async #listPreviousFiles(): Promise<PreviousFiles | null> {
    const { context, findPreviousVersion, version: current } = this.#options;
    try {
      const version = await findPreviousVersion();
      if (version === null || version === current) return null;
      const files = await context.source.listFiles(version);
      const filesById = new Map(listPostFiles(files).map((file) => [postId(file), file]));
      return { version, filesByPath: indexByPath(files), filesById };
    } catch (error) {
      log("warn", "content.previous_files_unavailable", { error });
      return null;
    }
  }
}
