// One post on its way from a file to what pages show: read, checked, compiled through the cache, its last good version kept.

import { createHash } from "node:crypto";
import { z } from "zod";
import { DAY_MS } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { PostError, type PostProblem } from "#lib/posts/post-error.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import type { ContentSource, PostFile } from "#lib/posts/source/content-source.ts";
import type { FrontMatter } from "#lib/posts/source/front-matter.ts";
import type { BuiltImageManifest } from "#lib/posts/source/image-manifest.ts";
import { parsePost } from "#lib/posts/source/parse-post.ts";
import { compilePost } from "#lib/posts/mdx/compiler.ts";
import {
  type CompileInput,
  type CompiledPost,
  WORDS_PER_MINUTE,
} from "#lib/posts/mdx/compiled-post.ts";
import type { Post } from "#lib/posts/post.ts";
import { compilerVersion } from "#lib/posts/mdx/compiler-version.ts";
import { type SiteHero, heroFromBanner, resolvePostImages } from "./post-images.ts";

/** A post, or a page of content/pages, as the site shows it. */
export type SitePost = Post<CompiledPost, SiteHero>;

export interface ParsedPost {
  /** 'post/slug' or 'page/slug'. */
  readonly id: string;
  readonly file: PostFile;
  /** The content version that the text is from. */
  readonly version: string;
  readonly text: string;
  readonly body: string;
  readonly frontMatter: FrontMatter;
  readonly warnings: readonly string[];
  readonly hero: SiteHero | undefined;
  /** Equal keys compile to equal results. */
  readonly compileKey: string;
  readonly compileInput: CompileInput;
}

export interface CatalogContext {
  readonly source: ContentSource;
  /** Tells the sources of one cache file apart: 'disk:content', 'git:owner/name'. */
  readonly sourceId: string;
  readonly images: BuiltImageManifest["images"];
  readonly imageHosts: readonly string[];
  /** The components beside the post `slug` that are part of the build: './counter.tsx'. */
  readonly componentsOf: (slug: string) => readonly string[];
}

const headingSchema = z.object({
  depth: z.union([z.literal(2), z.literal(3), z.literal(4)]),
  id: z.string(),
  text: z.string(),
});
const compiledPostSchema: z.ZodType<CompiledPost> = z.object({
  compiledSource: z.string(),
  headings: z.array(headingSchema),
  text: z.string(),
  words: z.number(),
  readingMinutes: z.number(),
  components: z.array(z.string()),
  localImports: z.array(z.object({ name: z.string(), file: z.string(), imported: z.string() })),
  embeds: z.array(z.string()),
  warnings: z.array(z.string()),
  stages: z.array(z.object({ name: z.string(), ms: z.number() })),
});

const CACHE_TTL_MS = 90 * DAY_MS;
/** Longer than the compiler's own deadline can be set, and the wait for a worker before it. */
const COMPILE_TIMEOUT_MS = 300_000;

export const compiledPostCache = defineCache<ParsedPost, CompiledPost>({
  name: "site.compiled",
  version: 1,
  keyOf: ({ compileKey }) => compileKey,
  schema: compiledPostSchema,
  ttlMs: CACHE_TTL_MS,
  timeoutMs: COMPILE_TIMEOUT_MS,
  produce: ({ compileInput }) => compilePost(compileInput),
});

const contentFileSchema = z.object({ path: z.string(), blob: z.string(), bytes: z.number() });
const lastGoodPostSchema = z.object({
  version: z.string(),
  text: z.string(),
  file: contentFileSchema.extend({
    slug: z.string(),
    kind: z.enum(["post", "page"]),
    hash: z.string(),
    beside: z.array(contentFileSchema),
  }),
});
export type LastGoodPost = z.output<typeof lastGoodPostSchema>;

/** The text of each post as it last compiled. Its text and not what it compiled to, so that a newer compiler can still show it. */
const lastGoodPostCache = defineCache<{ sourceId: string; id: string }, LastGoodPost | null>({
  name: "site.last-good",
  version: 1,
  keyOf: ({ sourceId, id }) => `${sourceId}:${id}`,
  schema: lastGoodPostSchema.nullable(),
  ttlMs: CACHE_TTL_MS,
  timeoutMs: 1_000,
  produce: () => null,
});

export function postId({ kind, slug }: Pick<PostFile, "kind" | "slug">): string {
  return `${kind}/${slug}`;
}

/** The problem in a PostError, also one thrown by another copy of its module; null for any other error. */
export function findPostProblem(error: unknown): PostProblem | null {
  return isAppError(error) && "problem" in error ? (error as PostError).problem : null;
}

/** Reads and checks a post. Throws PostError for what is wrong with it, AppError(unavailable) when its source fails. */
export async function loadParsedPost(
  file: PostFile,
  version: string,
  context: CatalogContext,
): Promise<ParsedPost> {
  let bytes: Uint8Array;
  try {
    bytes = await context.source.readFile(file);
  } catch (error) {
    if (isAppError(error, "too_large"))
      throw new PostError({ file: file.path, line: 1, reason: error.message }, { cause: error });
    throw error;
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PostError(
      { file: file.path, line: 1, reason: "The file is not UTF-8 text." },
      { cause },
    );
  }
  return parsePostText(file, version, text, context);
}

/** The draft of a post whose text is known. Throws as loadDraft does. */
export async function parsePostText(
  file: PostFile,
  version: string,
  text: string,
  context: CatalogContext,
): Promise<ParsedPost> {
  const { frontMatter, warnings, body, bodyLine } = parsePost(file.path, text);
  const images = await resolvePostImages(file, text, context.images, context.source);
  const input: CompileInput = {
    file: file.path,
    body,
    bodyLine,
    images,
    imageHosts: context.imageHosts,
    localComponents: context.componentsOf(file.slug),
  };
  const key = createHash("sha256")
    .update(JSON.stringify([compilerVersion(), input]))
    .digest("hex");
  return {
    id: postId(file),
    file,
    version,
    text,
    body,
    frontMatter,
    warnings,
    hero: heroFromBanner(frontMatter.banner, images),
    compileKey: key,
    compileInput: input,
  };
}

export function toSitePost(
  { file, version, frontMatter, hero }: ParsedPost,
  compiled: CompiledPost,
): SitePost {
  return {
    slug: file.slug,
    path: file.path,
    hash: file.hash,
    version,
    frontMatter,
    compiled,
    ...(hero && { hero }),
  };
}

/** What stands for a post in lists until it is compiled: its words are counted roughly, markup included. */
export function createPlaceholder({ body }: ParsedPost): CompiledPost {
  const text = body.replace(/^ {0,3}(?:import|export)\s.*$/gm, "").replace(/<[^>]*>/g, " ");
  const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  const readingMinutes = Math.max(1, Math.ceil(words / WORDS_PER_MINUTE));
  return {
    compiledSource: "",
    headings: [],
    text,
    words,
    readingMinutes,
    components: [],
    localImports: [],
    embeds: [],
    warnings: [],
    stages: [],
  };
}

/** Remembers that this draft compiled. Written once per version of its text. */
export function saveLastGood(
  { id, file, version, text }: ParsedPost,
  { sourceId }: CatalogContext,
): void {
  if (lastGoodPostCache.peek({ sourceId, id })?.file.hash === file.hash) return;
  lastGoodPostCache.set(
    { sourceId, id },
    { version, text, file: { ...file, beside: [...file.beside] } },
  );
}

/** The post as it last compiled here, or null when none did or the cache file was deleted since. */
export function loadLastGood(id: string, { sourceId }: CatalogContext): LastGoodPost | null {
  return lastGoodPostCache.peek({ sourceId, id });
}
