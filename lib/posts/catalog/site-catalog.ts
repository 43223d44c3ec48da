// The site's posts, composed of content, mdx, posts and embeds. Pages ask here and nowhere else.

import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import type { ContentFile, ContentSource } from "#lib/posts/source/content-source.ts";
import { createDiskSource } from "#lib/posts/source/disk-source.ts";
import { createGitSource } from "#lib/posts/source/git-source.ts";
import { loadImageManifest } from "#lib/posts/source/image-manifest.ts";
import {
  onLinkPreviewsChanged,
  setWantedLinkPreviews,
} from "#lib/posts/link-previews/preview-registry.ts";
import { currentRole } from "#lib/replication/role.ts";
import type { PostIndex } from "#lib/posts/post.ts";
import { createDiskVersionSource, createGitVersionSource } from "./content-version-source.ts";
import type { SitePost } from "./parsed-post.ts";
import { type FreshCompile, type Catalog, type CatalogStatus, createCatalog } from "./catalog.ts";

export type { SitePost } from "./parsed-post.ts";
export type { SiteHero } from "./post-images.ts";
export type { PostFailure } from "./catalog-build.ts";
export type { FreshCompile, CatalogStatus } from "./catalog.ts";

/** On disk, a look at names and times costs a millisecond or two: each second in development, rarely where nobody edits. */
const DISK_RECHECK_INTERVAL_MS = { development: 500, test: 0, production: 15_000 } as const;
/** With a webhook, asking the host is for pushes that got lost; without, it is the only way to hear of them. */
const POLL_INTERVAL_MS = { webhook: 5 * MINUTE_MS, none: MINUTE_MS } as const;

interface SiteCatalog {
  readonly catalog: Catalog;
  readonly source: ContentSource;
}

// One per process: instrumentation, middleware, pages and handlers are bundled apart, each with its own copy of this module.
const processGlobals = globalThis as {
  __lecternSite?: SiteCatalog;
  __lecternContentKey?: () => string;
  __lecternSiteEmbeds?: () => void;
};

function getSiteCatalog(): SiteCatalog {
  if (!processGlobals.__lecternSite) {
    processGlobals.__lecternSite = openSiteCatalog();
    const { catalog } = processGlobals.__lecternSite;
    processGlobals.__lecternContentKey = () => catalog.getKey();
    processGlobals.__lecternSiteEmbeds?.();
    processGlobals.__lecternSiteEmbeds = onLinkPreviewsChanged(() => catalog.invalidate());
  }
  return processGlobals.__lecternSite;
}

function openSiteCatalog(): SiteCatalog {
  const isPrimary = () => currentRole() === "primary";
  const isGit = env.CONTENT_SOURCE === "git";
  const git = isGit
    ? createGitSource({
        api: env.CONTENT_GIT_API,
        repository: env.CONTENT_GIT_REPOSITORY!,
        branch: env.CONTENT_GIT_BRANCH,
        path: env.CONTENT_GIT_PATH,
        token: env.CONTENT_GIT_TOKEN,
      })
    : null;
  const source =
    git ??
    createDiskSource({ dir: env.CONTENT_DIR, recheckMs: DISK_RECHECK_INTERVAL_MS[env.NODE_ENV] });
  const live = git
    ? createGitVersionSource(git, {
        isPrimary,
        pollMs: env.CONTENT_WEBHOOK_SECRET ? POLL_INTERVAL_MS.webhook : POLL_INTERVAL_MS.none,
      })
    : createDiskVersionSource(source, { isPrimary });
  const registry = loadComponentNames();
  const site = createCatalog({
    versionSource: { ...live, getVersion: async () => (await registry, live.getVersion()) },
    getContext: () => ({
      source,
      sourceId: isGit ? `git:${env.CONTENT_GIT_REPOSITORY}` : `disk:${env.CONTENT_DIR}`,
      images: loadImageManifest("public/_img"),
      imageHosts: env.IMAGE_HOSTS,
      componentsOf: (slug) =>
        Object.hasOwn(componentNamesBySlug, slug) ? componentNamesBySlug[slug]! : [],
    }),
    workers: env.COMPILE_WORKERS,
    isDevelopment: env.NODE_ENV === "development",
    onPublish: (embeds) => {
      if (embeds.length > 0) void setWantedLinkPreviews(embeds);
    },
  });
  return { catalog: site, source };
}

/** Ends the watching; the next use begins anew with the configuration as it is then. For tests and the end of the process. */
export async function stopCatalog(): Promise<void> {
  const { catalog } = processGlobals.__lecternSite ?? {};
  delete processGlobals.__lecternSite;
  delete processGlobals.__lecternContentKey;
  await catalog?.stop();
}

let componentNamesBySlug: Readonly<Record<string, readonly string[]>> = {};

/** Which components are part of this build. Only their names: what they hold is loaded when a page shows them. */
async function loadComponentNames(): Promise<void> {
  try {
    const { localComponents } = await import("#content/components.generated.ts");
    componentNamesBySlug = Object.fromEntries(
      Object.entries(localComponents).map(([slug, files]) => [slug, Object.keys(files)]),
    );
  } catch (error) {
    log("warn", "content.no_components", {
      hint: "scripts/generate-component-registry.ts makes content/components.generated.ts",
      error,
    });
  }
}

/** Begins to watch the live version and compiles in the background, newest first. From instrumentation.ts, once per process. */
export function startCatalog(): void {
  getSiteCatalog().catalog.start();
}

/**
 * All posts of the live version, drafts and unlisted ones included. At the very first start it waits until their
 * front matter is read; a post that is not compiled yet then has no compiledSource and a rough reading time.
 * Throws AppError(unavailable) when no version can be read.
 */
export function getIndex(): Promise<PostIndex<SitePost>> {
  return getSiteCatalog().catalog.getIndex();
}

/** The post at `slug`, compiled, or null. One that waits for its first compile is compiled next. Throws as getIndex does. */
export function getPost(slug: string): Promise<SitePost | null> {
  return getSiteCatalog().catalog.getPost(slug);
}

/** The page content/pages/`slug`, compiled, or null. Throws as getIndex does. */
export function getPage(slug: string): Promise<SitePost | null> {
  return getSiteCatalog().catalog.getPage(slug);
}

/** The body of a post as written, without front matter; null when there is no such post. */
export function getPostSource(slug: string): Promise<string | null> {
  return getSiteCatalog().catalog.getPostSource(slug);
}

/** What an admin needs to know: what is live, what is compiled, what fails and why. */
export function getCatalogStatus(): CatalogStatus {
  return getSiteCatalog().catalog.getStatus();
}

/** For keys of cached pages: changes whenever a page with posts would look different, and with nothing else. Costs nothing. */
export function getContentVersionKey(): string {
  return getSiteCatalog().catalog.getKey();
}

/** Looks at the live version now; resolves when it is served. After this instance has written the row. */
export function refreshCatalog(): Promise<void> {
  return getSiteCatalog().catalog.refresh();
}

/** A file beside a post that is served, or null. `blob` asks for that version of it, where it is still in use. */
export async function findContentFile(
  path: string,
  blob: string | null,
): Promise<{ file: ContentFile; read: () => Promise<Uint8Array> } | null> {
  const { catalog, source } = getSiteCatalog();
  const file = await catalog.findFile(path, blob);
  return file && { file, read: () => source.readFile(file) };
}

/** Compiles one post past every cache, for /admin/content. Throws not_found. */
export async function compileFresh(slug: string): Promise<FreshCompile> {
  const compiled = await getSiteCatalog().catalog.compileFresh(slug);
  if (!compiled) throw new AppError("not_found", `There is no post ${slug}.`);
  return compiled;
}
