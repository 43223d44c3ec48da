import { afterEach, beforeEach, expect, test } from "vitest";
import { DAY_MS, nowMs, setClock } from "#lib/core/clock.ts";
import {
  resetLinkPreviews,
  retryDueLinkPreviews,
} from "#lib/posts/link-previews/preview-registry.ts";
import { makePostText, setUpContentSites } from "#tests/support/content-site-fixture.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { refreshCatalog, stopCatalog } from "./site-catalog.ts";

const sites = setUpContentSites();
let requestedPaths: string[];
let server: TestServer;

beforeEach(async () => {
  requestedPaths = [];
  server = await serveHttp(({ url }, response) => {
    requestedPaths.push(url!);
    response.writeHead(200, { "content-type": "text/html" }).end("<title>A page</title>");
  });
  overrideEnv({ CONTENT_DIR: sites.dir, FETCH_ALLOW_PRIVATE: server.hostAndPort });
});
afterEach(async () => {
  await stopCatalog();
  resetLinkPreviews();
  await server.close();
  overrideEnv({ CONTENT_DIR: undefined, FETCH_ALLOW_PRIVATE: undefined });
});

test("a link is fetched while a post embeds it, and never after the last one is gone", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A", undefined, `${server.origin}/page`));
  await refreshCatalog();
  await expect.poll(() => requestedPaths).toEqual(["/page"]);
  sites.writeFile("blog/a.mdx", makePostText("A"));
  await refreshCatalog();
  setClock(nowMs() + 8 * DAY_MS);
  await retryDueLinkPreviews();
  expect(requestedPaths).toEqual(["/page"]);
});
