// Reads and parses a post: front matter, body, images, and the input and key of its compile.

import { createHash } from "node:crypto";
import { isAppError } from "#lib/core/errors.ts";
import type { Image } from "#lib/posts/image.ts";
import type { CompileInput } from "#lib/posts/mdx/compiled-post.ts";
import { compilerVersion } from "#lib/posts/mdx/compiler-version.ts";
import { PostError, type PostProblem } from "#lib/posts/post-error.ts";
import type { ContentSource, PostFile } from "#lib/posts/source/content-source.ts";
import { decodePost } from "#lib/posts/source/decode-post.ts";
import type { FrontMatter } from "#lib/posts/source/front-matter.ts";
import type { BuiltImageManifest } from "#lib/posts/source/image-manifest.ts";
import { parsePost } from "#lib/posts/source/parse-post.ts";
import { heroFromBanner, resolvePostImages } from "./post-images.ts";

export interface ParsedPost {
  /** 'post/slug' or 'page/slug'. */
  readonly id: string;
  /** The front matter's, else the file's. */
  readonly slug: string;
  readonly file: PostFile;
  /** The content version that the text is from. */
  readonly version: string;
  readonly text: string;
  readonly body: string;
  readonly frontMatter: FrontMatter;
  readonly warnings: readonly string[];
  readonly hero: Image | undefined;
  /** SHA-256 in hex of the compiler's version and `compileInput`. Equal keys give equal results. */
  readonly compileKey: string;
  readonly compileInput: CompileInput;
}

export interface CatalogContext {
  readonly source: ContentSource;
  /** Identifies the source in the cache: 'disk:content', 'git:owner/name'. */
  readonly sourceId: string;
  readonly images: BuiltImageManifest["images"];
  readonly imageHosts: readonly string[];
  /**
   * Returns the components beside the post `slug` that are in the build, such as './counter.tsx'.
   */
  readonly componentsOf: (slug: string) => readonly string[];
}

/** Returns 'post/slug' or 'page/slug'. */
export function postId({ kind, slug }: Pick<PostFile, "kind" | "slug">): string {
  return `${kind}/${slug}`;
}

/**
 * Returns the problem of a PostError, even from another copy of its module; null for any other
 * error.
 */
export function findPostProblem(error: unknown): PostProblem | null {
  return isAppError(error) && "problem" in error ? (error as PostError).problem : null;
}

/**
 * Reads and parses a post. Throws PostError for a broken post, AppError(unavailable) if the source
 * fails.
 */
export async function loadParsedPost(
  file: PostFile,
  version: string,
  context: CatalogContext,
): Promise<ParsedPost> {
  let bytes: Uint8Array;
  try {
    bytes = await context.source.readFile(file);
  } catch (error) {
    if (!isAppError(error, "too_large")) throw error;
    throw new PostError({ file: file.path, line: 1, reason: error.message }, { cause: error });
  }
  return parsePostText(file, version, decodePost(file.path, bytes), context);
}

/** Parses a post from its text. Throws like loadParsedPost. */
export async function parsePostText(
  file: PostFile,
  version: string,
  text: string,
  context: CatalogContext,
): Promise<ParsedPost> {
  const { slug, frontMatter, warnings, body, bodyLine } = parsePost(file.path, text);
  const images = await resolvePostImages(file, text, context.images, context.source);
  const compileInput: CompileInput = {
    file: file.path,
    body,
    bodyLine,
    images,
    imageHosts: context.imageHosts,
    localComponents: context.componentsOf(file.slug),
  };
  return {
    id: postId({ kind: file.kind, slug }),
    slug,
    file,
    version,
    text,
    body,
    frontMatter,
    warnings,
    hero: heroFromBanner(frontMatter.banner, images),
    compileKey: createHash("sha256")
      .update(JSON.stringify([compilerVersion(), compileInput]))
      .digest("hex"),
    compileInput,
  };
}
