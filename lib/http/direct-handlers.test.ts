import { type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError } from "#lib/core/errors.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { resetSingleton } from "#lib/core/singleton.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { provideDirectHandlers } from "./direct-handlers.ts";
import type { DirectHandler, DirectRequest } from "./direct-request.ts";
import { createPipelineServer } from "./pipeline.ts";

let server: ReturnType<typeof createPipelineServer>;
let handle: DirectHandler;
/** Method and URL of the requests that Next's handler got. */
let passedOn: string[];

beforeEach(async () => {
  passedOn = [];
  handle = async () => ({ status: 204, headers: { "x-read": "counted" }, body: null });
  provideDirectHandlers({ "POST /reads": (direct) => handle(direct) });
  server = createPipelineServer((incoming, response) => {
    passedOn.push(`${incoming.method} ${incoming.url}`);
    response.end("Next");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => {
  overrideEnv({ PAGE_CACHE: undefined });
  resetSingleton("direct-handlers");
  server.closeAllConnections();
  server.close();
});

interface Sent {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}
function send({ method = "POST", path = "/reads", headers = {}, body = "{}" }: Sent = {}) {
  const { port } = server.address() as AddressInfo;
  return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>(
    (resolve, reject) => {
      request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (incoming) => {
        let text = "";
        incoming.on("data", (chunk: Buffer) => (text += chunk.toString()));
        incoming.on("end", () =>
          resolve({ status: incoming.statusCode!, headers: incoming.headers, text }),
        );
      })
        .on("error", reject)
        .end(method === "GET" ? undefined : body);
    },
  );
}

test("a request is answered without Next, with the headers that every path gets", async () => {
  const { status, headers, text } = await send();
  expect([status, text, headers["x-read"], headers["content-length"]]).toEqual([
    204,
    "",
    "counted",
    undefined,
  ]);
  expect(headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "content-security-policy": expect.stringContaining("frame-ancestors 'none'") as string,
  });
  expect(passedOn).toEqual([]);
});

test("a handler reads headers, cookies, query and body, within the request's context", async () => {
  let seen: unknown;
  handle = async (direct: DirectRequest) => {
    seen = {
      url: direct.url,
      agent: direct.headers.get("user-agent"),
      missing: direct.headers.get("origin"),
      cookie: direct.findCookie("reader"),
      body: Buffer.from(await direct.readBody(2_048)).toString(),
      hasContext: currentRequestContext()?.request.url,
    };
    return { status: 200, headers: {}, body: "é" };
  };
  const { headers, text } = await send({
    path: "/reads?a=b",
    headers: { "user-agent": "test", cookie: "a=b; reader=c%20d" },
    body: "hello",
  });
  expect(seen).toEqual({
    url: "/reads?a=b",
    agent: "test",
    missing: null,
    cookie: "c d",
    body: "hello",
    hasContext: "/reads?a=b",
  });
  expect([text, headers["content-length"]]).toEqual(["é", "2"]);
});

test("a body in many pieces arrives whole, and the connection serves the next request", async () => {
  handle = async (direct) => ({
    status: 200,
    headers: {},
    body: String((await direct.readBody(2_048)).byteLength),
  });
  const { port } = server.address() as AddressInfo;
  const answers: string[] = [];
  for (const size of [0, 2_000]) {
    const response = await fetch(`http://127.0.0.1:${port}/reads`, {
      method: "POST",
      body: new ReadableStream({
        start(controller) {
          for (let i = 0; i < size / 100; i++) controller.enqueue(new Uint8Array(100));
          controller.close();
        },
      }),
      duplex: "half",
    } as RequestInit);
    answers.push(await response.text());
  }
  expect(answers).toEqual(["0", "2000"]);
});

test("a body above the route's or the handler's limit is refused", async () => {
  handle = async (direct) => {
    await direct.readBody(10);
    return { status: 204, headers: {}, body: null };
  };
  for (const body of ["x".repeat(11), "x".repeat(3_000)])
    expect((await send({ body })).status).toBe(413);
  expect((await send({ body: "x".repeat(10) })).status).toBe(204);
});

test("an AppError is plain text, or JSON if Accept names it", async () => {
  handle = async () => {
    throw new AppError("rate_limited", "Later.", { retryAfterSeconds: 7, field: "slug" });
  };
  const plain = await send();
  expect([plain.status, plain.text, plain.headers["retry-after"]]).toEqual([429, "Later.\n", "7"]);
  expect(plain.headers).toMatchObject({
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
  });
  const json = await send({ headers: { accept: "application/json" } });
  expect(JSON.parse(json.text)).toEqual({ code: "rate_limited", message: "Later.", field: "slug" });
});

test("a replay is sent as it was thrown", async () => {
  handle = async () => {
    currentRequestContext()!.sendFinal(409, { "fly-replay": "instance=a" }, "Fly Replay");
    // oxlint-disable-next-line typescript/only-throw-error -- a replay is a response
    throw new Response(null, { status: 409, headers: { "fly-replay": "instance=a" } });
  };
  const { status, headers, text } = await send();
  expect([status, headers["fly-replay"], text]).toEqual([409, "instance=a", "Fly Replay"]);
});

test("an unexpected error is logged, and tells the client nothing", async () => {
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  handle = async () => {
    throw new TypeError("secret");
  };
  const { status, text } = await send();
  const lines = written.mock.calls.map(([line]) => String(line));
  written.mockRestore();
  expect([status, text]).toEqual([500, "Internal Server Error\n"]);
  expect(lines.find((line) => line.includes('"request.failed"'))).toContain("secret");
});

test("Next gets other paths and methods, and everything if the page cache is off", async () => {
  await send({ path: "/reads/" });
  await send({ path: "/reads/token" });
  await send({ method: "GET" });
  await send({ path: "/%72eads" });
  overrideEnv({ PAGE_CACHE: "off" });
  await send();
  expect(passedOn).toEqual([
    // Bodies of unknown paths are dropped.
    "GET /reads/",
    "GET /reads/token",
    "GET /reads",
    "GET /%72eads",
    "POST /reads",
  ]);
});
