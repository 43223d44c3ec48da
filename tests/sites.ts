// A site over a folder or over the test Git host.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect } from "vitest";
import { overrideEnv } from "./database.ts";
import { type TestGitHost, startGitHost } from "./git-host.ts";
import { MINUTE_MS } from "#lib/base/clock.ts";
import { clearCacheMemory } from "#lib/cache/cache.ts";
import type { ContentSource } from "#lib/content/content-source.ts";
import { createDiskSource } from "#lib/content/disk-source.ts";
import { createGitSource } from "#lib/content/git-source.ts";
import { closeCompiler } from "#lib/mdx/compile.ts";
import { liveDisk, liveGit } from "../app/_site/live-content.ts";
import { type Site, createSite } from "../app/_site/site-engine.ts";

/** The text of a post without mistakes; its body begins in line 6. */
export const postText = (title: string, date = "2026-11-21", body = `Text of ${title}.`) =>
  `---\ntitle: ${title}\ndate: ${date}\ndescription: About ${title}\n---\n\n${body}\n`;
/** One that does not compile, because of its line 7. */
export const BROKEN = postText("Broken", "2026-11-01", "<Nope />");

export interface Sites {
  /** The content folder of disk sites. */
  readonly dir: string;
  readonly host: TestGitHost;
  isPrimary: boolean;
  put(path: string, content: string | Uint8Array): void;
  disk(options?: { isDevelopment?: boolean }): Site;
  git(): Site;
  /** Ends every site and forgets what is in memory. */
  end(): Promise<void>;
}

/** Gives each test a folder and a host of its own; everything is ended after it. */
export function freshSites(): Sites {
  let dir = "";
  let host: TestGitHost;
  let open: Site[] = [];

  function siteOf(
    source: ContentSource,
    live: Parameters<typeof createSite>[0]["live"],
    isDevelopment: boolean,
  ): Site {
    const context = () => ({
      source,
      sourceId: `${source.kind}:test`,
      images: {},
      imageHosts: [],
      componentsOf: () => [],
    });
    const site = createSite({ live, context, workers: 1, isDevelopment });
    open.push(site);
    return site;
  }

  const sites: Sites = {
    get dir() {
      return dir;
    },
    get host() {
      return host;
    },
    isPrimary: true,
    put(path, content) {
      mkdirSync(join(dir, path, ".."), { recursive: true });
      writeFileSync(join(dir, path), content);
    },
    disk({ isDevelopment = false } = {}) {
      const source = createDiskSource({ dir, recheckMs: 0 });
      return siteOf(source, liveDisk(source, { isPrimary: () => sites.isPrimary }), isDevelopment);
    },
    git() {
      const source = createGitSource({
        api: host.api,
        repository: host.repository,
        branch: "main",
        path: "content",
      });
      return siteOf(
        source,
        liveGit(source, { isPrimary: () => sites.isPrimary, pollMs: 5 * MINUTE_MS }),
        false,
      );
    },
    async end() {
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
  });
  afterEach(async () => {
    await sites.end();
    await host.close();
    overrideEnv({ FETCH_ALLOW_PRIVATE: undefined });
    rmSync(dir, { recursive: true, force: true });
  });
  afterAll(closeCompiler);
  return sites;
}

/** The site once everything is compiled. */
export async function whole(site: Site): Promise<Site> {
  site.start();
  await expect
    .poll(
      () =>
        site.status().served !== null &&
        site.status().pending === 0 &&
        site.status().compiling === null,
      { timeout: 20_000 },
    )
    .toBe(true);
  return site;
}
