import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { findContentOutage, shareContentOutage } from "./content-outage.ts";
import { createPipelineServer } from "./pipeline.ts";
import { checkReadiness } from "./readiness.ts";

afterEach(() => shareContentOutage(() => null));

/** Returns the response to a request for which the handler sends `status`. */
async function respond(status: number, init?: RequestInit): Promise<Response> {
  const server = createPipelineServer((_, response) => {
    response.writeHead(status, { "content-type": "text/xml", etag: '"a"' });
    response.end("from Next");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return await fetch(`http://127.0.0.1:${port}/feed.xml`, init);
  } finally {
    server.close();
  }
}

test("without content, a 500 becomes a 503 with Retry-After", async () => {
  shareContentOutage(() => ({ reason: "The host is down.", retryAfterSeconds: 7 }));
  for (const accept of ["*/*", "text/html"]) {
    const response = await respond(500, { headers: { accept } });
    expect(response.status).toBe(503);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "retry-after": "7",
      "cache-control": "private, no-store",
      "content-type": `${accept === "*/*" ? "text/plain" : accept}; charset=utf-8`,
    });
    expect(response.headers.get("etag")).toBeNull();
    expect(await response.text()).toMatch(/The posts aren’t available yet\./);
  }
  expect((await respond(500, { method: "HEAD" })).status).toBe(503);
});

test("without content, other responses are unchanged", async () => {
  shareContentOutage(() => ({ reason: "The host is down.", retryAfterSeconds: 7 }));
  for (const status of [200, 404, 409])
    expect([(await respond(status)).status, await (await respond(status)).text()]).toEqual([
      status,
      "from Next",
    ]);
});

test("with content, a 500 is unchanged", async () => {
  shareContentOutage(() => null);
  expect((await respond(500)).status).toBe(500);
});

test("without content, the instance is not ready and reports why", async () => {
  expect(findContentOutage()).toBeNull();
  shareContentOutage(() => ({ reason: "The host is down.", retryAfterSeconds: 7 }));
  expect(await checkReadiness()).toMatchObject({
    ready: false,
    problems: ["There are no posts yet: The host is down."],
  });
});
