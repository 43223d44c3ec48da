import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { expect, test, vi } from "vitest";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { createPipelineServer } from "./pipeline.ts";

/** Serves the pipeline with a handler that returns method, URL and bytes received. */
async function guarded(work: (port: number) => Promise<void>): Promise<void> {
  const server = createPipelineServer((request, response) => {
    if (request.method === "GET") return void response.end(`GET ${request.url}`);
    let bytes = 0;
    request.on("data", (chunk: Buffer) => (bytes += chunk.length));
    request.on("end", () => response.end(`${request.method} ${bytes}`));
    request.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("only bodies of forms and of handlers that limit them are read", () =>
  guarded(async (port) => {
    const send = async (path: string, type: string) =>
      (
        await fetch(`http://127.0.0.1:${port}${path}`, {
          method: "POST",
          body: "x".repeat(1_000),
          headers: { "content-type": type, "x-hub-signature-256": "sha256=0" },
        })
      ).text();
    expect(await send("/login", "text/plain")).toBe("GET /login");
    expect(await send("/about", "application/octet-stream")).toBe("GET /about");
    expect(await send("/login", "multipart/form-data; boundary=x")).toBe("POST 1000");
    for (const path of [
      "/reads",
      "/calls/upload/1/2",
      "/api/content-webhook",
      "/login/passkey/verify",
      "/me/passkeys/options?x",
      "/mcp",
      "/unsubscribe/one-click?token=x",
    ])
      expect(await send(path, "application/json")).toBe("POST 1000");
  }));

test("a request to upgrade the protocol is served as HTTP/1.1", () =>
  guarded(async (port) => {
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "GET /feed.xml HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    );
    let received = "";
    for await (const data of socket) received += String(data);
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*GET \/feed\.xml$/);
  }));

test("idle connections stay open longer than in common proxies, or as configured", () => {
  // nginx and Fly: a minute; Caddy: two.
  expect(createPipelineServer(() => {}).keepAliveTimeout).toBeGreaterThan(120_000);
  overrideEnv({ KEEP_ALIVE_TIMEOUT: "5000" });
  expect(createPipelineServer(() => {}).keepAliveTimeout).toBe(5_000);
  overrideEnv({ KEEP_ALIVE_TIMEOUT: undefined });
});

test("a client that stops reading is disconnected, but one that waits is not", async () => {
  const waitingResponse = Promise.withResolvers<ServerResponse>();
  const server = createPipelineServer((request, response) => {
    if (request.url === "/waiting") return waitingResponse.resolve(response);
    response.write(Buffer.alloc(64_000_000));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const open = async (path: string) => {
    const connection = once(server, "connection") as Promise<[Socket]>;
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const [socket] = await connection;
    await expect.poll(() => socket.timeout).toBe(60_000);
    return { client, socket };
  };
  const stalled = await open("/stalled");
  stalled.client.pause();
  await expect.poll(() => stalled.socket.writableLength).toBeGreaterThan(0);
  const closeEvent = once(stalled.socket, "close");
  stalled.socket.setTimeout(50);
  await closeEvent;
  stalled.client.destroy();
  const waiting = await open("/waiting");
  const response = await waitingResponse.promise;
  const timeoutEvent = once(waiting.socket, "timeout");
  waiting.socket.setTimeout(50);
  await timeoutEvent;
  response.end("late");
  let received = "";
  for await (const data of waiting.client) received += String(data);
  expect(received).toMatch(/late$/);
  server.close();
});

test("a WebSocket is opened in development only, for Next's client", async () => {
  const server = createPipelineServer((_, response) => response.end("page"));
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  for (const [NODE_ENV, status] of [
    ["development", "101"],
    ["production", "200"],
  ] as const) {
    overrideEnv({ NODE_ENV });
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(
      "GET /_next/hmr HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n",
    );
    let received = "";
    for await (const data of socket) received += String(data);
    expect([NODE_ENV, received.slice(9, 12)]).toEqual([NODE_ENV, status]);
  }
  overrideEnv({ NODE_ENV: "test" });
  server.close();
});

/** Serves one request with `handler` and returns the response. */
async function serve(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  { path = "/login", ...init }: RequestInit & { path?: string } = {},
): Promise<Response> {
  const server = createPipelineServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init);
  } finally {
    server.close();
  }
}

const form = (fields: Record<string, string>) => {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return { method: "POST", body };
};

/** Responds like Next does to an action that this build does not have. */
const actionNotFound = (request: IncomingMessage, response: ServerResponse) => {
  request.resume().once("end", () => {
    response.setHeader("x-nextjs-action-not-found", "1");
    response.setHeader("content-type", "text/plain");
    response.setHeader("content-length", "5");
    response.statusCode = 404;
    response.write("Gone");
    response.end(".");
  });
};

test("an expired form returns the user's input", async () => {
  const response = await serve(actionNotFound, form({ text: "A <b> sentence" }));
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("private, no-store");
  expect(await response.text()).toContain("A &lt;b&gt; sentence");
});

test("client code detects an expired action by its header", async () => {
  const response = await serve(actionNotFound, {
    method: "POST",
    body: "[]",
    headers: { "next-action": "abc" },
  });
  expect([response.status, await response.text()]).toEqual([404, "Gone."]);
});

test("an unreadable action is a client error; a failure after it started is a server error", async () => {
  const fail = (_: IncomingMessage, response: ServerResponse) => {
    response.statusCode = 500;
    response.end("<html>");
  };
  expect((await serve(fail, form({}))).status).toBe(400);
  expect(
    (await serve(fail, { ...form({}), headers: { origin: "https://evil.example" } })).status,
  ).toBe(403);
  const began = await serve((request, response) => {
    currentRequestContext()!.hasActionStarted = true;
    fail(request, response);
  }, form({}));
  expect([began.status, await began.text()]).toEqual([500, "<html>"]);
});

test("a page answers a method that nothing handled with 405", async () => {
  const page = (_: IncomingMessage, response: ServerResponse) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader("content-encoding", "br");
    response.end("<html>");
  };
  for (const init of [form({}), { method: "POST" }, { method: "PUT", body: "x" }]) {
    const response = await serve(page, init);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await response.text()).not.toContain("<html>");
  }
  const handled = await serve((_, response) => {
    currentRequestContext()!.hasActionStarted = true;
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end("<html>");
  }, form({}));
  expect([handled.status, await handled.text()]).toEqual([200, "<html>"]);
});

test("a page varies by cookies and Accept, a file doesn't", async () => {
  const answer = (type: string, vary: string) =>
    serve((_, response) => {
      response.setHeader("content-type", type);
      response.setHeader("vary", vary);
      response.end();
    });
  const varyOf = async (type: string, vary: string) =>
    (await answer(type, vary)).headers.get("vary");
  expect(await varyOf("text/html", "rsc, Accept-Encoding")).toBe(
    "rsc, Accept-Encoding, Cookie, Accept",
  );
  expect(await varyOf("text/markdown", "accept, Cookie, Accept")).toBe("Accept, Cookie");
  expect(await varyOf("image/png", "rsc")).toBe("rsc");
});

test("an action that could not write responds with 503 and Retry-After", async () => {
  const response = await serve((_, response) => {
    currentRequestContext()!.retryAfterSeconds = 7;
    response.end("page");
  }, form({}));
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "7"]);
});

test("after a final response, the handler's writes are ignored", async () => {
  const response = await serve((_, response) => {
    response.setHeader("x-early", "1");
    currentRequestContext()!.sendFinal(409, { "x-final": "1" }, "final");
    currentRequestContext()!.sendFinal(200, {}, "again");
    response.statusCode = 500;
    response.setHeader("x-late", "1");
    response.writeHead(500, { "x-late": "1" });
    response.write("late");
    response.end("late");
  });
  expect([response.status, await response.text()]).toEqual([409, "final"]);
  expect(response.headers.get("x-final")).toBe("1");
  for (const name of ["x-early", "x-late"]) expect(response.headers.get(name)).toBeNull();
});

test("a response with a cookie stays out of shared caches, a missing file out of all caches", async () => {
  const answer = (status: number) => (_: IncomingMessage, response: ServerResponse) => {
    response.setHeader("set-cookie", "a=b");
    response.setHeader("cache-control", "public, max-age=60");
    response.statusCode = status;
    response.end();
  };
  expect((await serve(answer(200))).headers.get("cache-control")).toBe("private, no-store");
  const missing = await serve(answer(404), { path: "/_next/static/old.js" });
  expect(missing.headers.get("cache-control")).toBe("no-store");
});

test("a hook that throws does not block the response", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const response = await serve((_, response) => {
    currentRequestContext()!.beforeHeadHooks.push(
      () => {
        throw new Error("broken");
      },
      () => void response.setHeader("x-next", "1"),
    );
    response.end("page");
  });
  expect([await response.text(), response.headers.get("x-next")]).toEqual(["page", "1"]);
});
