// Compiles posts through the cache, and creates placeholders for posts that are not compiled yet.

import { z } from "zod";
import { defineCache } from "#lib/cache/define-cache.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { type CompiledPost, WORDS_PER_MINUTE } from "#lib/posts/mdx/compiled-post.ts";
import { compilePost } from "#lib/posts/mdx/compiler.ts";
import type { Post } from "#lib/posts/post.ts";
import type { ParsedPost } from "./parsed-post.ts";

const compiledPostSchema: z.ZodType<CompiledPost> = z.object({
  compiledSource: z.string(),
  headings: z.array(
    z.object({
      depth: z.union([z.literal(2), z.literal(3), z.literal(4)]),
      id: z.string(),
      text: z.string(),
    }),
  ),
  text: z.string(),
  words: z.number(),
  readingMinutes: z.number(),
  components: z.array(z.string()),
  localImports: z.array(z.object({ name: z.string(), file: z.string(), imported: z.string() })),
  code: z.object({ hash: z.string(), browser: z.string(), css: z.string() }).nullish(),
  embeds: z.array(z.string()),
  warnings: z.array(z.string()),
  stages: z.array(z.object({ name: z.string(), ms: z.number() })),
});

export const compiledPostCache = defineCache<ParsedPost, CompiledPost>({
  name: "site.compiled",
  version: 1,
  keyOf: ({ compileKey }) => compileKey,
  schema: compiledPostSchema,
  ttlMs: 90 * DAY_MS,
  // Longer than the maximum COMPILE_TIMEOUT_MS plus the wait for a worker.
  timeoutMs: 300_000,
  produce: ({ compileInput }) => compilePost(compileInput),
});

/** Returns the post as pages show it. */
export function toPost(
  { slug, file, version, frontMatter, hero }: ParsedPost,
  compiled: CompiledPost,
): Post {
  return {
    slug,
    path: file.path,
    hash: file.hash,
    version,
    frontMatter,
    compiled,
    ...(hero && { hero }),
  };
}

/**
 * Returns an empty compile for lists. Its word count is rough, since it includes Markdown syntax.
 */
export function createPlaceholder({ body }: ParsedPost): CompiledPost {
  const text = body.replace(/^ {0,3}(?:import|export)\s.*$/gm, "").replace(/<[^>]*>/g, " ");
  const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  return {
    compiledSource: "",
    headings: [],
    text,
    words,
    readingMinutes: Math.max(1, Math.ceil(words / WORDS_PER_MINUTE)),
    components: [],
    localImports: [],
    embeds: [],
    warnings: [],
    stages: [],
  };
}
