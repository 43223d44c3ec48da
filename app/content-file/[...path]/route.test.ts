import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { GET } from "./route.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { closeCompiler } from "#lib/posts/mdx/compiler.ts";
import { stopCatalog } from "#lib/posts/catalog/site-catalog.ts";

let dir: string;
const put = (path: string, content: string | Uint8Array) => {
  mkdirSync(join(dir, path, ".."), { recursive: true });
  writeFileSync(join(dir, path), content);
};
const get = (path: string, headers: Record<string, string> = {}) =>
  GET(new Request(`http://site/content-file/${path}`, { headers }));

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lectern-files-"));
  overrideEnv({ CONTENT_DIR: join(dir, "content") });
  put("content/blog/a/index.mdx", "---\ntitle: A\ndate: 2026-01-01\ndescription: D\n---\n\nHi.\n");
  put(
    "content/blog/a/a picture.svg",
    "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'><script>alert(1)</script></svg>",
  );
  put("content/blog/a/film.mp4", new Uint8Array([1, 2, 3, 4, 5]));
  put("content/blog/a/large.mp4", new Uint8Array(25 * 1_048_576 + 1));
  put("content/blog/a/part.tsx", "secret");
  put("content/blog/a/.hidden.png", "secret");
  put("content/secret.png", "secret");
  put("secret.png", "secret");
});
afterEach(async () => {
  await stopCatalog();
  rmSync(dir, { recursive: true, force: true });
  overrideEnv({ CONTENT_DIR: undefined });
});
// Each compiler loads for a third of a second, so that the tests share one.
afterAll(closeCompiler);

test("an image next to a post is served in a sandbox", async () => {
  const response = await get("blog/a/a%20picture.svg");
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("<svg");
  expect(response.headers.get("content-security-policy")).toContain("sandbox");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  const etag = response.headers.get("etag")!;
  expect((await get("blog/a/a%20picture.svg", { "if-none-match": etag })).status).toBe(304);
});

test("a video is served in byte ranges", async () => {
  const response = await get("blog/a/film.mp4", { range: "bytes=1-2" });
  expect([response.status, Buffer.from(await response.arrayBuffer())]).toEqual([
    206,
    Buffer.from([2, 3]),
  ]);
});

test.each([
  "blog/a/part.tsx",
  "blog/a/index.mdx",
  "blog/a/.hidden.png",
  "blog/a/nothing.png",
  "secret.png",
  "../secret.png",
  "..%2fsecret.png",
  "..%2f..%2fsecret.png",
  "blog/..%2f..%2fsecret.png",
  "blog/a/..%2f..%2f..%2fsecret.png",
  "blog/a/%2e%2e/%2e%2e/secret.png",
  "blog%5c..%5csecret.png",
  "%252e%252e%252fsecret.png",
  "/etc/passwd.png",
  "blog/a/film.mp4%00.png",
  "blog/a/film.mp4/",
  "%",
  "%E0%A4%A.png",
  "__proto__.png",
  "",
])("%j is not found", async (path) => {
  const response = await get(path);
  expect(response.status).toBe(404);
  expect(await response.text()).not.toContain("secret");
});

test("a file that is too large is rejected", async () => {
  expect((await get("blog/a/large.mp4")).status).toBe(413);
});
