import { type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { MINUTE_MS, SECOND_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { COOKIE_NAMES } from "#lib/core/cookie-names.ts";
import { RENDER_HEADER, isRenderRequest } from "#lib/core/render-request.ts";
import { resetSingleton, singleton } from "#lib/core/singleton.ts";
import { createTxidCookie } from "#lib/replication/read-your-writes.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { provideEpisodesVersion, providePersonalParts } from "./page-cache.ts";
import { markPart } from "./page-template.ts";
import { createPipelineServer } from "./pipeline.ts";
import { setRenderOrigin } from "./render-page.ts";

/** What the handler saw, in order. */
let seen: { url: string; isRender: boolean; headers: IncomingMessage["headers"] }[] = [];
let server: ReturnType<typeof createPipelineServer>;
let render: (incoming: IncomingMessage) => string;
let respond: (incoming: IncomingMessage) => { status: number; headers: OutgoingHttpHeaders };

const FILE = /\.(xml|txt|json)$|^\/blog\/[^/]+\/markdown$/;

function publishVersion(version: string): void {
  resetSingleton("content-version");
  singleton("content-version", () => () => version);
}

beforeEach(async () => {
  seen = [];
  render = ({ url }) => `page ${seen.length} of ${url}`;
  respond = () => ({ status: 200, headers: { etag: '"one"' } });
  publishVersion("one");
  server = createPipelineServer((incoming, response) => {
    const { url = "", headers } = incoming;
    seen.push({ url, isRender: isRenderRequest(headers), headers });
    const { status, headers: sent } = respond(incoming);
    const type = FILE.test(url) ? "text/plain" : "text/html";
    response.writeHead(status, { "content-type": `${type}; charset=utf-8`, ...sent });
    response.end(render(incoming));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  setRenderOrigin(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(() => {
  setClock(null);
  for (const name of ["render-origin", "content-version", "personal-parts", "episodes-version"])
    resetSingleton(name);
  server.closeAllConnections();
  server.close();
});

function send(path: string, headers: OutgoingHttpHeaders = {}, method = "GET") {
  const { port } = server.address() as AddressInfo;
  return new Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }>(
    (resolve, reject) => {
      request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode!,
            headers: incoming.headers,
            body: Buffer.concat(chunks),
          }),
        );
      })
        .on("error", reject)
        .end();
    },
  );
}

const text = async (...args: Parameters<typeof send>) => String((await send(...args)).body);

test("a page is rendered once, however many request it at the same time", async () => {
  const bodies = await Promise.all(Array.from({ length: 12 }, () => text("/blog/once")));
  expect(new Set(bodies)).toEqual(new Set(["page 1 of /blog/once"]));
  expect(await text("/blog/once")).toBe("page 1 of /blog/once");
  expect(seen).toHaveLength(1);
});

test("each client gets the encoding it accepts, and the same text", async () => {
  const plain = await send("/blog/encoded");
  const brotli = await send("/blog/encoded", { "accept-encoding": "gzip, br" });
  const gzipped = await send("/blog/encoded", { "accept-encoding": "gzip, br;q=0" });
  expect([plain, brotli, gzipped].map(({ headers }) => headers["content-encoding"])).toEqual([
    undefined,
    "br",
    "gzip",
  ]);
  expect(brotliDecompressSync(brotli.body)).toEqual(plain.body);
  expect(gunzipSync(gzipped.body)).toEqual(plain.body);
});

test("a client that has the page gets 304, and HEAD gets no body", async () => {
  const { headers } = await send("/blog/known");
  const again = await send("/blog/known", { "if-none-match": `"other", ${headers.etag}` });
  expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, headers.etag]);
  const head = await send("/blog/known", {}, "HEAD");
  expect([head.status, head.body.length]).toEqual([200, 0]);
  expect(head.headers["content-length"]).toBe(headers["content-length"]);
});

test("nothing that a client sends reaches the rendering of a shared page", async () => {
  const hostile = {
    host: "evil.example",
    cookie: "theme=dark; unknown=1",
    authorization: "Bearer x",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "x-middleware-rewrite": "/me",
    "x-matched-path": "/me",
    "x-nextjs-data": "1",
    "accept-language": "de",
    referer: "https://evil.example/",
    accept: "text/html, */*",
  };
  await send("/blog/poisoned", hostile);
  expect(seen).toHaveLength(1);
  expect(Object.keys(seen[0]!.headers).sort()).toEqual([
    "accept",
    "connection",
    "host",
    RENDER_HEADER,
  ]);
  expect(seen[0]!.headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
});

test("requests that may be personal or of another kind are not shared", async () => {
  const requests: [string, OutgoingHttpHeaders?, string?][] = [
    ["/blog/own", { cookie: "session=x" }],
    ["/blog/own", { cookie: "a=1; __Host-session=x" }],
    ["/blog/own", { cookie: "reader=x" }],
    ["/blog/own", { cookie: "__Host-txid=0-1" }],
    ["/blog/own?query=1"],
    ["/blog/own", { rsc: "1" }],
    ["/blog/own", { [RENDER_HEADER]: "guessed", cookie: "session=x" }],
    ["/blog/own", { "next-action": "0" }, "POST"],
    ["/me"],
    ["/search"],
    ["/calls/mine"],
    ["/blog?topic=a"],
    ["/feed.xml?query=1"],
    ["/blog/own/social.png?w=1"],
  ];
  for (const args of requests) expect(await text(...args)).toMatch(/^page \d+/);
  expect(seen.map(({ isRender }) => isRender)).toEqual(requests.map(() => false));
});

test("only one spelling of an address is kept", async () => {
  const topic = ["A", "%20a", "a%20", "a%E2%80%83", "%EF%BB%BFa", "e%CC%81", "%C3%89"];
  const paths = [
    ...["/blog/%73pelled", "/blog/spelle%64", "/blog/%e6%95%b0", "/blog/topics/A/feed.xml"],
    ...topic.map((name) => `/blog/topics/${name}`),
  ];
  for (const path of paths) for (const _ of [1, 2]) await send(path);
  expect(seen.map(({ isRender }) => isRender)).toEqual(Array(2 * paths.length).fill(false));
  seen = [];
  for (const path of ["/blog/%E6%95%B0", "/blog/topics/%C3%A9", "/blog/topics/remote-work"])
    for (const _ of [1, 2]) await send(path);
  expect(seen.map(({ isRender }) => isRender)).toEqual([true, true, true]);
});

test("URLs with tracking parameters share the page's cached copy", async () => {
  const page = await text("/blog/tracked");
  for (const query of ["utm_source=a&utm_medium=b", "fbclid=1", "gclid=2&mc_cid=%zz", "utm_x"])
    expect([query, await text(`/blog/tracked?${query}`)]).toEqual([query, page]);
  expect(seen.map(({ url }) => url)).toEqual(["/blog/tracked"]);
  // If there is any other parameter, Next gets the whole query.
  for (const query of ["q=utm_source", "utm_source=a&q=b", "fbclid=1&", "utm_source=a?q=b"])
    await text(`/blog?${query}`);
  expect(seen.slice(1).map(({ url }) => url)).toEqual([
    "/blog?q=utm_source",
    "/blog?utm_source=a&q=b",
    "/blog?fbclid=1&",
    "/blog",
  ]);
});

test("a guessed render header doesn't make a request internal", async () => {
  await send("/blog/guessed", { [RENDER_HEADER]: "x".repeat(32) });
  expect(seen.map(({ isRender }) => isRender)).toEqual([true]);
});

test("a page is at most a minute old, and rendered again before that while it is being read", async () => {
  const startMs = nowMs();
  setClock(startMs);
  expect(await text("/blog/aging")).toBe("page 1 of /blog/aging");
  setClock(startMs + 55 * SECOND_MS);
  expect(await text("/blog/aging")).toBe("page 1 of /blog/aging");
  await expect.poll(() => seen.length).toBe(2);
  await expect.poll(() => text("/blog/aging")).toBe("page 2 of /blog/aging");
  setClock(startMs + 3 * MINUTE_MS);
  expect(await text("/blog/aging")).toBe("page 3 of /blog/aging");
});

test("a page is not kept when the clock jumps back", async () => {
  const startMs = nowMs();
  setClock(startMs);
  await send("/blog/back");
  setClock(startMs - MINUTE_MS);
  expect(await text("/blog/back")).toBe("page 2 of /blog/back");
});

test("new content is shown immediately", async () => {
  await send("/blog/changed");
  publishVersion("two");
  expect(await text("/blog/changed")).toBe("page 2 of /blog/changed");
});

test("a page that was rendered while the content changed is not shown for the new content", async () => {
  respond = () => {
    publishVersion("two");
    return { status: 200, headers: {} };
  };
  expect(await text("/blog/during")).toBe("page 1 of /blog/during");
  expect(await text("/blog/during")).toBe("page 2 of /blog/during");
});

test("what was rendered while an episode was public is not shown once it is taken down again", async () => {
  let version = "1";
  provideEpisodesVersion(() => Promise.resolve(version));
  respond = () => {
    version = "2";
    return { status: 200, headers: {} };
  };
  expect(await text("/calls/2-mistake")).toBe("page 1 of /calls/2-mistake");
  version = "1";
  expect(await text("/calls/2-mistake")).toBe("page 2 of /calls/2-mistake");
});

test("only successful pages are kept", async () => {
  for (const status of [404, 500, 503]) {
    respond = () => ({ status, headers: {} });
    expect((await send(`/blog/${status}`)).status).toBe(status);
  }
  render = ({ url }) => `page ${seen.length} of ${url}`;
  respond = () => ({ status: 200, headers: {} });
  for (const status of [404, 500, 503]) expect((await send(`/blog/${status}`)).status).toBe(200);
});

test("if the rendering fails or sets a cookie, the client gets the handler's own response", async () => {
  respond = ({ headers }) => ({
    status: 200,
    headers: isRenderRequest(headers) ? { "set-cookie": "session=x" } : {},
  });
  const response = await send("/blog/fails");
  expect(response.headers["set-cookie"]).toBeUndefined();
  expect(seen.map(({ isRender }) => isRender)).toEqual([true, false]);
});

/** Pages with one personal part, which names its reader. */
function servePersonalPages(): void {
  render = (incoming) =>
    `<p>${isRenderRequest(incoming.headers) ? markPart("account", "Log in") : `Next for ${incoming.headers.cookie}`}</p>`;
  providePersonalParts({
    async render({ path, findCookie, setCookie }) {
      const session = findCookie("session");
      if (session === "visitor") setCookie("visit=1; Path=/");
      if (session === "renew") return null;
      if (session === "broken") throw new Error("no database");
      return { account: `${session} at ${path}` };
    },
    isTranslated: (path, language) => path === "/" && language === "de",
  });
}

test("without cookies, only a reader who prefers a translated page gets parts", async () => {
  servePersonalPages();
  const own = "<p>undefined at /</p>";
  const shared = "<p>Log in</p>";
  expect(await text("/", { "accept-language": "de-AT,en;q=0.5" })).toBe(own);
  expect(await text("/", { "accept-language": "en,de;q=0.5" })).toBe(shared);
  expect(await text("/blog/translated", { "accept-language": "de" })).toBe(shared);
  expect(await text("/")).toBe(shared);
});

test("readers with cookies get the cached page with their own parts, never another reader's", async () => {
  servePersonalPages();
  const readers = Array.from({ length: 300 }, (_, index) => index % 7);
  const bodies = await Promise.all(
    readers.map((reader) =>
      reader === 0
        ? text("/blog/shared")
        : send("/blog/shared", {
            cookie: `session=m${reader}`,
            ...(reader % 2 ? { "accept-encoding": "gzip, br" } : {}),
          }).then(({ headers, body }) =>
            String(headers["content-encoding"] === "gzip" ? gunzipSync(body) : body),
          ),
    ),
  );
  expect(bodies).toEqual(
    readers.map((reader) => (reader === 0 ? "<p>Log in</p>" : `<p>m${reader} at /blog/shared</p>`)),
  );
  expect(seen).toHaveLength(1);
});

test("a personal page has no ETag, so a cache never takes it for the shared page", async () => {
  servePersonalPages();
  respond = () => ({ status: 200, headers: { etag: '"one"', "x-nextjs-prerender": "1" } });
  const { headers } = await send("/blog/tagged");
  expect(headers).toMatchObject({
    etag: expect.stringMatching(/^W\/"[\w-]{22}"$/),
    "x-nextjs-prerender": "1",
  });
  const own = await send("/blog/tagged", { cookie: "session=m1", "if-none-match": headers.etag });
  expect(own.status).toBe(200);
  for (const name of ["etag", "x-nextjs-prerender"]) expect(own.headers).not.toHaveProperty(name);
  expect(String(own.body)).toContain("m1");
});

test("a reader's page can set a cookie, which no other page has", async () => {
  servePersonalPages();
  const cookiesOf = async (session: string) =>
    (await send("/blog/visited", { cookie: `session=${session}` })).headers["set-cookie"];
  expect(await cookiesOf("visitor")).toEqual(["visit=1; Path=/"]);
  expect(await cookiesOf("m1")).toBeUndefined();
  expect((await send("/blog/visited")).headers).not.toHaveProperty("set-cookie");
  expect(seen).toHaveLength(1);
});

test("Next serves a reader whose request needs more, also after an error", async () => {
  servePersonalPages();
  for (const session of ["renew", "broken"])
    expect(await text("/blog/more", { cookie: `session=${session}` })).toBe(
      `<p>Next for session=${session}</p>`,
    );
});

test("if a cookie's name repeats, the last one wins, as in Next", async () => {
  servePersonalPages();
  expect(await text("/blog/two", { cookie: "session=m1; session=m%32; x=%zz" })).toBe(
    "<p>m2 at /blog/two</p>",
  );
});

test("every cookie of the site makes a page personal", async () => {
  servePersonalPages();
  for (const name of COOKIE_NAMES)
    expect(await text("/blog/any", { cookie: `a=b; ${name}=x` })).toContain("at /blog/any");
});

test("a file is rendered once, and is the same for everyone, whatever cookies they have", async () => {
  servePersonalPages();
  respond = () => ({ status: 200, headers: { "content-type": "application/rss+xml" } });
  for (const path of ["/feed.xml", "/sitemap.xml", "/blog/topics/a/feed.xml"]) {
    provideEpisodesVersion(() => Promise.resolve("1"));
    seen = [];
    const bodies = [
      await text(path),
      await text(path, { cookie: "session=m1" }),
      await text(path, { cookie: "session=renew", "accept-language": "de" }),
    ];
    expect(new Set(bodies).size, path).toBe(1);
    expect(seen, path).toHaveLength(1);
    expect(seen[0]!.headers.accept).toBe("*/*");
    expect((await send(path, { "accept-encoding": "br" })).headers["content-encoding"]).toBe("br");
  }
});

test("a client that wrote what this instance doesn't have yet gets a file by Next, which waits", async () => {
  overrideEnv({ REPLICATION: "on" });
  onTestFinished(() => overrideEnv({ REPLICATION: undefined }));
  const [cookie] = createTxidCookie(7).split(";");
  for (const headers of [{ cookie }, {}, { cookie: "txid=7.forged" }])
    await send("/robots.txt", headers);
  expect(seen.map(({ isRender }) => isRender)).toEqual([false, true]);
});

test("an image is not compressed, and the version in its URL makes no other copy", async () => {
  respond = () => ({ status: 200, headers: { "content-type": "image/png" } });
  render = () => "\u0089PNG";
  const path = "/blog/pictured/social.png";
  for (const url of [path, `${path}?v=abc`, `${path}?v=def`]) {
    const { headers, body } = await send(url, { "accept-encoding": "gzip, br" });
    expect(headers["content-encoding"]).toBeUndefined();
    expect(body).toEqual(Buffer.from("\u0089PNG"));
  }
  expect(seen.map(({ url }) => url)).toEqual([path]);
});

test("a range of a file is sent, unless the client can't know which version it belongs to", async () => {
  respond = () => ({ status: 200, headers: { "content-type": "text/plain" } });
  render = () => "0123456789";
  const get = (headers: OutgoingHttpHeaders, method?: string) =>
    send("/llms.txt", headers, method).then((answer) => [
      answer.status,
      answer.headers["content-range"],
      String(answer.body),
    ]);
  expect(await get({ range: "bytes=2-4" })).toEqual([206, "bytes 2-4/10", "234"]);
  expect(await get({ range: "bytes=-3" })).toEqual([206, "bytes 7-9/10", "789"]);
  expect(await get({ range: "bytes=10-" })).toEqual([416, "bytes */10", ""]);
  for (const headers of [
    { range: "bytes=0-1,3-4" },
    { range: "bytes=2-4", "if-range": '"other"' },
    { range: "x" },
  ])
    expect(await get(headers)).toEqual([200, undefined, "0123456789"]);
  expect(await get({ range: "bytes=2-4" }, "HEAD")).toEqual([200, undefined, ""]);
});

test("Markdown is cached separately from the post's page", async () => {
  const page = await text("/blog/both");
  const markdown = await text("/blog/both", { accept: "text/markdown" });
  expect(markdown).toBe("page 2 of /blog/both/markdown");
  expect(await text("/blog/both/markdown")).toBe(markdown);
  expect(await text("/blog/both")).toBe(page);
});

test("a topic named like a post's file is a page with its reader's parts, and shows no marks", async () => {
  servePersonalPages();
  respond = () => ({ status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
  for (const path of [
    "/blog/topics/markdown",
    "/blog/topics/social.png",
    "/blog/archive/markdown",
  ]) {
    expect(await text(path)).toBe("<p>Log in</p>");
    expect(await text(path, { cookie: "session=m1" })).toBe(`<p>m1 at ${path}</p>`);
  }
  // The list's Markdown would be that topic's page, and a file that doesn't exist the page for it.
  for (const path of ["/blog/topics", "/blog/archive", "/atom.xml", "/blog/no/markdown"])
    expect(await text(path, { accept: "text/markdown", cookie: "session=m1" }), path).toMatch(
      /^<p>(m1 at|Next for)/,
    );
});

test("a changed episode is shown immediately, and other pages stay cached", async () => {
  let version = "1";
  provideEpisodesVersion(() => Promise.resolve(version));
  for (const path of [
    "/calls/1-hello",
    "/calls",
    "/calls/feed.xml",
    "/sitemap.xml",
    "/blog/kept",
  ]) {
    const before = await text(path);
    expect(await text(path)).toBe(before);
    version += "1";
    expect((await text(path)) === before, path).toBe(path === "/blog/kept");
  }
});

test("without the version of the episodes, Next serves their pages", async () => {
  for (const _ of [1, 2]) await send("/calls");
  expect(seen.map(({ isRender }) => isRender)).toEqual([false, false]);
});
