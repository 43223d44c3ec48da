// Opens the site's post catalog from its configuration. The only entry point for pages and
// handlers.

import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { assertAddressPattern } from "#lib/posts/addresses/post-address.ts";
import { shareContentAddresses } from "#lib/http/content-addresses.ts";
import type { ImageFile } from "#lib/posts/images/content-image.ts";
import type { OpenFile } from "#lib/posts/source/content-file-response.ts";
import type { ContentFile } from "#lib/posts/source/content-source.ts";
import { shareContentOutage } from "#lib/http/content-outage.ts";
import {
  onLinkPreviewsChanged,
  setWantedLinkPreviews,
} from "#lib/posts/link-previews/preview-registry.ts";
import { currentRole } from "#lib/replication/role.ts";
import type { PostCode } from "#lib/posts/mdx/compiled-post.ts";
import type { Post, PostIndex } from "#lib/posts/post.ts";
import { peekSingleton, resetSingleton, singleton } from "#lib/core/singleton.ts";
import { Catalog } from "./catalog.ts";
import type { CatalogStatus } from "./catalog-status.ts";
import {
  type ContentVersionSource,
  createDiskVersionSource,
  createGitVersionSource,
} from "./content-version-source.ts";
import type { FreshCompile } from "./fresh-compile.ts";
import { PostChangeLog } from "./post-changes.ts";
import { type SiteContent, isGitSource, openSiteContent } from "./site-content.ts";

/**
 * With a webhook, polling only catches lost pushes. Without one, it is the only way to detect them.
 */
const POLL_INTERVAL_MS = { webhook: 5 * MINUTE_MS, none: MINUTE_MS } as const;

interface SiteCatalog {
  readonly catalog: Catalog;
  readonly content: SiteContent;
}

function getSiteCatalog(): SiteCatalog {
  return singleton("site-catalog", () => {
    const opened = openSiteCatalog();
    resetSingleton("content-version");
    // lib/cache/next-cache-handler.ts reads it by name.
    singleton("content-version", () => () => opened.catalog.getKey());
    shareContentOutage(() => opened.catalog.findOutage());
    shareContentAddresses((url) => opened.catalog.resolveAddress(url));
    peekSingleton<() => void>("site-catalog-previews")?.();
    resetSingleton("site-catalog-previews");
    singleton("site-catalog-previews", () =>
      onLinkPreviewsChanged(() => opened.catalog.invalidate()),
    );
    return opened;
  });
}

function openSiteCatalog(): SiteCatalog {
  const content = openSiteContent();
  const isPrimary = () => currentRole() === "primary";
  const catalog = new Catalog({
    versionSource: openVersionSource(content, isPrimary),
    changeLog: new PostChangeLog({ source: content.source, isPrimary }),
    context: content.context,
    workers: env.COMPILE_WORKERS,
    isDevelopment: env.NODE_ENV === "development",
    onPublish: (embeds) => void setWantedLinkPreviews(embeds),
  });
  return { catalog, content };
}

function openVersionSource(
  { source }: SiteContent,
  isPrimary: () => boolean,
): ContentVersionSource {
  if (!isGitSource(source)) return createDiskVersionSource(source, { isPrimary });
  const pollMs = env.CONTENT_WEBHOOK_SECRET ? POLL_INTERVAL_MS.webhook : POLL_INTERVAL_MS.none;
  return createGitVersionSource(source, { isPrimary, pollMs });
}

/**
 * Stops polling. The next use opens a new catalog with the current configuration. For tests and
 * shutdown.
 */
export async function stopCatalog(): Promise<void> {
  const { catalog } = peekSingleton<SiteCatalog>("site-catalog") ?? {};
  resetSingleton("site-catalog");
  resetSingleton("content-version");
  shareContentOutage(() => null);
  shareContentAddresses(() => null);
  await catalog?.stop();
}

/**
 * Polls the published version and compiles in the background, newest first. Called once per
 * process.
 */
export function startCatalog(): void {
  assertAddressPattern();
  getSiteCatalog().catalog.start();
}

/**
 * Returns the posts of the published version, including drafts and unlisted ones, but not scheduled
 * ones. A post that is not compiled yet has no compiledSource and a rough reading time. Throws AppError(unavailable) if
 * no version can be read.
 */
export function getIndex(): Promise<PostIndex> {
  return getSiteCatalog().catalog.getIndex();
}

/**
 * Returns the post at `slug`; null if it does not exist or is scheduled. Compiles it with priority if
 * necessary. Throws like getIndex.
 */
export function findPostBySlug(slug: string): Promise<Post | null> {
  return getSiteCatalog().catalog.findPostBySlug(slug);
}

/**
 * Returns the post at `slug`, or null, also if readers can't see it: the caller authorizes the
 * viewer. Throws like getIndex.
 */
export function findPostForPreview(slug: string): Promise<Post | null> {
  return getSiteCatalog().catalog.findPostForPreview(slug);
}

/** Returns all posts and which of them readers can't see, for admins. Throws like getIndex. */
export function listAllPosts(): Promise<{
  readonly allPosts: PostIndex;
  readonly hidden: ReadonlySet<Post>;
}> {
  return getSiteCatalog().catalog.listAllPosts();
}

/** Returns the compiled page content/pages/`slug`, or null. Throws like getIndex. */
export function findPageBySlug(slug: string): Promise<Post | null> {
  return getSiteCatalog().catalog.findPageBySlug(slug);
}

/** Returns the pages of content/pages. Throws like getIndex. */
export function listPages(): Promise<readonly Post[]> {
  return getSiteCatalog().catalog.listPages();
}

/** Returns false if the published version has no page content/pages/`slug`. Never waits. */
export function hasPage(slug: string): boolean {
  return getSiteCatalog().catalog.hasPage(slug);
}

/** Returns whether a post was translated into this primary language, or from it. Never waits. */
export function hasTranslationIn(language: string): boolean {
  return getSiteCatalog().catalog.hasTranslationIn(language);
}

/** Returns the unmodified body of a post, without front matter, or null. */
export function findPostSource(slug: string): Promise<string | null> {
  return getSiteCatalog().catalog.findPostSource(slug);
}

/** Returns the browser's part of a post with code, by its hash, or null. Throws like getIndex. */
export function findPostCode(hash: string): Promise<PostCode | null> {
  return getSiteCatalog().catalog.findPostCode(hash);
}

/** Returns what is published, what is being compiled, and what fails, for admins. */
export function getCatalogStatus(): CatalogStatus {
  return getSiteCatalog().catalog.getStatus();
}

/**
 * Reads the published version now, for example after this instance has set it. Resolves once it is
 * served.
 */
export function refreshCatalog(): Promise<void> {
  return getSiteCatalog().catalog.refresh();
}

/**
 * Returns a file next to a served post, in the version `blobSha` if that is still in use, or null.
 */
export async function findContentFile(
  path: string,
  blobSha: string | null,
): Promise<{ file: ContentFile; open: OpenFile } | null> {
  const { catalog, content } = getSiteCatalog();
  const file = await catalog.findFile(path, blobSha);
  return file && { file, open: (start, end) => content.source.openFile(file, start, end) };
}

/** Returns the image of the content or of public with this blob SHA, or null. */
export function findImageFile(blobSha: string): Promise<ImageFile | null> {
  return getSiteCatalog().catalog.findImageFile(blobSha);
}

/** Compiles a post without any cache, for /admin/content. Throws AppError(not_found). */
export async function compileFresh(slug: string): Promise<FreshCompile> {
  const compiled = await getSiteCatalog().catalog.compileFresh(slug);
  if (!compiled) throw new AppError("not_found", `No post “${slug}”.`);
  return compiled;
}
