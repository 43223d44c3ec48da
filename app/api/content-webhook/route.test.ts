import { afterEach, beforeEach, expect, test } from "vitest";
import { POST } from "./route.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type TestGitHost, signWebhook, startGitHost } from "#tests/support/git-host.ts";
import { findPublishedVersion } from "#lib/posts/catalog/published-version.ts";
import { read } from "#lib/db/database.ts";
import { closeCompiler } from "#lib/posts/mdx/compiler.ts";
import { findPostBySlug, getCatalogStatus, stopCatalog } from "#lib/posts/catalog/site-catalog.ts";

const SECRET = "a secret of sixteen";
const text = (title: string) =>
  `---\ntitle: ${title}\ndate: 2026-01-01\ndescription: D\n---\n\nHi.\n`;
let host: TestGitHost;

const send = (body: BodyInit, headers: Record<string, string> = {}) =>
  POST(new Request("http://site/api/content-webhook", { method: "POST", body, headers }));
const publishedVersion = async () => (await read(findPublishedVersion))?.version ?? null;

beforeEach(async () => {
  host = await startGitHost();
  overrideEnv({
    FETCH_ALLOW_PRIVATE: host.address,
    CONTENT_SOURCE: "git",
    CONTENT_GIT_API: host.api,
    CONTENT_GIT_REPOSITORY: host.repository,
    CONTENT_GIT_BRANCH: "main",
    CONTENT_GIT_PATH: "content",
    CONTENT_WEBHOOK_SECRET: SECRET,
  });
});
afterEach(async () => {
  await stopCatalog();
  await closeCompiler();
  await host.close();
  overrideEnv({
    FETCH_ALLOW_PRIVATE: undefined,
    CONTENT_SOURCE: undefined,
    CONTENT_GIT_API: undefined,
    CONTENT_GIT_REPOSITORY: undefined,
    CONTENT_GIT_BRANCH: undefined,
    CONTENT_GIT_PATH: undefined,
    CONTENT_WEBHOOK_SECRET: undefined,
    REPLICATION: undefined,
  });
});

test("a push shows the new text without a deploy", async () => {
  host.commit({ "content/blog/a.mdx": text("One") });
  expect((await findPostBySlug("a"))?.frontMatter.title).toBe("One");
  const sha = host.commit({ "content/blog/a.mdx": text("Two") });
  const { body, headers } = host.makePushWebhook(SECRET, sha);
  const response = await send(body, headers);
  expect([response.status, await response.json()]).toEqual([200, { message: `Published ${sha}.` }]);
  expect(await publishedVersion()).toBe(sha);
  await expect
    .poll(async () => (await findPostBySlug("a"))?.frontMatter.title, { timeout: 10_000 })
    .toBe("Two");
  expect(await (await send(body, headers)).json()).toEqual({
    message: `${sha} is already published.`,
  });
  expect(getCatalogStatus().problem).toBeNull();
});

test("a forged push, one without a signature, and one to another branch change nothing", async () => {
  const { body, headers } = host.makePushWebhook("another secret!!!", "a".repeat(40));
  expect((await send(body, headers)).status).toBe(401);
  expect(
    (await send(body, { "x-github-event": "push", "content-type": "application/json" })).status,
  ).toBe(401);
  const other = host.makePushWebhook(SECRET, "a".repeat(40), { branch: "dev" });
  expect((await send(other.body, other.headers)).status).toBe(202);
  expect(await publishedVersion()).toBeNull();
});

test("a signature is valid only for the exact bytes", async () => {
  const { body, headers } = host.makePushWebhook(SECRET, "a".repeat(40));
  expect((await send(body.replace("aaaa", "bbbb"), headers)).status).toBe(401);
});

test("a body that is too large or not JSON is rejected", async () => {
  const large = "x".repeat(1_048_577);
  expect(
    (
      await send(large, {
        "x-github-event": "push",
        "x-hub-signature-256": signWebhook(SECRET, large),
      })
    ).status,
  ).toBe(413);
  expect(
    (
      await send("{", {
        "x-github-event": "push",
        "content-type": "application/json",
        "x-hub-signature-256": signWebhook(SECRET, "{"),
      })
    ).status,
  ).toBe(400);
});

test("a ping gets 200", async () => {
  expect(
    (
      await send("{}", {
        "x-github-event": "ping",
        "x-hub-signature-256": signWebhook(SECRET, "{}"),
      })
    ).status,
  ).toBe(200);
});

test("without a secret, or with content from disk, it is a 404", async () => {
  const { body, headers } = host.makePushWebhook(SECRET, "a".repeat(40));
  overrideEnv({ CONTENT_WEBHOOK_SECRET: undefined });
  expect((await send(body, headers)).status).toBe(404);
  overrideEnv({ CONTENT_WEBHOOK_SECRET: SECRET, CONTENT_SOURCE: "disk" });
  expect((await send(body, headers)).status).toBe(404);
});

test("without a known primary, a push gets 503 with Retry-After", async () => {
  overrideEnv({ REPLICATION: "on" });
  const { body, headers } = host.makePushWebhook(SECRET, "a".repeat(40));
  const response = await send(body, headers);
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("5");
});
