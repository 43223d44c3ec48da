// Opens the content and the settings that decide how it is shown. The site and content:check use it.

import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { ContentSource } from "#lib/posts/source/content-source.ts";
import { createDiskSource } from "#lib/posts/source/disk-source.ts";
import { type GitSource, createGitSource } from "#lib/posts/source/git-source.ts";
import { readOwnerComponents } from "#lib/posts/source/owner-components-file.ts";
import { createPublicFiles } from "#lib/posts/source/public-files.ts";
import type { CatalogContext } from "./parsed-post.ts";

/**
 * Checking names and times on disk costs a millisecond or two. In production, files rarely change.
 */
const DISK_RECHECK_INTERVAL_MS = { development: 500, test: 0, production: 15_000 } as const;

export interface SiteContent {
  readonly source: ContentSource;
  readonly context: CatalogContext;
}

/** Returns the content that the environment names, or `folder` of another blog. */
export function openSiteContent(folder?: string): SiteContent {
  const recheckMs = DISK_RECHECK_INTERVAL_MS[env.NODE_ENV];
  const source =
    folder !== undefined
      ? createDiskSource({ dir: folder, recheckMs, mountAt: "blog" })
      : openSource(recheckMs);
  const context = {
    source,
    sourceId:
      source.kind === "git"
        ? `git:${env.CONTENT_GIT_REPOSITORY}`
        : `disk:${folder ?? env.CONTENT_DIR}`,
    publicFiles: createPublicFiles({ dir: "public", recheckMs }),
    imageHosts: siteConfig.images.hosts,
    imageRewrites: siteConfig.images.rewrites,
    trust: siteConfig.content.trust,
    ownerComponents: readOwnerComponents(),
  };
  return { source, context };
}

function openSource(recheckMs: number): ContentSource {
  if (env.CONTENT_SOURCE === "disk") return createDiskSource({ dir: env.CONTENT_DIR, recheckMs });
  return createGitSource({
    api: env.CONTENT_GIT_API,
    repository: env.CONTENT_GIT_REPOSITORY!,
    branch: env.CONTENT_GIT_BRANCH,
    path: env.CONTENT_GIT_PATH,
    token: env.CONTENT_GIT_TOKEN,
  });
}

export function isGitSource(source: ContentSource): source is GitSource {
  return source.kind === "git";
}
