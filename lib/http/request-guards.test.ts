import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, test, vi } from "vitest";
import { overrideEnv } from "#tests/support/fresh-database.ts";
import { applyRequestGuards, sanitizeUrl } from "./request-guards.ts";

test("an ordinary address is left alone", () => {
  for (const url of [
    "/",
    "/blog?q=write%20queue&topic=sqlite&topic=mdx&page=2",
    "/blog/ein-b%C3%BCcherpult",
    "/blog/x?_rsc=abc",
  ])
    expect(sanitizeUrl(url)).toBe(url);
});

test("a path that can't be decoded leads nowhere", () => {
  for (const url of ["/%", "/blog/%ff", "/embed-image/%c0%ae?x=1"])
    expect(sanitizeUrl(url)).toBe("/not-an-address");
});

test("an address with a host in it is a path of this site", () => {
  expect(sanitizeUrl("http://lectern.example/blog?q=a")).toBe("/blog?q=a");
  expect(sanitizeUrl("https://evil.example//evil.example/x")).toBe("/evil.example/x");
  for (const url of ["*", "evil.example:443", "\\admin", ""])
    expect(sanitizeUrl(url)).toBe("/not-an-address");
});

test("a query is cut to a length and to a number of parameters", () => {
  expect(sanitizeUrl(`/blog?${"a&".repeat(7_000)}`).split("&")).toHaveLength(50);
  expect(sanitizeUrl(`/blog?q=${"x".repeat(100_000)}`).length).toBeLessThan(2_100);
  expect(() => decodeURIComponent(sanitizeUrl(`/blog?q=${"%41".repeat(1_000)}`))).not.toThrow();
});

/** A server that answers with what is left of a request after the guard, and how many of its bytes came. */
async function guarded(work: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    applyRequestGuards({ request, response });
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

test("a body that no page takes is read by nobody, a form's and a handler's are", () =>
  guarded(async (port) => {
    const send = async (path: string, type: string) =>
      (
        await fetch(`http://127.0.0.1:${port}${path}`, {
          method: "POST",
          body: "x".repeat(1_000),
          headers: { "content-type": type },
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
    ])
      expect(await send(path, "application/json")).toBe("POST 1000");
  }));

test("one client has a share of the places for forms, and others the rest", () => {
  overrideEnv({ TRUST_PROXY: "fly" });
  return guarded(async (port) => {
    const head = (client: string) =>
      `POST /login HTTP/1.1\r\nHost: x\r\nFly-Client-IP: ${client}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\nhalf`;
    const closed = Promise.withResolvers<void>();
    const sockets = Array.from({ length: 17 }, () =>
      connect(port, "127.0.0.1")
        .on("error", () => {})
        .on("close", () => closed.resolve()),
    );
    for (const socket of sockets) socket.write(head("192.0.2.1"));
    await closed.promise;
    const response = await fetch(`http://127.0.0.1:${port}/login`, {
      method: "POST",
      body: "whole",
      headers: { "content-type": "multipart/form-data; boundary=x", "fly-client-ip": "192.0.2.2" },
    });
    expect(await response.text()).toBe("POST 5");
    for (const socket of sockets) socket.destroy();
  }).finally(() => overrideEnv({ TRUST_PROXY: undefined }));
});

test("of forms that never end only so many are held, and others go on when they are gone", () =>
  guarded(async (port) => {
    const head =
      "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\nhalf";
    const closed = Promise.withResolvers<void>();
    const sockets = Array.from({ length: 65 }, () =>
      connect(port, "127.0.0.1")
        .on("error", () => {})
        .on("close", () => closed.resolve()),
    );
    for (const socket of sockets) socket.write(head);
    await closed.promise;
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/login`, {
        method: "POST",
        body: "whole",
        headers: { "content-type": "multipart/form-data; boundary=x" },
      });
      expect(await response.text()).toBe("POST 5");
    }, 5_000);
  }));
