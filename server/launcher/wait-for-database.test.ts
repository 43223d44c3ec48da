import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { waitForReadableDatabase } from "./wait-for-database.ts";

let server: Server;
let asked: string[];
let answers: string[];
let said: string[];
beforeEach(() => {
  asked = [];
  said = [];
  server = createServer((request, response) => {
    asked.push(request.url!);
    response.writeHead(503).end(answers.length > 1 ? answers.shift() : answers[0]);
  });
  vi.spyOn(process.stdout, "write").mockImplementation(
    (line) => (said.push((JSON.parse(String(line)) as { event: string }).event), true),
  );
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Serves the site on all addresses of `host`'s family. */
async function site(host: string) {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return { host, port: String((server.address() as AddressInfo).port), uid: null, gid: null };
}

test.each(["127.0.0.1", "0.0.0.0", "::"])(
  "a site on %s is polled until it has read its database, ready or not",
  async (host) => {
    answers = [
      "<h1>Not yet</h1>",
      '{"database":"unreadable"}',
      '{"ready":false,"database":"readable"}',
    ];
    expect(await waitForReadableDatabase(await site(host), () => false, 10_000)).toBe(true);
    expect(asked).toEqual(["/readyz", "/readyz", "/readyz"]);
    expect(said).toEqual(["launcher.database_open"]);
  },
);

test("a site that can't read its database is polled until the deadline, and that is logged", async () => {
  answers = ['{"database":"unreadable"}'];
  expect(await waitForReadableDatabase(await site("127.0.0.1"), () => false, 300)).toBe(false);
  expect(said).toEqual(["launcher.database_not_open"]);
});

test("a site that has exited is not polled", async () => {
  answers = ['{"database":"readable"}'];
  expect(await waitForReadableDatabase(await site("127.0.0.1"), () => true, 10_000)).toBe(false);
  expect([asked, said]).toEqual([[], []]);
});
