// Stores the last text of each post that compiled. Stores text, not output, so that a newer
// compiler can still show it.

import { z } from "zod";
import { defineCache } from "#lib/cache/define-cache.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import type { PostFile } from "#lib/posts/source/content-source.ts";
import { type CatalogContext, type ParsedPost, postId } from "./parsed-post.ts";

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

/**
 * Returns the last version of the post that compiled on this instance; null if none did or the
 * cache file was deleted.
 */
export function loadLastGood(file: PostFile, { sourceId }: CatalogContext): LastGoodPost | null {
  return lastGoodPostCache.peek({ sourceId, id: postId(file) });
}
