import { expect, test } from "vitest";
import { contentFileResponse, contentFileUrl, servedContentType } from "./content-file-response.ts";

const file = { path: "blog/a post/film.webm", blobSha: "a".repeat(40), bytes: 10 };
const open = (content: string) => (start: number, end: number) =>
  Promise.resolve(new Blob([content.slice(start, end + 1)]).stream());
const ask = (headers: Record<string, string> = {}, query = `?v=${file.blobSha}`) =>
  contentFileResponse(
    new Request(`http://site/content-file/x${query}`, { headers }),
    file,
    open("0123456789"),
  );

test("media and documents are served, nothing else", () => {
  expect(
    ["a.png", "a.JPG", "a.avif", "a.gif", "a.svg", "a.mp4", "a.webm", "a.mp3", "a.pdf"].map(
      servedContentType,
    ),
  ).not.toContain(null);
  expect(
    ["a.html", "a.tsx", "a.mdx", "a.svg.html", "svg", "a.svgz", "a.js", "a.constructor", "a."].map(
      servedContentType,
    ),
  ).toEqual(Array(9).fill(null));
});

test("a file requested by its version is cached for a year, and sandboxed", async () => {
  const response = await ask();
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("0123456789");
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "video/webm",
    "x-content-type-options": "nosniff",
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": expect.stringMatching(/default-src 'none';.*sandbox/),
    etag: `"${file.blobSha}"`,
  });
});

test("a file requested without its version, or by an older one, is cached for a minute", async () => {
  expect((await ask({}, "")).headers.get("cache-control")).toBe("public, max-age=60");
  expect((await ask({}, "?v=bbb")).headers.get("cache-control")).toBe("public, max-age=60");
});

test("a matching If-None-Match gets 304 without reading the file", async () => {
  const request = new Request("http://site/x", {
    headers: { "if-none-match": `"other", W/"${file.blobSha}"` },
  });
  const response = await contentFileResponse(request, file, () =>
    Promise.reject(new Error("It was read.")),
  );
  expect(response.status).toBe(304);
});

test("HEAD gets the headers, and the file is not opened", async () => {
  const request = new Request("http://site/x", { method: "HEAD" });
  const response = await contentFileResponse(request, file, () =>
    Promise.reject(new Error("It was opened.")),
  );
  expect([response.status, response.headers.get("content-length")]).toEqual([200, "10"]);
});

test.each([
  ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
  ["bytes=4-", 206, "456789", "bytes 4-9/10"],
  ["bytes=-3", 206, "789", "bytes 7-9/10"],
  ["bytes=8-99", 206, "89", "bytes 8-9/10"],
  ["bytes=10-", 416, "", "bytes */10"],
  ["bytes=5-2", 416, "", "bytes */10"],
  ["bytes=0-1,3-4", 200, "0123456789", null],
  ["lines=1-2", 200, "0123456789", null],
])("the range %s gives %i", async (range, status, text, contentRange) => {
  const response = await ask({ range });
  expect(response.status).toBe(status);
  expect(await response.text()).toBe(text);
  expect(response.headers.get("content-range")).toBe(contentRange);
});

test("the URL of a file contains its version and is encoded", () => {
  expect(contentFileUrl(file)).toBe(`/content-file/blog/a%20post/film.webm?v=${file.blobSha}`);
});

test("an SVG is served without its scripts, as a download", async () => {
  const svg = "<svg><script>alert(1)</script><g/></svg>";
  const drawing = { path: "blog/a/b.svg", blobSha: "b".repeat(40), bytes: svg.length };
  const response = await contentFileResponse(new Request("http://site/x"), drawing, open(svg));
  expect(await response.text()).toBe("<svg><g></g></svg>");
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "image/svg+xml",
    "content-disposition": "attachment",
  });
});

test("an empty file is an empty response", async () => {
  const empty = { path: "blog/a/b.png", blobSha: "c".repeat(40), bytes: 0 };
  const response = await contentFileResponse(new Request("http://site/x"), empty, open(""));
  expect([response.status, response.headers.get("content-length")]).toEqual([200, "0"]);
});
