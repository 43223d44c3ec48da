import { afterEach, expect, test } from "vitest";
import NextCacheHandler from "./next-cache-handler.ts";
import { resetSingleton, singleton } from "#lib/core/singleton.ts";

function publishVersion(version: string): void {
  resetSingleton("content-version");
  singleton("content-version", () => () => version);
}
afterEach(() => {
  resetSingleton("content-version");
});

const page = (html: string) => ({ kind: "APP_PAGE", html });

test("a page is cached for the content version of its request", async () => {
  const cache = new NextCacheHandler();
  publishVersion("one");
  expect(await cache.get("/a")).toBeNull();
  await cache.set("/a", page("first"));
  expect(await cache.get("/a")).toMatchObject({ value: page("first") });
  publishVersion("two");
  expect(await cache.get("/a")).toBeNull();
});

test("a page rendered during a content change is not cached for the new version", async () => {
  const cache = new NextCacheHandler();
  publishVersion("one");
  await cache.get("/b");
  publishVersion("two");
  await cache.set("/b", page("old"));
  expect(await cache.get("/b")).toBeNull();
});

test("a page rendered during a content change is not cached for a version that returns", async () => {
  const cache = new NextCacheHandler();
  publishVersion("one");
  await cache.get("/r");
  publishVersion("two");
  await cache.set("/r", page("of two"));
  publishVersion("one"); // the commit was reverted
  expect(await cache.get("/r")).toBeNull();
});

test("a not-found page is cached as a 404", async () => {
  const cache = new NextCacheHandler();
  publishVersion("one");
  await cache.get("/missing");
  await cache.set("/missing", page('<main><div class="wrap" data-missing="">'));
  expect(await cache.get("/missing")).toMatchObject({ value: { status: 404 } });
  await cache.get("/about-it");
  await cache.set(
    "/about-it",
    page('<p>A page with &lt;div class="wrap" data-missing=""&gt; in its text'),
  );
  expect(await cache.get("/about-it")).not.toMatchObject({ value: { status: 404 } });
});

test("concurrent requests for a missing page share one value, and its status is 404", async () => {
  const shared: { html: string; status?: number } = page('<div class="wrap" data-missing="">');
  await new NextCacheHandler().set("/missing", shared);
  expect(shared.status).toBe(404);
});

test("nothing is cached before the content version is known", async () => {
  const cache = new NextCacheHandler();
  await cache.get("/c");
  await cache.set("/c", page("early"));
  expect(await cache.get("/c")).toBeNull();
});

test("memory is bounded for any number of pages", async () => {
  const cache = new NextCacheHandler();
  publishVersion("one");
  for (let i = 0; i < 200; i++) {
    await cache.get(`/d/${i}`);
    await cache.set(`/d/${i}`, page("x".repeat(1_000_000)));
  }
  const entries = await Promise.all(Array.from({ length: 200 }, (_, i) => cache.get(`/d/${i}`)));
  expect(entries.filter(Boolean).length).toBeLessThanOrEqual(33);
  expect(entries.at(-1)).not.toBeNull();
});

test("requests for missing pages evict no page", async () => {
  const cache = new NextCacheHandler();
  publishVersion("one");
  await cache.get("/kept");
  await cache.set("/kept", page("kept"));
  for (let i = 0; i < 1_000; i++) {
    await cache.get(`/missing/${i}`);
    await cache.set(
      `/missing/${i}`,
      page(`<div class="wrap" data-missing="">${"x".repeat(100_000)}`),
    );
  }
  expect(await cache.get("/kept")).not.toBeNull();
  const cached = await Promise.all(
    Array.from({ length: 1_000 }, (_, i) => cache.get(`/missing/${i}`)),
  );
  expect(cached.filter(Boolean).length).toBe(50);
});
