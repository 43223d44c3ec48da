// Reads and parses a post: front matter, body, images, and the input and key of its compile.

import { createHash } from "node:crypto";
import { isAppError } from "#lib/core/errors.ts";
import { type Image, normalizeImageName } from "#lib/posts/image.ts";
import {
  type ExternalImageSettings,
  allowRemoteImage,
  rewriteImage,
} from "#lib/posts/images/external-image.ts";
import type { CompileInput, CompiledPost } from "#lib/posts/mdx/compiled-post.ts";
import { compilePost } from "#lib/posts/mdx/compiler.ts";
import { compilerVersion } from "#lib/posts/mdx/compiler-version.ts";
import { PostError, type PostProblem } from "#lib/posts/post-error.ts";
import type { ContentSource, PostFile } from "#lib/posts/source/content-source.ts";
import { decodePost } from "#lib/posts/source/decode-post.ts";
import type { FrontMatter } from "#lib/posts/source/front-matter.ts";
import { parsePost } from "#lib/posts/source/parse-post.ts";
import type { PublicFiles } from "#lib/posts/source/public-files.ts";
import { loadCodeFiles } from "./code-files.ts";
import {
  type FileReference,
  type FilesByPath,
  findFileReferences,
  loadPostImages,
  peekPostImage,
} from "./post-images.ts";

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
  /** The files that the text mentions. */
  readonly references: readonly FileReference[];
  /** SHA-256 in hex of all that the compiled post depends on. Equal keys give equal results. */
  readonly compileKey: string;
  /** Without images: they are loaded when the post is compiled. */
  readonly compileInput: CompileInput;
  readonly context: CatalogContext;
}

/** A compiled post and the image above it. */
export interface CompiledPostWithHero extends CompiledPost {
  readonly hero?: Image;
}

export interface CatalogContext extends ExternalImageSettings {
  readonly source: ContentSource;
  /** Identifies the source in the cache: 'disk:content', 'git:owner/name'. */
  readonly sourceId: string;
  readonly publicFiles: PublicFiles;
  /** Whether posts may contain code (content.trust). */
  readonly trust: "trusted" | "strict";
  /** The text of mdx-components.tsx. */
  readonly ownerComponents?: string;
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
  filesByPath: FilesByPath,
  context: CatalogContext,
): Promise<ParsedPost> {
  let bytes: Uint8Array;
  try {
    bytes = await context.source.readFile(file);
  } catch (error) {
    if (!isAppError(error, "too_large")) throw error;
    throw new PostError({ file: file.path, line: 1, reason: error.message }, { cause: error });
  }
  return parsePostText(file, version, decodePost(file.path, bytes), filesByPath, context);
}

/**
 * Parses a post from its text. `filesByPath` are the files of its version, and `storedCodeFiles` the
 * contents of what it imports, if the source may not have them any more. Throws like loadParsedPost.
 */
export async function parsePostText(
  file: PostFile,
  version: string,
  text: string,
  filesByPath: FilesByPath,
  context: CatalogContext,
  storedCodeFiles?: CompileInput["codeFiles"],
): Promise<ParsedPost> {
  const { slug, frontMatter, warnings, body, bodyLine } = parsePost(file.path, text);
  const { imageHosts, imageRewrites, publicFiles, source, trust } = context;
  const codeFiles =
    storedCodeFiles ??
    (await loadCodeFiles(file.path, body, filesByPath, (each) => source.readFile(each)));
  const references = await findFileReferences(file, text, filesByPath, publicFiles);
  const compileInput: CompileInput = {
    file: file.path,
    body,
    bodyLine,
    imageHosts,
    imageRewrites,
    trust,
    ownerComponents: context.ownerComponents,
    ...(codeFiles && { codeFiles }),
  };
  const mentions = references.map(({ name, line, file: { blobSha } }) => [name, line, blobSha]);
  return {
    id: postId({ kind: file.kind, slug }),
    slug,
    file,
    version,
    text,
    body,
    frontMatter,
    warnings,
    references,
    compileKey: createHash("sha256")
      .update(
        JSON.stringify([compilerVersion(), compileInput, frontMatter.banner ?? null, mentions]),
      )
      .digest("hex"),
    compileInput,
    context,
  };
}

/**
 * Loads the images of a post and compiles it. Throws PostError for a broken post,
 * AppError(unavailable) if an image can't be read now.
 */
export async function compileParsedPost(parsed: ParsedPost): Promise<CompiledPostWithHero> {
  const { file, references, context, frontMatter, compileInput } = parsed;
  const { images, warnings, isTemporary } = await loadPostImages(file, references, context);
  const compiled = await compilePost({ ...compileInput, images });
  const { banner } = frontMatter;
  const hero =
    banner === undefined ? null : findBanner(banner, images[normalizeImageName(banner)], context);
  if (banner !== undefined && !hero && images[normalizeImageName(banner)] === undefined)
    warnings.push(
      `${file.path}:${lineOf(parsed.text, banner.replace(/^\.\//, ""))}: the banner ${banner} ${
        /^https?:/i.test(banner)
          ? `is not shown: its host ${new URL(banner).hostname} is not among images.hosts of site.config.ts`
          : "is not part of this site"
      }`,
    );
  return {
    ...compiled,
    warnings: [...warnings, ...compiled.warnings],
    ...(hero && { hero }),
    ...(isTemporary && { isTemporary }),
  };
}

/** Returns the image above a post that is not compiled yet, if that takes no work. */
export function peekHero({ frontMatter, references, context }: ParsedPost): Image | undefined {
  const { banner } = frontMatter;
  if (banner === undefined) return undefined;
  const image = peekPostImage(normalizeImageName(banner), references, context);
  return findBanner(banner, image, context) ?? undefined;
}

function findBanner(
  banner: string,
  image: Image | null | undefined,
  { imageRewrites, imageHosts }: CatalogContext,
): Image | null {
  if (image) return image;
  for (const path of listBannerPaths(banner, imageRewrites)) {
    const rewritten = rewriteImage(path, imageRewrites);
    if (rewritten) return rewritten;
  }
  return allowRemoteImage(banner, imageHosts);
}

/**
 * Returns the paths that a banner may have on an image host. Front matter of other engines has only
 * the image's id, "unsplash/photo-1", which the parser takes for a file next to the post.
 */
function listBannerPaths(
  banner: string,
  rewrites: ExternalImageSettings["imageRewrites"] = [],
): string[] {
  const id = /^\.\/(.+)$/.exec(banner)?.[1];
  if (id === undefined) return [banner];
  const hasExtension = /\.[a-z0-9]+$/i.test(id);
  return [`/${id}`, ...(hasExtension ? [] : rewrites.map(({ from }) => from + id))];
}

function lineOf(text: string, part: string): number {
  const index = text.indexOf(part);
  return index < 0 ? 1 : text.slice(0, index).split("\n").length;
}
