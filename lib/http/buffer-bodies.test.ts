import type { AddressInfo } from "node:net";
import { type Socket, connect } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { provideAdminCheck } from "./buffer-bodies.ts";
import { createPipelineServer } from "./pipeline.ts";
import type { SiteServer } from "./site-response.ts";

let server: SiteServer;
let handledCount = 0;
const sockets: Socket[] = [];

beforeEach(async () => {
  overrideEnv({ TRUST_PROXY: "fly" });
  handledCount = 0;
  server = createPipelineServer((request, response) => {
    handledCount += 1;
    let bytes = 0;
    request.on("data", (chunk: Buffer) => (bytes += chunk.length));
    request.on("end", () =>
      response.end(currentRequestContext()?.request === request ? `read ${bytes}` : "no context"),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
  overrideEnv({ TRUST_PROXY: undefined });
});

interface Exchange {
  readonly socket: Socket;
  /** The first response, including its head. */
  readonly response: Promise<string>;
  /** Resolves when the connection ends, with the error of a reset, if there was one. */
  readonly ended: Promise<Error | undefined>;
}

/** Sends bytes on a new connection. */
function send(bytes: string): Exchange {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  sockets.push(socket);
  const response = new Promise<string>((resolve) => {
    let received = "";
    socket.on("data", (data) => {
      received += String(data);
      if (/\r\n\r\n[\s\S]/.test(received)) resolve(received);
    });
  });
  const ended = new Promise<Error | undefined>((resolve) => {
    let failure: Error | undefined;
    socket.on("error", (error) => (failure = error)).on("close", () => resolve(failure));
  });
  socket.write(bytes);
  return { socket, response, ended };
}

const FORM = "Content-Type: multipart/form-data; boundary=x\r\n";
const post = (path: string, headers: string, body: string, client = "192.0.2.1") =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nFly-Client-IP: ${client}\r\n${headers}\r\n${body}`;
const halfForm = (client?: string) =>
  post("/login", `${FORM}Content-Length: 1000\r\n`, "half", client);
const wholeForm = (client?: string) =>
  post("/login", `${FORM}Content-Length: 5\r\n`, "whole", client);
const statusOf = async (exchange: Exchange) => Number((await exchange.response).split(" ")[1]);

/** Sends half forms, each as its client, and waits until the server has them. */
async function sendHalfForms(clients: readonly string[]): Promise<Exchange[]> {
  let connections = 0;
  server.on("connection", () => (connections += 1));
  const exchanges = clients.map((client) => send(halfForm(client)));
  await vi.waitFor(() => expect(connections).toBe(clients.length), 10_000);
  // A request on a later connection is handled after them.
  await send(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`).response;
  return exchanges;
}

test("the handler starts when the body is complete, with all of it, in the request's context", async () => {
  const exchange = send(post("/login", `${FORM}Transfer-Encoding: chunked\r\n`, "4\r\nhalf\r\n"));
  await send(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`).response;
  expect(handledCount).toBe(1); // the GET
  exchange.socket.write("5\r\nwhole\r\n0\r\n\r\n");
  expect(await exchange.response).toMatch(/^HTTP\/1\.1 200 [\s\S]*read 9/);
});

test.each([
  ["/reads", 2_048],
  ["/login/passkey/verify", 20_000],
  ["/me/passkeys/options", 20_000],
  ["/calls/upload", 1_024],
  ["/about", 65_536], // as a form
] as const)("a body for %s of more than %i bytes is refused", async (path, maxBytes) => {
  const headers = path === "/about" ? FORM : "Content-Type: application/json\r\n";
  const announced = send(post(path, `${headers}Content-Length: ${maxBytes + 1}\r\n`, "x"));
  expect(await statusOf(announced)).toBe(413);
  const chunk = `${(maxBytes + 1).toString(16)}\r\n${"x".repeat(maxBytes + 1)}\r\n`;
  const chunked = send(post(path, `${headers}Transfer-Encoding: chunked\r\n`, `${chunk}0\r\n\r\n`));
  expect(await statusOf(chunked)).toBe(413);
  expect(handledCount).toBe(0);
  chunked.socket.write(wholeForm());
  const allowed = send(
    post(path, `${headers}Content-Length: ${maxBytes}\r\n`, "x".repeat(maxBytes)),
  );
  expect(await allowed.response).toContain(`read ${maxBytes}`);
});

test("a larger form is accepted only with a transcript from an admin, and never above 1 MB", async () => {
  provideAdminCheck((findCookie) => Promise.resolve(findCookie("session") === "of-an-admin"));
  const sendForm = (path: string, bytes: number, session: string) =>
    send(
      post(
        path,
        `${FORM}Cookie: session=${session}\r\nContent-Length: ${bytes}\r\n`,
        "x".repeat(bytes),
      ),
    );
  const [path, bytes] = ["/admin/calls/id", 900_000];
  expect(await sendForm(path, bytes, "of-an-admin").response).toContain("read 900000");
  expect(await statusOf(sendForm(path, bytes, "of-a-member"))).toBe(413);
  expect(await sendForm(path, 65_536, "of-a-member").response).toContain("read 65536");
  expect(await statusOf(sendForm(path, 1_048_577, "of-an-admin"))).toBe(413);
  for (const other of ["/admin/calls", "/admin/calls/id/answer", "/login", "/me?/admin/calls/id"])
    expect([other, await statusOf(sendForm(other, bytes, "of-an-admin"))]).toEqual([other, 413]);
});

test("no spelling of a path avoids the limits of its route", async () => {
  const form = FORM + "Content-Length: 2000000\r\n";
  for (const path of ["/calls/upload/../mine", "/calls/upload/x/%2e%2e", "http://x/login"])
    expect([path, await statusOf(send(post(path, form, "x")))]).toEqual([path, 413]);
  const beacon = send(post("http://x/reads", "Content-Length: 2\r\n", "{}"));
  expect(await beacon.response).toContain("read 2");
});

test("after a refused body, the connection serves the next request", async () => {
  const { socket, response } = send(post("/reads", "Content-Length: 5000\r\n", "x"));
  expect(await response).toMatch(/^HTTP\/1\.1 413 /);
  const next = new Promise<string>((resolve) =>
    socket.once("data", (data) => resolve(String(data))),
  );
  socket.write("x".repeat(4_999) + wholeForm());
  expect(await next).toContain("read 5");
});

test("a webhook without a signature and an unsigned internal request are refused before their body", async () => {
  const headers = "Content-Length: 1000000\r\n";
  expect(await statusOf(send(post("/api/content-webhook", headers, "x")))).toBe(401);
  expect(await statusOf(send(post("/internal/cache", headers, "x")))).toBe(404);
  expect(handledCount).toBe(0);
});

test("a mail provider's event without a password gets a challenge, because Amazon SNS sends one only then", async () => {
  const exchange = send(post("/api/newsletter-events", "Content-Length: 1000\r\n", "x"));
  expect(await exchange.response).toMatch(
    /^HTTP\/1\.1 401 [^]*\r\nwww-authenticate: Basic realm="/i,
  );
});

test("a slow body times out after ten seconds, and its connection closes without a reset", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const [exchange] = (await sendHalfForms(["192.0.2.1"])) as [Exchange];
  vi.advanceTimersByTime(9_999);
  exchange.socket.write("x");
  vi.advanceTimersByTime(1);
  expect(await exchange.response).toMatch(/^HTTP\/1\.1 408 /);
  await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(10_000);
  expect(await exchange.ended).toBeUndefined();
});

test("a client with too many bodies loses its slowest with 429, and others none", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  const [slow] = await sendHalfForms(Array.from({ length: 16 }, () => "2001:db8:1:2::1"));
  const [other] = await sendHalfForms(["192.0.2.1"]);
  // Another address of the same /64 is the same client. None of its bodies is old enough yet.
  const tooEarly = send(wholeForm("2001:db8:1:2::ffff"));
  expect(await tooEarly.response).toMatch(/^HTTP\/1\.1 429 [\s\S]*retry-after: 1\r\n/i);
  vi.advanceTimersByTime(1_000);
  expect(await send(wholeForm("2001:db8:1:2::ffff")).response).toContain("read 5");
  expect(await statusOf(slow!)).toBe(429);
  other!.socket.write("x".repeat(996));
  expect(await other!.response).toContain("read 1000");
});

test("if all clients together send too many bodies, the slowest gets 503 and others are served", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  const clients = Array.from({ length: 64 }, (_, i) => `192.0.2.${i % 8}`);
  const exchanges = await sendHalfForms(clients);
  const slowest = exchanges[20]!;
  for (const exchange of exchanges) if (exchange !== slowest) exchange.socket.write("more");
  await send(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`).response;
  expect(await statusOf(send(wholeForm("198.51.100.1")))).toBe(503);
  vi.advanceTimersByTime(1_000);
  expect(await send(wholeForm("198.51.100.1")).response).toContain("read 5");
  expect(await slowest.response).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n/i);
});

test("a body that the client breaks off makes room", async () => {
  const exchanges = await sendHalfForms(Array.from({ length: 16 }, () => "192.0.2.1"));
  for (const { socket } of exchanges) socket.destroy();
  await vi.waitFor(
    async () => expect(await send(wholeForm("192.0.2.1")).response).toContain("read 5"),
    10_000,
  );
});
