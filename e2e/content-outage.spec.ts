// Starts a production site whose Git host is down, and brings the host back.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { startBuiltSite } from "#tests/support/built-site.ts";
import { readFilesBelow, startGitHost } from "#tests/support/git-host.ts";

const CONTENT_PATHS = [
  "/",
  "/blog",
  "/blog/one-door-for-writes",
  "/blog/one-door-for-writes.md",
  "/blog/one-door-for-writes/social.png",
  "/about",
  "/feed.xml",
  "/atom.xml",
  "/feed.json",
  "/sitemap.xml",
  "/content-file/blog/one-door-for-writes/a.png",
];

test("without content, its routes are 503 with Retry-After until the source is back", async () => {
  test.setTimeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), "lectern-outage-"));
  const repository = "ada/site";
  const git = await startGitHost({ repository });
  git.commit(readFilesBelow("content", "content"));
  git.mode = "outage";
  const site = await startBuiltSite({
    folder,
    readyPath: "/healthz",
    env: {
      CONTENT_SOURCE: "git",
      CONTENT_GIT_API: git.api,
      CONTENT_GIT_REPOSITORY: repository,
      FETCH_ALLOW_PRIVATE: git.address,
      EMBED_PROVIDER_ORIGIN: "http://127.0.0.1:9",
    },
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(site.url + path, { headers, redirect: "manual" });
  try {
    for (const accept of ["*/*", "text/html", "text/markdown"]) {
      const answers = await Promise.all(
        [...CONTENT_PATHS, ...CONTENT_PATHS].map(async (path) => {
          const { status, headers } = await get(path, { accept });
          return [path, status, Number(headers.get("retry-after")) > 0];
        }),
      );
      expect(answers).toEqual(
        [...CONTENT_PATHS, ...CONTENT_PATHS].map((path) => [path, 503, true]),
      );
    }
    const search = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "search", arguments: { query: "a" } },
    });
    const bodies = await Promise.all([
      ...[...CONTENT_PATHS, "/search?q=a", "/search/results?q=a", "/readyz"].map((path) =>
        get(path),
      ),
      fetch(`${site.url}/mcp`, {
        method: "POST",
        body: search,
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
      }),
    ]);
    for (const response of bodies) expect(await response.text()).not.toContain(git.address);
    const readyz = await get("/readyz");
    expect(readyz.status).toBe(503);
    expect(await readyz.json()).toMatchObject({
      ready: false,
      problems: [expect.stringMatching(/^There are no posts yet: .*Git host/)],
    });
    for (const path of ["/healthz", "/login", "/calls"])
      expect([path, (await get(path)).status]).toEqual([path, 200]);
    // The content may have a page or a redirect rule for it.
    expect((await get("/nothing-here")).status).toBe(503);

    git.mode = "ok";
    await expect.poll(async () => (await get("/readyz")).status, { timeout: 90_000 }).toBe(200);
    for (const path of ["/", "/blog", "/blog/one-door-for-writes", "/feed.xml", "/sitemap.xml"])
      expect([path, (await get(path)).status]).toEqual([path, 200]);
    expect((await get("/nothing-here")).status).toBe(404);
  } finally {
    await site.stop();
    await git.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
