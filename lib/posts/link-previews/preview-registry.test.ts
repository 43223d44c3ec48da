import type { IncomingMessage, ServerResponse } from "node:http";
import { createGzip } from "node:zlib";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { serveHttp, type TestServer } from "#tests/support/test-server.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { linkPreviewKey } from "./link-preview.ts";
import {
  findLinkPreview,
  findPreviewImage,
  onLinkPreviewsChanged,
  refreshLinkPreviews,
  resetLinkPreviews,
  retryDueLinkPreviews,
  setWantedLinkPreviews,
} from "./preview-registry.ts";
import { fetchLinkPreview } from "./fetch-link-preview.ts";
import { findPreviewRecord } from "./preview-record.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The host's current handler; tests replace it. */
let handle: Handler;
let requestedPaths: string[];
let server: TestServer;

beforeEach(async () => {
  requestedPaths = [];
  handle = (_, response) => page(response, "<title>A page</title>");
  server = await serveHttp((request, response) => {
    requestedPaths.push(request.url!);
    handle(request, response);
  });
  overrideEnv({ FETCH_ALLOW_PRIVATE: server.hostAndPort, EMBED_PROVIDER_ORIGIN: server.origin });
});

afterEach(async () => {
  vi.useRealTimers();
  resetLinkPreviews();
  await server.close();
  overrideEnv({ FETCH_ALLOW_PRIVATE: undefined, EMBED_PROVIDER_ORIGIN: undefined });
});

const page = (response: ServerResponse, html: string) =>
  response.writeHead(200, { "content-type": "text/html" }).end(html);
const json = (response: ServerResponse, data: unknown) =>
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(data));
const later = (ms: number) => setClock(nowMs() + ms);

function serveImage(png: Buffer): Handler {
  return (request, response) => {
    if (request.url === "/image") response.writeHead(200, { "content-type": "image/png" }).end(png);
    else
      page(
        response,
        `<title>A page</title><meta property="og:image" content="${server.origin}/image">`,
      );
  };
}
const png = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: "#336699" } })
    .png()
    .toBuffer();

test("a page becomes a preview with clean text", async () => {
  handle = (_, response) =>
    page(
      response,
      `<meta property="og:title" content="  Why &amp; how "><meta property="og:description" content="${"word ".repeat(200)}"><meta property="og:site_name" content="Example"><meta property="og:image" content="http://10.0.0.1/a.png">`,
    );
  const embed = await fetchLinkPreview(`${server.origin}/post`);
  expect(embed).toMatchObject({
    url: `${server.origin}/post`,
    kind: "page",
    title: "Why & how",
    siteName: "Example",
  });
  expect(embed.description!.length).toBeLessThanOrEqual(400);
  expect(embed).not.toHaveProperty("imageUrl");
});

test.each([
  "http://example.com/a.png",
  "https://127.0.0.1/a.png",
  "https://localhost/a.png",
  "https://db.internal/a.png",
  "data:image/png;base64,AAAA",
  "javascript:alert(1)",
  "https://example.com:8443/a.png",
  "file:///a.png",
])("the image %s is omitted", async (image) => {
  handle = (_, response) =>
    page(response, `<title>x</title><meta property="og:image" content="${image}">`);
  expect(await fetchLinkPreview(server.origin)).not.toHaveProperty("imageUrl");
});

test("a public https image is kept", async () => {
  handle = (_, response) =>
    page(
      response,
      '<title>x</title><meta property="og:image" content="https://example.com/a.png">',
    );
  expect((await fetchLinkPreview(server.origin)).imageUrl).toBe("https://example.com/a.png");
});

test("a video is fetched from its provider, and its player is built from its id", async () => {
  handle = (_, response) =>
    json(response, {
      title: "A talk",
      author_name: "Someone",
      provider_name: "Anything",
      html: "<script>alert(1)</script>",
      thumbnail_url: "https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg",
    });
  const embed = await fetchLinkPreview("https://youtu.be/dQw4w9WgXcQ");
  expect(embed).toEqual({
    url: "https://youtu.be/dQw4w9WgXcQ",
    kind: "youtube",
    title: "A talk",
    author: "Someone",
    siteName: "YouTube",
    imageUrl: "https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg",
    playerUrl: "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1",
  });
  expect(requestedPaths).toEqual([
    "/oembed?format=json&url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3DdQw4w9WgXcQ",
  ]);
});

test("a tweet's preview has its text and author", async () => {
  handle = (_, response) =>
    json(response, {
      author_name: "Kent",
      author_url: "https://twitter.com/kentcdodds",
      html: '<blockquote><p>First<br>second &lt;b&gt;</p>&mdash; Kent (@kentcdodds) <a href="https://twitter.com/k/status/1">March 8, 2020</a></blockquote>',
    });
  expect(await fetchLinkPreview("https://x.com/kentcdodds/status/1")).toEqual({
    url: "https://x.com/kentcdodds/status/1",
    kind: "tweet",
    title: "Kent (@kentcdodds)",
    author: "Kent",
    siteName: "X",
    description: "First\nsecond <b>",
    published: "March 8, 2020",
  });
});

test("an oEmbed endpoint that a page links is requested only on its host or a known one", async () => {
  const other = await serveHttp((_, response) => json(response, { title: "stolen" }), "127.0.0.2");
  overrideEnv({ FETCH_ALLOW_PRIVATE: `${server.hostAndPort},${other.hostAndPort}` });
  let oembed = `${server.origin}/oembed`;
  handle = (request, response) => {
    if (request.url === "/oembed") json(response, { title: "From oEmbed", provider_name: "Own" });
    else page(response, `<link type="application/json+oembed" href="${oembed}">`);
  };
  expect(await fetchLinkPreview(`${server.origin}/a`)).toMatchObject({
    title: "From oEmbed",
    siteName: "Own",
  });
  oembed = `${other.origin}/oembed`;
  await expect(fetchLinkPreview(`${server.origin}/a`)).rejects.toMatchObject({ code: "invalid" });
  await other.close();
});

test.each([
  ["a page without a title", (response: ServerResponse) => page(response, "<p>hello")],
  [
    "a file",
    (response: ServerResponse) =>
      response.writeHead(200, { "content-type": "application/pdf" }).end("%PDF"),
  ],
  ["JSON", (response: ServerResponse) => json(response, { title: "x" })],
  [
    "404",
    (response: ServerResponse) =>
      response.writeHead(404, { "content-type": "text/html" }).end("<title>Not found</title>"),
  ],
  [
    "500",
    (response: ServerResponse) =>
      response.writeHead(500, { "content-type": "text/html" }).end("<title>Oops</title>"),
  ],
])("%s has no preview", async (_, send) => {
  handle = (_request, response) => void send(response);
  await refreshLinkPreviews([`${server.origin}/x`]);
  expect(findLinkPreview(`${server.origin}/x`)).toBeNull();
});

const endless: Handler = (_, response) => {
  const chunk = Buffer.alloc(65_536, " ");
  const more = () => {
    while (!response.destroyed)
      if (!response.write(chunk)) return void response.once("drain", more);
  };
  more();
};

const hostile: [string, Handler][] = [
  ["hangs", () => {}],
  [
    "disconnects in the middle of its response",
    (_, response) =>
      void response
        .writeHead(200, { "content-type": "text/html", "content-length": "999" })
        .write("<ti", () => response.destroy()),
  ],
  [
    "redirects endlessly",
    (request, response) => void response.writeHead(302, { location: `${request.url}x` }).end(),
  ],
  [
    "sends a gigabyte of zeros",
    (request, response) => (
      response.writeHead(200, { "content-type": "text/html" }),
      endless(request, response)
    ),
  ],
  [
    "sends a gzip bomb",
    (_, response) => {
      response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" });
      const gzip = createGzip();
      gzip.pipe(response);
      response.on("close", () => gzip.destroy());
      gzip.end(Buffer.alloc(64 * 1_048_576));
    },
  ],
  [
    "redirects to a private address",
    (_, response) => void response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
  ],
];

test.each(hostile)(
  "a link whose host %s has no preview and blocks nothing, and gets one when the host recovers",
  async (_, handler) => {
    const url = `${server.origin}/job`;
    handle = handler;
    const told: (readonly string[])[] = [];
    onLinkPreviewsChanged((urls) => told.push(urls));

    const done = refreshLinkPreviews([url]);
    const started = performance.now();
    expect(findLinkPreview(url)).toBeNull();
    expect(performance.now() - started).toBeLessThan(5_000);
    await done;
    expect(findLinkPreview(url)).toBeNull();
    expect(findPreviewRecord(url)).toMatchObject({ failures: 1, embed: null });
    await expect.poll(() => server.countConnections()).toBe(0);

    // The failure is cached: neither a page nor a deploy retries immediately.
    const before = requestedPaths.length;
    await refreshLinkPreviews([url]);
    await retryDueLinkPreviews();
    expect(requestedPaths.length).toBe(before);

    handle = (_request, response) => page(response, "<title>We are hiring</title>");
    later(13 * MINUTE_MS);
    expect(findLinkPreview(url)).toBeNull();
    await retryDueLinkPreviews();
    expect(findLinkPreview(url)).toMatchObject({ title: "We are hiring" });
    expect(told).toEqual([[url]]);
  },
);

test("lookups do not wait while hosts hang", async () => {
  handle = () => {};
  const urls = Array.from({ length: 25 }, (_, n) => `${server.origin}/${n}`);
  void refreshLinkPreviews(urls);
  await expect.poll(() => requestedPaths.length).toBe(3);
  const started = performance.now();
  for (const url of urls) expect(findLinkPreview(url)).toBeNull();
  expect(performance.now() - started).toBeLessThan(5_000);
});

test("at most three links are fetched at the same time, each once", async () => {
  let now = 0;
  let most = 0;
  handle = (_, response) => {
    most = Math.max(most, ++now);
    setImmediate(() => {
      now--;
      page(response, "<title>x</title>");
    });
  };
  const urls = Array.from({ length: 20 }, (_, n) => `${server.origin}/${n}`);
  await Promise.all([
    refreshLinkPreviews(urls),
    refreshLinkPreviews(urls),
    refreshLinkPreviews([...urls, ...urls]),
  ]);
  expect(most).toBeLessThanOrEqual(3);
  expect(requestedPaths.length).toBe(20);
  expect(urls.every((url) => findLinkPreview(url) !== null)).toBe(true);
});

test("the retry delay doubles up to a day", async () => {
  const url = `${server.origin}/x`;
  handle = (_, response) => void response.writeHead(503).end();
  const waits: number[] = [];
  await refreshLinkPreviews([url]);
  for (let n = 0; n < 10; n++) {
    const { nextAtMs } = findPreviewRecord(url)!;
    waits.push(nextAtMs - nowMs());
    setClock(nextAtMs + 1_000);
    await retryDueLinkPreviews();
  }
  for (const [n, wait] of waits.entries()) {
    expect(wait).toBeGreaterThan(Math.min(10 * MINUTE_MS * 2 ** n, DAY_MS) - 5_000);
    expect(wait).toBeLessThanOrEqual(Math.min(10 * MINUTE_MS * 2 ** n * 1.2, DAY_MS));
  }
  expect(requestedPaths.length).toBe(11);
});

test("a preview is refreshed after a week, and kept if that fails", async () => {
  const url = `${server.origin}/x`;
  await refreshLinkPreviews([url]);
  later(5 * DAY_MS);
  await refreshLinkPreviews([url]);
  expect(requestedPaths.length).toBe(1);

  later(2 * DAY_MS + HOUR_MS);
  handle = (_, response) => void response.writeHead(500).end();
  await refreshLinkPreviews([url]);
  expect(requestedPaths.length).toBe(2);
  expect(findLinkPreview(url)).toMatchObject({ title: "A page" });

  later(15 * MINUTE_MS);
  handle = (_, response) => page(response, "<title>A newer page</title>");
  await retryDueLinkPreviews();
  expect(findLinkPreview(url)).toMatchObject({ title: "A newer page" });
});

test("an unchanged preview notifies no listener", async () => {
  const told: (readonly string[])[] = [];
  const stop = onLinkPreviewsChanged((urls) => told.push(urls));
  await refreshLinkPreviews([`${server.origin}/x`]);
  later(8 * DAY_MS);
  await retryDueLinkPreviews();
  expect(requestedPaths.length).toBe(2);
  expect(told).toEqual([[`${server.origin}/x`]]);
  stop();
  handle = (_, response) => page(response, "<title>Other</title>");
  later(8 * DAY_MS);
  await retryDueLinkPreviews();
  expect(told.length).toBe(1);
});

test("previews and failures survive a restart", async () => {
  await refreshLinkPreviews([`${server.origin}/good`]);
  handle = (_, response) => void response.writeHead(500).end();
  await refreshLinkPreviews([`${server.origin}/bad`]);
  resetLinkPreviews();
  expect(findLinkPreview(`${server.origin}/good`)).toMatchObject({ title: "A page" });
  await refreshLinkPreviews([`${server.origin}/good`, `${server.origin}/bad`]);
  expect(requestedPaths.length).toBe(2);
});

test("a link that is no longer in a post is not retried", async () => {
  handle = (_, response) => void response.writeHead(500).end();
  await refreshLinkPreviews([`${server.origin}/old`]);
  await setWantedLinkPreviews([`${server.origin}/new`]);
  later(DAY_MS);
  requestedPaths.length = 0;
  await retryDueLinkPreviews();
  expect(requestedPaths).toEqual(["/new"]);
});

test("a timer retries", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  handle = (_, response) => void response.writeHead(500).end();
  const url = `${server.origin}/x`;
  await refreshLinkPreviews([url]);
  handle = (_, response) => page(response, "<title>Back</title>");
  later(15 * MINUTE_MS);
  vi.advanceTimersByTime(30_000);
  await expect.poll(() => findLinkPreview(url)?.title).toBe("Back");
});

test("invalid URLs are ignored", async () => {
  await refreshLinkPreviews([
    "not a url",
    "javascript:alert(1)",
    "http://127.0.0.1:1/",
    `https://example.com/${"x".repeat(3_000)}`,
  ]);
  expect(findLinkPreview("not a url")).toBeNull();
  expect(requestedPaths).toEqual([]);
});

test("a listener that throws does not affect the others", async () => {
  overrideEnv({ LOG_LEVEL: "error" });
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const told: (readonly string[])[] = [];
  onLinkPreviewsChanged(() => {
    throw new Error("no");
  });
  onLinkPreviewsChanged((urls) => told.push(urls));
  await refreshLinkPreviews([`${server.origin}/x`]);
  expect(told.length).toBe(1);
  expect(written.mock.calls.join("")).toContain("embeds.listener_failed");
});

test("the image of a preview is served by this site, shrunk", async () => {
  handle = serveImage(await png(1_200, 630));
  const url = `${server.origin}/x`;
  await refreshLinkPreviews([url]);
  const { image } = findLinkPreview(url)!;
  expect(image).toMatchObject({ width: 640, height: 336 });
  expect(image!.path).toMatch(new RegExp(`^/embed-image/${linkPreviewKey(url)}\\?v=[0-9a-f]{8}$`));
  const served = (await findPreviewImage(linkPreviewKey(url)))!;
  expect(await sharp(Buffer.from(served.base64, "base64")).metadata()).toMatchObject({
    format: "webp",
    width: 640,
    height: 336,
  });
  expect(requestedPaths.filter((path) => path === "/image").length).toBe(1);
});

test.each([
  [
    "an SVG that calls itself PNG",
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
  ],
  ["half a PNG", null],
  ["HTML", Buffer.from("<html>")],
  [
    "more than 2 MB",
    Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(2 * 1_048_576)]),
  ],
])("%s is not an image; the preview has none", async (_, bytes) => {
  handle = serveImage(bytes ?? (await png(300, 300)).subarray(0, 300));
  const url = `${server.origin}/x`;
  await refreshLinkPreviews([url]);
  expect(findLinkPreview(url)).toMatchObject({ title: "A page" });
  expect(findLinkPreview(url)).not.toHaveProperty("image");
  expect(await findPreviewImage(linkPreviewKey(url))).toBeNull();
});

test("an image with too many pixels is rejected", async () => {
  handle = serveImage(await png(5_000, 4_000));
  await refreshLinkPreviews([`${server.origin}/x`]);
  expect(findLinkPreview(`${server.origin}/x`)).not.toHaveProperty("image");
});

test("only images of known previews are served, and a failed one is not retried immediately", async () => {
  expect(await findPreviewImage(linkPreviewKey("https://example.com/"))).toBeNull();
  expect(await findPreviewImage("../../etc/passwd")).toBeNull();
  handle = (request, response) => {
    if (request.url === "/image") response.writeHead(500).end();
    else
      page(response, `<title>x</title><meta property="og:image" content="${server.origin}/image">`);
  };
  const url = `${server.origin}/x`;
  await refreshLinkPreviews([url]);
  requestedPaths.length = 0;
  for (let n = 0; n < 5; n++) expect(await findPreviewImage(linkPreviewKey(url))).toBeNull();
  expect(requestedPaths.length).toBe(1);
});
