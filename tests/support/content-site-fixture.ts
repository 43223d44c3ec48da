// Sets up catalogs over a folder and over the test Git host.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect } from "vitest";
import { overrideEnv } from "./override-env.ts";
import { type TestGitHost, startGitHost } from "./git-host.ts";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { clearCacheMemory } from "#lib/cache/define-cache.ts";
import type { ContentSource } from "#lib/posts/source/content-source.ts";
import { createDiskSource } from "#lib/posts/source/disk-source.ts";
import { createGitSource } from "#lib/posts/source/git-source.ts";
import { createPublicFiles } from "#lib/posts/source/public-files.ts";
import type { ImageRewrite } from "#lib/posts/images/external-image.ts";
import { closeImageProcess } from "#lib/posts/images/run-image-job.ts";
import { closeCompiler } from "#lib/posts/mdx/compiler.ts";
import {
  type ContentVersionSource,
  createDiskVersionSource,
  createGitVersionSource,
} from "#lib/posts/catalog/content-version-source.ts";
import { PostChangeLog } from "#lib/posts/catalog/post-changes.ts";
import { Catalog } from "#lib/posts/catalog/catalog.ts";

/** Returns the text of a valid post whose body starts on line 6. */
export const makePostText = (title: string, date = "2026-11-21", body = `Text of ${title}.`) =>
  `---\ntitle: ${title}\ndate: ${date}\ndescription: About ${title}\n---\n\n${body}\n`;
/** A post that does not compile, because of line 7. */
export const BROKEN_POST = makePostText("Broken", "2026-11-01", "<Nope />");

export interface ContentSiteFixture {
  /** The content folder of disk sites. */
  readonly dir: string;
  readonly host: TestGitHost;
  isPrimary: boolean;
  imageRewrites: readonly ImageRewrite[];
  writeFile(path: string, content: string | Uint8Array): void;
  createDiskSite(options?: { isDevelopment?: boolean }): Catalog;
  createGitSite(): Catalog;
  /** Stops every catalog and clears the memory cache. */
  stopAll(): Promise<void>;
}

/** Gives each test its own folder and Git host, and stops everything after it. */
export function setUpContentSites(): ContentSiteFixture {
  let dir = "";
  let host: TestGitHost;
  let open: Catalog[] = [];

  function siteOf(
    source: ContentSource,
    live: ContentVersionSource,
    isDevelopment: boolean,
  ): Catalog {
    const context = {
      source,
      sourceId: `${source.kind}:test`,
      publicFiles: createPublicFiles({ dir: join(dir, "public"), recheckMs: 0 }),
      imageHosts: [],
      imageRewrites: sites.imageRewrites,
      trust: "trusted" as const,
    };
    const site = new Catalog({
      versionSource: live,
      changeLog: new PostChangeLog({ source, isPrimary: () => sites.isPrimary }),
      context,
      workers: 1,
      isDevelopment,
    });
    open.push(site);
    return site;
  }

  const sites: ContentSiteFixture = {
    get dir() {
      return dir;
    },
    get host() {
      return host;
    },
    isPrimary: true,
    imageRewrites: [],
    writeFile(path, content) {
      mkdirSync(join(dir, path, ".."), { recursive: true });
      writeFileSync(join(dir, path), content);
    },
    createDiskSite({ isDevelopment = false } = {}) {
      const source = createDiskSource({ dir, recheckMs: 0 });
      return siteOf(
        source,
        createDiskVersionSource(source, { isPrimary: () => sites.isPrimary }),
        isDevelopment,
      );
    },
    createGitSite() {
      const source = createGitSource({
        api: host.api,
        repository: host.repository,
        branch: "main",
        path: "content",
      });
      return siteOf(
        source,
        createGitVersionSource(source, { isPrimary: () => sites.isPrimary, pollMs: 5 * MINUTE_MS }),
        false,
      );
    },
    async stopAll() {
      await Promise.all(open.map((site) => site.stop()));
      open = [];
      clearCacheMemory();
    },
  };

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "lectern-site-"));
    host = await startGitHost();
    overrideEnv({ FETCH_ALLOW_PRIVATE: host.address });
    sites.isPrimary = true;
    sites.imageRewrites = [];
  });
  afterEach(async () => {
    await sites.stopAll();
    await host.close();
    overrideEnv({ FETCH_ALLOW_PRIVATE: undefined });
    rmSync(dir, { recursive: true, force: true });
  });
  afterAll(closeCompiler);
  afterAll(closeImageProcess);
  return sites;
}

/** Starts the catalog and returns it once everything is compiled. */
export async function waitUntilCompiled(site: Catalog): Promise<Catalog> {
  site.start();
  await expect
    .poll(
      () =>
        site.getStatus().servedVersion !== null &&
        site.getStatus().pendingCount === 0 &&
        site.getStatus().buildProgress === null,
      { timeout: 60_000 },
    )
    .toBe(true);
  return site;
}
