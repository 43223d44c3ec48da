// Compiles posts through the cache, and creates placeholders for posts that are not compiled yet.

import { z } from "zod";
import { defineCache } from "#lib/cache/define-cache.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { WORDS_PER_MINUTE } from "#lib/posts/mdx/compiled-post.ts";
import { IMAGE_RETRY_MS } from "#lib/posts/images/content-image.ts";
import type { Post } from "#lib/posts/post.ts";
import {
  type CompiledPostWithHero,
  type ParsedPost,
  compileParsedPost,
  peekHero,
} from "./parsed-post.ts";

const compiledPostSchema: z.ZodType<CompiledPostWithHero> = z.object({
  compiledSource: z.string(),
  headings: z.array(
    z.object({
      depth: z.union([z.literal(2), z.literal(3), z.literal(4)]),
      id: z.string(),
      text: z.string(),
    }),
  ),
  text: z.string(),
  firstParagraph: z.string(),
  words: z.number(),
  readingMinutes: z.number(),
  components: z.array(z.string()),
  code: z.object({ hash: z.string(), browser: z.string(), css: z.string() }).nullable(),
  embeds: z.array(z.string()),
  links: z.array(z.object({ url: z.string(), line: z.number() })),
  ids: z.array(z.string()),
  warnings: z.array(z.string()),
  stages: z.array(z.object({ name: z.string(), ms: z.number() })),
  isTemporary: z.boolean().optional(),
  hero: z
    .object({
      src: z.string(),
      width: z.number().optional(),
      height: z.number().optional(),
      blur: z.string().optional(),
      srcset: z.string().optional(),
      sources: z.array(z.object({ type: z.string(), srcset: z.string() })).optional(),
    })
    .optional(),
});

export const compiledPostCache = defineCache<ParsedPost, CompiledPostWithHero>({
  name: "site.compiled",
  version: 2,
  keyOf: ({ compileKey }) => compileKey,
  schema: compiledPostSchema,
  ttlMs: 90 * DAY_MS,
  // Longer than the maximum COMPILE_TIMEOUT_MS plus the wait for a worker.
  timeoutMs: 300_000,
  async produce(parsed, { setTtlMs }) {
    const compiled = await compileParsedPost(parsed);
    if (compiled.isTemporary) setTtlMs(IMAGE_RETRY_MS);
    return compiled;
  },
});

/** Returns the post as pages show it. */
export function toPost(
  { slug, file, version, frontMatter }: ParsedPost,
  compiled: CompiledPostWithHero,
): Post {
  const { hero } = compiled;
  return {
    slug,
    path: file.path,
    hash: file.hash,
    version,
    frontMatter: {
      ...frontMatter,
      description: frontMatter.description || compiled.firstParagraph,
    },
    compiled,
    ...(hero && { hero }),
  };
}

/**
 * Returns an empty compile for lists. Its word count is rough, since it includes Markdown syntax.
 */
export function createPlaceholder(parsed: ParsedPost): CompiledPostWithHero {
  const { body } = parsed;
  const text = body.replace(/^ {0,3}(?:import|export)\s.*$/gm, "").replace(/<[^>]*>/g, " ");
  const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  return {
    compiledSource: "",
    headings: [],
    text,
    firstParagraph: "",
    words,
    readingMinutes: Math.max(1, Math.ceil(words / WORDS_PER_MINUTE)),
    components: [],
    code: null,
    embeds: [],
    links: [],
    ids: [],
    warnings: [],
    stages: [],
    hero: peekHero(parsed),
  };
}
