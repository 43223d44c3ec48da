import { request as sendRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPipelineServer } from "./pipeline.ts";
import type { SiteServer } from "./site-response.ts";

let server: SiteServer;
beforeAll(async () => {
  server = createPipelineServer((request, response) =>
    response.end(JSON.stringify(request.headers)),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void server.close());

/** Returns the status, and the headers that the handler received. */
const send = (headers: Record<string, string>, path = "/", method = "GET") =>
  new Promise<{ status: number; seen: Record<string, string> }>((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    sendRequest({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (data) => (text += String(data)));
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          seen: response.statusCode === 200 ? (JSON.parse(text) as Record<string, string>) : {},
        }),
      );
    })
      .on("error", reject)
      .end();
  });

test("User-Agent is truncated to 512 characters for every route and method", async () => {
  for (const path of ["/", "/healthz", "/icon.svg", "/login"])
    expect((await send({ "user-agent": "a".repeat(15_000) }, path)).seen["user-agent"]).toBe(
      "a".repeat(512),
    );
});

test("other headers that are parsed have at most 4,096 characters", async () => {
  for (const name of [
    "accept",
    "accept-encoding",
    "forwarded",
    "if-none-match",
    "if-modified-since",
    "next-router-state-tree",
    "next-url",
    "origin",
    "range",
    "referer",
    "x-forwarded-for",
    "x-lectern-internal",
  ]) {
    expect([name, (await send({ [name]: "a".repeat(4_097) })).status]).toEqual([name, 431]);
    const isValid = name !== "next-router-state-tree";
    expect([name, (await send({ [name]: "a".repeat(4_096) })).status]).toEqual([
      name,
      isValid ? 200 : 400,
    ]);
  }
});

test("a second Host header is refused, because a proxy may have used the other one", async () => {
  const status = async (hosts: string) => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`);
    let received = "";
    for await (const data of socket) received += String(data);
    return received.slice(9, 12);
  };
  expect(await status("Host: a.test\r\n")).toBe("200");
  expect(await status("Host: a.test\r\nhost: b.test\r\n")).toBe("400");
  expect(await status("Host: a.test\r\nHost: a.test\r\n")).toBe("400");
});

test("Content-Type has at most 200 characters, because the time for a form depends on its boundary", async () => {
  const form = "multipart/form-data; boundary=";
  expect((await send({ "content-type": form + "b".repeat(171) })).status).toBe(431);
  expect((await send({ "content-type": form + "b".repeat(170) })).status).toBe(200);
});

test("cookies and unknown headers have only Node's limit", async () => {
  for (const name of ["cookie", "x-amzn-oidc-data"]) {
    expect((await send({ [name]: "a".repeat(15_000) })).seen[name]).toHaveLength(15_000);
    expect((await send({ [name]: "a".repeat(17_000) })).status).toBe(431);
  }
});
