import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { brotliCompressSync, createGzip, gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { AppError } from "#lib/core/errors.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { fetchBytes, fetchJson, fetchText } from "./guarded-fetch.ts";
import { serveDns, serveHttp, serveTcp, type TestServer } from "#tests/support/test-server.ts";

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  overrideEnv({ FETCH_ALLOW_PRIVATE: undefined });
});

function allow(...servers: TestServer[]): void {
  overrideEnv({ FETCH_ALLOW_PRIVATE: servers.map(({ hostAndPort }) => hostAndPort).join(",") });
}

async function http(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  host?: string,
): Promise<TestServer> {
  const server = await serveHttp(handler, host);
  open.push(server);
  return server;
}

async function allowedHttp(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const server = await http(handler);
  allow(server);
  return server;
}

async function tcp(handler: Parameters<typeof serveTcp>[0]): Promise<TestServer> {
  const server = await serveTcp(handler);
  open.push(server);
  allow(server);
  return server;
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => new Error("It did not fail."),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

async function expectNoSockets(...servers: TestServer[]): Promise<void> {
  await expect
    .poll(() => servers.map((server) => server.countConnections()), { timeout: 10_000 })
    .toEqual(servers.map(() => 0));
}

const html = (response: ServerResponse, page: string) =>
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);

test("a text result has URL, status, type and decoded body, and the socket is closed", async () => {
  const server = await allowedHttp((_, response) => html(response, "<title>Grüße</title>"));
  const answer = await fetchText(`${server.origin}/page?q=1`);
  expect(answer).toMatchObject({
    url: `${server.origin}/page?q=1`,
    status: 200,
    contentType: "text/html; charset=utf-8",
    body: "<title>Grüße</title>",
    isTruncated: false,
  });
  await expectNoSockets(server);
});

test("the site names itself and sends neither cookies nor a referrer", async () => {
  let seen: IncomingMessage["headers"] = {};
  const server = await allowedHttp((request, response) => {
    seen = request.headers;
    html(response, "");
  });
  await fetchText(server.origin);
  expect(seen["user-agent"]).toMatch(/Lectern\/1\.0; \+http/);
  expect(seen).not.toHaveProperty("cookie");
  expect(seen).not.toHaveProperty("referer");
  await expect(fetchText(server.origin, { headers: { Cookie: "a=b" } })).rejects.toThrow("Cookies");
});

test("an error status is a response", async () => {
  const server = await allowedHttp((_, response) =>
    response.writeHead(404, { "content-type": "image/png", "x-rate": "0" }).end("no"),
  );
  expect(await fetchText(server.origin)).toMatchObject({
    status: 404,
    body: "no",
    headers: { "x-rate": "0" },
  });
});

test("JSON is parsed, and anything else refused", async () => {
  const server = await allowedHttp((request, response) =>
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(request.url === "/good" ? '{"a":1}' : "<html>"),
  );
  expect((await fetchJson(`${server.origin}/good`)).data).toEqual({ a: 1 });
  expect((await failure(fetchJson(`${server.origin}/bad`))).code).toBe("invalid");
});

test("a body is sent with its method and headers", async () => {
  const server = await allowedHttp((request, response) => {
    void text(request).then((sent) =>
      response
        .writeHead(200, { "content-type": "text/plain" })
        .end(`${request.method} ${request.headers["x-own"]} ${sent}`),
    );
  });
  const { body } = await fetchText(server.origin, {
    method: "POST",
    headers: { "x-own": "yes" },
    body: '{"a":1}',
  });
  expect(body).toBe('POST yes {"a":1}');
});

test.each([
  ["gzip", (plain: string) => gzipSync(plain)],
  ["br", (plain: string) => brotliCompressSync(plain)],
])("an answer compressed with %s is unpacked", async (encoding, pack) => {
  const server = await allowedHttp((_, response) =>
    response
      .writeHead(200, { "content-type": "text/html", "content-encoding": encoding })
      .end(pack("hello".repeat(1_000))),
  );
  expect((await fetchText(server.origin)).body).toBe("hello".repeat(1_000));
});

test("an unsupported content encoding is refused", async () => {
  const server = await allowedHttp((_, response) =>
    response
      .writeHead(200, { "content-type": "text/html", "content-encoding": "gzip, gzip" })
      .end("x"),
  );
  expect((await failure(fetchText(server.origin))).code).toBe("invalid");
  await expectNoSockets(server);
});

test("corrupt compression is an error and leaves no socket", async () => {
  const server = await allowedHttp((_, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" });
    response.write("this is not gzip");
  });
  const error = await failure(fetchText(server.origin, { timeoutMs: 20_000 }));
  expect(error).toMatchObject({
    code: "unavailable",
    message: "The response from 127.0.0.1 is corrupt.",
  });
  await expectNoSockets(server);
});

test.each([
  ["the Content-Type header", "text/html; charset=iso-8859-1", ""],
  ["a meta element", "text/html", '<meta charset="iso-8859-1">'],
])("text in the character set of %s is decoded", async (_, type, start) => {
  const server = await allowedHttp((_request, response) =>
    response
      .writeHead(200, { "content-type": type })
      .end(Buffer.from(`${start}caf\u00e9`, "latin1")),
  );
  expect((await fetchText(server.origin)).body).toBe(`${start}café`);
});

test("a host that never responds is aborted at the deadline, with its socket", async () => {
  const server = await tcp(() => {});
  const started = performance.now();
  const error = await failure(fetchText(server.origin, { timeoutMs: 200 }));
  expect(error).toMatchObject({
    code: "unavailable",
    message: "127.0.0.1 did not respond within 0.2 s.",
  });
  expect(performance.now() - started).toBeLessThan(5_000);
  await expectNoSockets(server);
});

test("a host that stalls in the middle of its response is aborted at the deadline", async () => {
  const server = await allowedHttp((_, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-length": "1000" });
    response.write("<title>");
  });
  expect((await failure(fetchText(server.origin, { timeoutMs: 200 }))).code).toBe("unavailable");
  await expectNoSockets(server);
});

test("a host that stalls in the middle of a compressed response is aborted at the deadline", async () => {
  const server = await allowedHttp((_, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" });
    response.write(gzipSync("x".repeat(100_000)).subarray(0, 40));
  });
  expect((await failure(fetchText(server.origin, { timeoutMs: 200 }))).message).toContain(
    "did not respond within 0.2 s",
  );
  await expectNoSockets(server);
});

test("a body that drips one byte at a time does not prolong the deadline", async () => {
  const server = await allowedHttp((_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    const drip = setInterval(() => response.write("x"), 20);
    response.on("close", () => clearInterval(drip));
  });
  const started = performance.now();
  expect((await failure(fetchText(server.origin, { timeoutMs: 300 }))).code).toBe("unavailable");
  expect(performance.now() - started).toBeLessThan(5_000);
  await expectNoSockets(server);
});

test("headers that trickle in do not extend the deadline", async () => {
  const server = await tcp((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nx-slow: ");
    const drip = setInterval(() => socket.write("x"), 20);
    socket.on("close", () => clearInterval(drip));
  });
  expect((await failure(fetchText(server.origin, { timeoutMs: 300 }))).code).toBe("unavailable");
  await expectNoSockets(server);
});

test("a connection that closes in the middle of the response is an error", async () => {
  const server = await allowedHttp((_, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-length": "1000" });
    response.write("<title>", () => response.destroy());
  });
  expect(await failure(fetchText(server.origin))).toMatchObject({
    code: "unavailable",
    message: "127.0.0.1 closed the connection before its response was complete.",
  });
});

test("a refused connection is a readable error", async () => {
  const server = await allowedHttp(() => {});
  await server.close();
  open.length = 0;
  expect((await failure(fetchText(server.origin))).message).toBe(
    "127.0.0.1 refused the connection.",
  );
});

test("a host without TLS is a readable error", async () => {
  const server = await allowedHttp(() => {});
  expect((await failure(fetchText(server.origin.replace("http:", "https:")))).message).toBe(
    "Couldn't establish a secure connection to 127.0.0.1.",
  );
  await expectNoSockets(server);
});

/** Sends endlessly; `sent` counts the accepted bytes. */
function endless(chunk: Buffer, headers: Record<string, string>) {
  const state = { sent: 0 };
  const handler = (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/html", ...headers });
    const more = () => {
      while (!response.destroyed && state.sent < 1_073_741_824) {
        state.sent += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", more);
      }
    };
    more();
  };
  return { state, handler };
}

test("a gigabyte is aborted at the limit", async () => {
  const { state, handler } = endless(Buffer.alloc(65_536, "x"), {});
  const server = await allowedHttp(handler);
  expect(await failure(fetchText(server.origin))).toMatchObject({
    code: "too_large",
    message: "The response is larger than 512 kB.",
  });
  expect(state.sent).toBeLessThan(16 * 1_048_576);
  await expectNoSockets(server);
});

test("a gigabyte is truncated on request", async () => {
  const { handler } = endless(Buffer.alloc(65_536, "x"), {});
  const server = await allowedHttp(handler);
  const answer = await fetchText(server.origin, { shouldTruncate: true });
  expect(answer.isTruncated).toBe(true);
  expect(answer.body.length).toBe(512 * 1_024);
  await expectNoSockets(server);
});

test("a gzip bomb is never unpacked beyond the limit", async () => {
  const server = await allowedHttp((_, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" });
    const gzip = createGzip();
    gzip.pipe(response);
    response.on("close", () => gzip.destroy());
    const zeros = Buffer.alloc(1_048_576);
    let written = 0;
    const more = () => {
      while (!gzip.destroyed && written++ < 1_024)
        if (!gzip.write(zeros)) return void gzip.once("drain", more);
    };
    more();
  });
  const before = process.memoryUsage().rss;
  expect((await failure(fetchText(server.origin))).code).toBe("too_large");
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1_048_576);
  const answer = await fetchText(server.origin, { shouldTruncate: true });
  expect(answer.body.length).toBe(512 * 1_024);
  await expectNoSockets(server);
});

test("compressed bytes without output are limited too", async () => {
  // Empty deflate blocks (stored, length 0) after a gzip header: endless input without output.
  const header = gzipSync("").subarray(0, 10);
  const empty = Buffer.concat(
    Array.from({ length: 10_000 }, () => Buffer.from([0, 0, 0, 0xff, 0xff])),
  );
  let first = true;
  const { handler } = endless(empty, { "content-encoding": "gzip" });
  const server = await allowedHttp((request, response) => {
    const write = response.write.bind(response) as (chunk: Buffer) => boolean;
    response.write = ((chunk: Buffer) => {
      if (first) write(header);
      first = false;
      return write(chunk);
    }) as typeof response.write;
    handler(request, response);
  });
  expect((await failure(fetchText(server.origin))).code).toBe("too_large");
  await expectNoSockets(server);
});

test("bytes of any type have their own limit", async () => {
  const server = await allowedHttp((_, response) =>
    response.writeHead(200, { "content-type": "image/png" }).end(Buffer.alloc(700_000, 7)),
  );
  expect((await fetchBytes(server.origin, { maxBytes: 1_000_000 })).bytes.length).toBe(700_000);
  expect((await failure(fetchBytes(server.origin))).code).toBe("too_large");
});

test.each(["image/png", "application/octet-stream", "video/mp4", "application/pdf", ""])(
  "the content type %j is not text",
  async (type) => {
    const server = await allowedHttp((_, response) => {
      response.writeHead(200, type ? { "content-type": type } : {});
      response.write("x");
    });
    expect(await failure(fetchText(server.origin))).toMatchObject({ code: "invalid" });
    await expectNoSockets(server);
  },
);

test("three redirects are followed, relative ones too", async () => {
  const server = await allowedHttp((request, response) => {
    const n = Number(request.url!.slice(1));
    if (n < 3) response.writeHead(302, { location: n === 0 ? "/1" : `${n + 1}` }).end();
    else html(response, "there");
  });
  expect(await fetchText(`${server.origin}/0`)).toMatchObject({
    body: "there",
    url: `${server.origin}/3`,
  });
  await expectNoSockets(server);
});

test("a redirect loop ends after three", async () => {
  let asked = 0;
  const server = await allowedHttp((_, response) => {
    asked++;
    response.writeHead(301, { location: "/again" }).end();
  });
  expect(await failure(fetchText(server.origin))).toMatchObject({
    code: "invalid",
    message: "127.0.0.1 redirects more than 3 times.",
  });
  expect(asked).toBe(4);
  await expectNoSockets(server);
});

test("a redirect with an endless body is followed without reading it", async () => {
  const { state, handler } = endless(Buffer.alloc(65_536), {});
  const server = await allowedHttp((request, response) => {
    if (request.url === "/to") return html(response, "there");
    const head = response.writeHead.bind(response);
    response.writeHead = (() => head(302, { location: "/to" })) as typeof response.writeHead;
    handler(request, response);
  });
  expect((await fetchText(server.origin)).body).toBe("there");
  expect(state.sent).toBeLessThan(16 * 1_048_576);
  await expectNoSockets(server);
});

test.each([
  "file:///etc/passwd",
  "ftp://example.com/",
  "gopher://example.com/",
  "data:text/html,x",
  "javascript:alert(1)",
  "http://user:pass@example.com/",
  "http://127.0.0.1:20202/export?name=app.db",
  "http://127.0.0.1/",
  "http://localhost/",
  "http://169.254.169.254/latest/meta-data/",
  "http://[fdaa:0:1::3]/",
  "http://db.internal/",
  "http://app.flycast/",
  "http://printer.local/",
  "https://example.com:8443/",
  "http://:0/",
])("a redirect to %s is refused", async (location) => {
  const server = await allowedHttp((_, response) => response.writeHead(302, { location }).end());
  expect((await failure(fetchText(server.origin))).code).toBe("invalid");
  await expectNoSockets(server);
});

test("a redirect to another private server is refused before connecting", async () => {
  let asked = 0;
  const secret = await http((_, response) => {
    asked++;
    html(response, "secret");
  }, "127.0.0.2");
  const server = await allowedHttp((_, response) =>
    response.writeHead(307, { location: secret.origin }).end(),
  );
  expect((await failure(fetchText(server.origin))).code).toBe("invalid");
  expect(asked).toBe(0);
  expect(secret.countConnections()).toBe(0);
});

test.each([
  "http://127.0.0.1/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f000001/",
  "http://0x7f.0.0.1/",
  "http://0177.0.0.1/",
  "http://017700000001/",
  "http://127.0.0.1./",
  "http://0/",
  "http://0.0.0.0/",
  "http://10.1.2.3/",
  "http://192.168.0.1/",
  "http://172.16.0.1/",
  "http://100.64.0.1/",
  "http://169.254.169.254/",
  "http://224.0.0.1/",
  "http://255.255.255.255/",
  "http://[::1]/",
  "http://[::]/",
  "http://[0:0:0:0:0:0:0:1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:7f00:1]/",
  "http://[::127.0.0.1]/",
  "http://[64:ff9b::127.0.0.1]/",
  "http://[64:ff9b::7f00:1]/",
  "http://[2002:7f00:1::]/",
  "http://[fe80::1]/",
  "http://[fe80::1%25eth0]/",
  "http://[fc00::1]/",
  "http://[fdaa::3]/",
  "http://[ff02::1]/",
  "http://①②⑦.0.0.1/",
  "http://localhost/",
  "http://LOCALHOST./",
  "http://a.localhost/",
  "http://_api.internal/",
  "http://my-app.internal/",
  "http://top1.nearest.of.app.internal/",
  "http://my-app.flycast/",
  "http://nas.local/",
  "http://intranet/",
  "http://example.com:22/",
  "http://example.com:8080/",
  "https://example.com:20202/",
  "http://user@example.com/",
  "http://:pass@example.com/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "not a url",
  "//example.com",
  "",
])("%s is refused without a connection", async (url) => {
  expect((await failure(fetchText(url))).code).toBe("invalid");
});

test("a private server is reached only by its exact allowed host and port", async () => {
  const one = await http((_, response) => html(response, "one"));
  const two = await http((_, response) => html(response, "two"));
  allow(one);
  expect((await fetchText(one.origin)).body).toBe("one");
  expect((await failure(fetchText(two.origin))).code).toBe("invalid");
  expect((await failure(fetchText(one.origin.replace("127.0.0.1", "localhost")))).code).toBe(
    "invalid",
  );
});

test("an allowed hostname is resolved by the system", async () => {
  const server = await http((_, response) => html(response, "beside us"));
  const origin = server.origin.replace("127.0.0.1", "localhost");
  overrideEnv({ FETCH_ALLOW_PRIVATE: new URL(origin).host });
  expect((await fetchText(origin)).body).toBe("beside us");
});

test.each(["127.0.0.1", "10.0.0.7", "169.254.169.254", "0.0.0.0"])(
  "a public hostname that resolves to %s is refused",
  async (address) => {
    const dns = await serveDns(() => address);
    open.push(dns);
    const error = await failure(
      fetchText("http://rebind.example.com/", {
        networkPolicy: { allowedPrivateHosts: [], dnsServers: [dns.address] },
      }),
    );
    expect(error).toMatchObject({
      code: "invalid",
      message: "rebind.example.com is not a public host.",
    });
  },
);

test("a redirect to a public name that resolves to a private address is refused", async () => {
  const dns = await serveDns(() => "127.0.0.1");
  open.push(dns);
  const server = await http((_, response) =>
    response.writeHead(302, { location: "http://rebind.example.com/" }).end(),
  );
  const error = await failure(
    fetchText(server.origin, {
      networkPolicy: { allowedPrivateHosts: [server.hostAndPort], dnsServers: [dns.address] },
    }),
  );
  expect(error.message).toBe("rebind.example.com is not a public host.");
  await expectNoSockets(server);
});

test("a name is resolved once per connection", async () => {
  let questions = 0;
  const dns = await serveDns((_, asked) => {
    questions = asked;
    return asked === 1 ? "127.0.0.1" : "10.0.0.1";
  });
  open.push(dns);
  const network = { allowedPrivateHosts: [], dnsServers: [dns.address] };
  await failure(fetchText("http://rebind.example.com/", { networkPolicy: network }));
  expect(questions).toBe(1);
  await failure(fetchText("http://rebind.example.com/", { networkPolicy: network }));
  expect(questions).toBe(2);
});

test("an unknown hostname is a readable error", async () => {
  const dns = await serveDns(() => null);
  open.push(dns);
  const error = await failure(
    fetchText("http://nowhere.example.com/", {
      networkPolicy: { allowedPrivateHosts: [], dnsServers: [dns.address] },
    }),
  );
  expect(error).toMatchObject({
    code: "unavailable",
    message: "The hostname nowhere.example.com is unknown.",
  });
});

test("an unresponsive DNS server does not extend the deadline", async () => {
  const dns = await serveDns(() => undefined);
  open.push(dns);
  const started = performance.now();
  const error = await failure(
    fetchText("http://slow.example.com/", {
      timeoutMs: 200,
      networkPolicy: { allowedPrivateHosts: [], dnsServers: [dns.address] },
    }),
  );
  expect(error.code).toBe("unavailable");
  expect(performance.now() - started).toBeLessThan(5_000);
});

test("headers are dropped on a redirect to another origin", async () => {
  const seen: Record<string, IncomingMessage["headers"]> = {};
  const other = await http((request, response) => {
    seen.other = request.headers;
    html(response, "other");
  }, "127.0.0.2");
  const server = await http((request, response) => {
    seen[request.url!] = request.headers;
    response.writeHead(302, { location: request.url === "/" ? "/same" : other.origin }).end();
  });
  allow(server, other);
  const { body } = await fetchText(server.origin, {
    headers: { Authorization: "Bearer x", "X-Own": "y" },
  });
  expect(body).toBe("other");
  expect(seen["/"]).toMatchObject({ authorization: "Bearer x", "x-own": "y" });
  expect(seen["/same"]).toMatchObject({ authorization: "Bearer x" });
  expect(seen.other).not.toHaveProperty("authorization");
  expect(seen.other).not.toHaveProperty("x-own");
});

test("a body is not sent to another host", async () => {
  let asked = 0;
  const other = await http((_, response) => {
    asked++;
    html(response, "");
  }, "127.0.0.2");
  const server = await http((request, response) => {
    request.resume();
    response.writeHead(307, { location: other.origin }).end();
  });
  allow(server, other);
  expect((await failure(fetchText(server.origin, { method: "POST", body: "secret" }))).code).toBe(
    "invalid",
  );
  expect(asked).toBe(0);
});

test("endless headers are aborted", async () => {
  const server = await tcp((socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    for (let n = 0; n < 2_000; n++) socket.write(`x-${n}: ${"y".repeat(100)}\r\n`);
  });
  expect((await failure(fetchText(server.origin, { timeoutMs: 20_000 }))).code).toBe("too_large");
  await expectNoSockets(server);
});

test("the caller's signal aborts a request and closes its socket", async () => {
  const stop = new AbortController();
  const connected = Promise.withResolvers<void>();
  const server = await tcp((socket) => void once(socket, "data").then(() => connected.resolve()));
  const answer = fetchText(server.origin, { signal: stop.signal });
  await connected.promise;
  stop.abort(new AppError("unavailable", "Enough."));
  expect((await failure(answer)).message).toBe("Enough.");
  await expectNoSockets(server);
});
