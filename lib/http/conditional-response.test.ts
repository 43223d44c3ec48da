import { expect, test } from "vitest";
import { conditionalResponse, createCacheableBody } from "./conditional-response.ts";

const text = createCacheableBody("<feed/>");
const ask = (ifNoneMatch?: string) =>
  conditionalResponse(
    new Request("https://lectern.example/rss.xml", {
      headers: ifNoneMatch === undefined ? {} : { "if-none-match": ifNoneMatch },
    }),
    text,
    "application/rss+xml; charset=utf-8",
    300,
  );

test("a body is sent with type, ETag and max-age", async () => {
  const response = ask();
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("<feed/>");
  expect(response.headers.get("content-type")).toBe("application/rss+xml; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe(
    "public, max-age=300, stale-while-revalidate=3600",
  );
  expect(response.headers.get("etag")).toBe(text.etag);
});

test.each([text.etag, text.etag.slice(2), `"other", ${text.etag}`, "*"])(
  "a matching If-None-Match gets 304: %s",
  async (tag) => {
    const response = ask(tag);
    expect(response.status).toBe(304);
    expect(await response.text()).toBe("");
    expect(response.headers.get("etag")).toBe(text.etag);
  },
);

test.each(['"other"', "", "W/"])("a different ETag gets the body: %j", (tag) => {
  expect(ask(tag).status).toBe(200);
});

test("a different body has a different ETag", () => {
  expect(createCacheableBody("<feed></feed>").etag).not.toBe(text.etag);
});
