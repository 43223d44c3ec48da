import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createPipelineServer } from "./pipeline.ts";

/** Sends one request to a server that fails like Next for a range or condition it refuses. */
async function send(
  path: string,
  init: RequestInit,
  fail: (request: IncomingMessage, response: ServerResponse) => void = () => {},
): Promise<Response> {
  const server = createPipelineServer((request, response) => {
    fail(request, response);
    response.statusCode = 500;
    response.end("Internal Server Error");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return await fetch(`http://127.0.0.1:${port}${path}`, init);
  } finally {
    server.close();
  }
}

test("a file can't be written or sent a form", async () => {
  for (const method of ["OPTIONS", "POST", "PUT", "DELETE", "PATCH"]) {
    const response = await send("/podcast/intro.mp3", {
      method,
      body: method === "POST" ? new FormData() : undefined,
    });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  }
});

test("a range beyond the end is 416 with the size, a failed condition is 412", async () => {
  const range = await send(
    "/podcast/cover.png",
    { headers: { range: "bytes=999-" } },
    (_, response) => response.setHeader("content-range", "bytes */386"),
  );
  expect([range.status, range.headers.get("content-range")]).toEqual([416, "bytes */386"]);
  const conditions: Record<string, string>[] = [
    { "if-match": '"x"' },
    { "if-unmodified-since": new Date(0).toUTCString() },
  ];
  for (const headers of conditions)
    expect((await send("/podcast/cover.png", { headers })).status).toBe(412);
});

test("other failures stay failures", async () => {
  expect((await send("/podcast/cover.png", {})).status).toBe(500);
  expect((await send("/about", { headers: { "if-match": '"x"' } })).status).toBe(500);
});
