import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { resetSingleton } from "#lib/core/singleton.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { providePageScript, removeFramework } from "./page-script.ts";
import { createPipelineServer } from "./pipeline.ts";

const SCRIPT = { src: "/_next/static/page/page-script-A.js", moduleIds: [1, 2, "lib/three"] };

const push = (...call: unknown[]) =>
  `self.__next_f.push(${JSON.stringify(call).replaceAll("<", "\\u003c")})`;

/** Returns a page as Next writes it; `data` is React's tree in pieces. */
const pageOf = (body: string, ...data: string[]) =>
  '<!DOCTYPE html><html><head><link rel="stylesheet" href="/_next/static/chunks/a.css"/>' +
  '<link rel="preload" as="script" fetchPriority="low" href="/_next/static/chunks/b.js"/>' +
  '<script src="/_next/static/chunks/c.js" async=""></script><script>theme()</script>' +
  '<script src="/_next/static/chunks/d.js" noModule=""></script></head><body>' +
  `${body}<script id="_R_">(globalThis["TURBOPACK"] || (globalThis["TURBOPACK"] = [])).push({});</script>` +
  `<script>(self.__next_f=self.__next_f||[]).push([0])</script>` +
  data.map((part) => `<script>${push(1, part)}</script>`).join("") +
  "</body></html>";

const withoutFramework = (body: string) =>
  '<!DOCTYPE html><html><head><link rel="stylesheet" href="/_next/static/chunks/a.css"/>' +
  `<script>theme()</script><script type="module" src="${SCRIPT.src}"></script></head><body>${body}</body></html>`;

test("a page whose components need no React keeps its elements and its own scripts, and gets the page script", () => {
  const body = '<p>$1 &lt;script&gt; __next_f</p><script type="application/ld+json">{}</script>';
  expect(
    removeFramework(
      pageOf(body, '5:I[1,["$4"],"default"]\n6:I["lib/th', 'ree",["$4"],"X"]\n0:["</p>"]'),
      SCRIPT,
    ),
  ).toBe(withoutFramework(body));
});

test("a page with a component that needs React stays as it is, wherever the component is in the data", () => {
  for (const data of [
    ['5:I[1,["$4"],"default"]\n6:I[3,["$4"],"Player"]'],
    ['5:I[1,["$4"],"default"]\n6:T4,textab:I["three",[],"Player"]'],
    ['5:I[1,["$4"],"default"]\n6:', 'I[3,["$4"],"Player"]'],
    ["0:{}"],
    [],
  ]) {
    const page = pageOf("<p>text</p>", ...data);
    expect(removeFramework(page, SCRIPT)).toBe(page);
  }
});

// Attributes may contain tags: alt="<script>…" is valid, and remark writes it like this.
test("a post about React's data stays as it is, instead of failing", () => {
  for (const body of [
    `<img alt="<script>self.__next_f.push([1,&#x27;x&#x27;])</script>">`,
    `<img alt="<script>self.__next_f.push(">`,
    `<img alt="<script>self.__next_f.push(null)</script>">`,
    `<img alt="<script>self.__next_f.push([])</script>">`,
  ]) {
    const page = pageOf(body, '5:I[1,["$4"],"default"]');
    expect(removeFramework(page, SCRIPT), body).toBe(page);
  }
  const page = pageOf("<p>text</p>", '5:I[1,["$4"],"default"]\n6:T9,text:I["\\d",');
  expect(removeFramework(page, SCRIPT)).toBe(page);
});

test("a page that a script of React completes stays as it is", () => {
  const data = '5:I[1,["$4"],"default"]';
  for (const body of [
    '<!--$?--><template id="B:0"></template><!--/$-->',
    '<div hidden id="S:0">late</div>',
    '<!--$!--><template data-dgst="1"></template><!--/$-->',
    '<script>$RC("B:0","S:0")</script>',
    "<script>$RT=performance.now()</script>",
    `<script nonce="">${push(2, null)}</script>`,
    `<script>${push(3, "AAAA")}</script>`,
  ]) {
    const page = pageOf(body, data);
    expect(removeFramework(page, SCRIPT), body).toBe(page);
  }
});

test("a page with something to play stays as it is, because the player needs React", () => {
  for (const body of ['<button class="x" data-play="{}">', '<a data-plays="answer" href="#t=1">']) {
    const page = pageOf(body, '5:I[1,["$4"],"default"]');
    expect(removeFramework(page, SCRIPT), body).toBe(page);
  }
});

test("without a page script, a page stays as it is", () => {
  const page = pageOf("<p>text</p>", '5:I[1,["$4"],"default"]');
  expect(removeFramework(page)).toBe(page);
});

/** Starts a server whose handler sends a page in two chunks, and returns a function that requests it. */
async function servePage({ status = 200, type = "text/html; charset=utf-8" } = {}) {
  providePageScript(SCRIPT);
  const server = createPipelineServer((request, response) => {
    response.statusCode = status;
    response.setHeader("content-type", type);
    response.setHeader("cache-control", "private, no-cache");
    response.setHeader("etag", '"of the page with its scripts"');
    const page = pageOf("<p>é</p>", '5:I[1,["$4"],"default"]');
    const isGzip = request.headers["accept-encoding"]?.includes("gzip") ?? false;
    if (isGzip) response.setHeader("content-encoding", "gzip");
    const body = isGzip ? gzipSync(page) : Buffer.from(page);
    response.write(body.subarray(0, 40));
    response.end(body.subarray(40));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    resetSingleton("page-script");
    overrideEnv({ PAGE_CACHE: undefined });
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
}

test("a reading page that Next renders is sent without React, compressed or not", async () => {
  const request = await servePage();
  for (const path of ["/search?q=a", "/blog?topic=a&q=", "/blog/post?utm_source=b", "/not-found"])
    for (const encoding of ["gzip", "identity"]) {
      const response = await request(path, { headers: { "accept-encoding": encoding } });
      expect(response.headers.get("content-encoding"), path).toBe(
        encoding === "gzip" ? "gzip" : null,
      );
      expect(response.headers.get("cache-control"), path).toBe("private, no-cache");
      expect(response.headers.get("etag"), path).toBeNull();
      expect(await response.text(), path).toBe(withoutFramework("<p>é</p>"));
    }
  expect(await (await (await servePage({ status: 404 }))("/blog/missing")).text()).not.toContain(
    "__next_f",
  );
});

test("forms, errors, data and pages that continue an episode are sent unchanged", async () => {
  const request = await servePage();
  const paths = ["/login", "/me", "/calls/record", "/admin/posts", "/subscribe"];
  for (const path of [...paths, "/blog?q=a&listening=", "/?listening"])
    expect(await (await request(path)).text(), path).toContain("__next_f");
  for (const options of [{ status: 500 }, { type: "text/x-component" }])
    expect(await (await (await servePage(options))("/search")).text()).toContain("__next_f");
  overrideEnv({ PAGE_CACHE: "off" });
  expect(await (await request("/search")).text()).toContain("__next_f");
});
