import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { createPipelineServer } from "./pipeline.ts";

afterEach(() => overrideSiteConfig());

/** Returns what Next would be asked for. */
async function route(path: string, method = "GET", body?: string): Promise<string> {
  const server = createPipelineServer((request, response) => {
    request.resume();
    response.end(`${request.method} ${request.url} ${request.headers["next-action"] ?? ""}`.trim());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const response = await fetch(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
      {
        method,
        body,
        headers:
          method === "POST"
            ? { "content-type": "text/plain;charset=UTF-8", "next-action": "0".repeat(42) }
            : {},
      },
    );
    return await response.text();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const NOT_FOUND = "GET /not-an-address";

test("pages of a feature that is off are not found, however the path is written", async () => {
  overrideSiteConfig({ features: { teams: false, calls: false } });
  for (const path of ["/teams", "/calls", "/calls/1-names?x=1", "/calls/feed.xml", "/%63alls"])
    expect(await route(path), path).toBe(NOT_FOUND);
  expect(await route("/podcast/cover.png")).toBe(NOT_FOUND);
  expect(await route("/admin/calls/1")).toBe(NOT_FOUND);
  for (const path of ["/login", "/me", "/blog", "/callsign"])
    expect(await route(path), path).toBe(`GET ${path}`);
});

test("without a newsletter, no one can subscribe, but earlier unsubscribe links work", async () => {
  overrideSiteConfig({ features: { newsletter: false } });
  for (const path of ["/subscribe", "/subscribe/confirm?token=x", "/admin/newsletter"])
    expect(await route(path), path).toBe(NOT_FOUND);
  expect(await route("/unsubscribe")).toBe("GET /unsubscribe");
});

test("without members no page takes a form or an action, but reads are counted", async () => {
  overrideSiteConfig({ features: { members: false } });
  for (const path of ["/login", "/signup", "/me/data", "/admin", "/teams", "/calls"])
    expect(await route(path), path).toBe(NOT_FOUND);
  expect(await route("/blog", "POST", "[]")).toBe(NOT_FOUND);
  expect(await route("/", "POST", "[]")).toBe(NOT_FOUND);
  expect(await route("/reads", "POST", "{}")).toMatch(/^POST \/reads/);
});

test("a site with every feature has all of them", async () => {
  for (const path of ["/teams", "/calls", "/login", "/admin"])
    expect(await route(path)).toBe(`GET ${path}`);
});
