import { Socket } from "node:net";
import { expect, test } from "vitest";
import { SiteRequest } from "./site-response.ts";

test("a body is copied while a handler reads it, up to a limit", async () => {
  for (const [size, isCopied] of [
    [100_000, true],
    [200_000, false],
  ] as const) {
    const request = new SiteRequest(new Socket());
    request.captureBody(100_000);
    for (let sent = 0; sent < size; sent += 50_000) request.push(Buffer.alloc(50_000, "a"));
    request.push(null);
    let read = 0;
    for await (const chunk of request) read += (chunk as Buffer).length;
    expect([read, request.capturedBody?.length ?? null]).toEqual([size, isCopied ? size : null]);
  }
});
