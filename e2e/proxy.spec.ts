// Attacks a production site that its owner started with defaults and put behind a proxy on the same
// machine.

import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { type BuiltSite, startBuiltSite } from "#tests/support/built-site.ts";

const TOKEN = "a-token-of-monitoring-only";
const FORWARDED = { "x-forwarded-for": "203.0.113.7" };

test.describe.configure({ mode: "serial" });

let folder: string;
let site: BuiltSite;
test.beforeAll(async () => {
  test.setTimeout(120_000);
  folder = mkdtempSync(join(tmpdir(), "lectern-proxy-"));
  site = await startBuiltSite({ folder, env: { SITE_URL: "", METRICS_TOKEN: TOKEN } });
});
test.afterAll(async () => {
  await site?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a GET with the path and the headers exactly as given; returns the status. */
const get = (path: string, headers: Record<string, string> = {}) =>
  new Promise<number>((resolve, reject) => {
    const { port } = new URL(site.url);
    httpRequest({ host: "127.0.0.1", port, path, headers, agent: false }, (response) =>
      response.resume().on("end", () => resolve(response.statusCode ?? 0)),
    )
      .on("error", reject)
      .end();
  });

test("behind an unconfigured proxy, a stranger sees no email, no metrics and no internal page", async () => {
  const mailbox = new URL(/http\S+\/dev\/mail\/\S+/.exec(site.readOutput())![0]).pathname;
  for (const headers of [
    {},
    FORWARDED,
    ...["localhost", "0x7f.1", "2130706433", "lectern.example"].map((host) => ({ host })),
  ]) {
    for (const path of ["/dev/mail", "/dev/mail/", "/dev/mail/x", `${mailbox}x`, "/dev"])
      expect([path, headers, await get(path, headers)]).toEqual([
        path,
        headers,
        path === "/dev/mail/" ? 308 : 404,
      ]);
    expect([headers, await get("/metrics", headers)]).toEqual([headers, 401]);
  }
  expect(await get(mailbox)).toBe(200);
  expect(await get("/metrics", { authorization: `Bearer ${TOKEN}` })).toBe(200);
  for (const path of [
    "/static/home",
    "/%73tatic/home",
    "/static%2Fhome",
    "/blog/../static/home",
    "/static/blog/one-door-for-writes",
    "/static/home.rsc",
  ])
    expect([path, await get(path)]).toEqual([path, 404]);
  expect([await get("/"), await get("/blog/one-door-for-writes")]).toEqual([200, 200]);
});

test("without SITE_URL, only the owner on this machine gets a login email", async ({ browser }) => {
  const logIn = async (extraHTTPHeaders: Record<string, string>) => {
    const context = await browser.newContext({ extraHTTPHeaders });
    const page = await context.newPage();
    await page.goto(`${site.url}/login`);
    await page.getByLabel("Email address").fill("owner@example.test");
    const answer = page.waitForResponse(
      (response) => response.request().method() === "POST" && response.url().endsWith("/login"),
    );
    await page.getByRole("button", { name: "Email me a login link" }).click();
    return { context, page, status: (await answer).status() };
  };

  const stranger = await logIn(FORWARDED);
  expect(stranger.status).toBe(503);
  await expect(stranger.page.getByText("Its owner must set SITE_URL")).toBeVisible();
  expect(site.readOutput()).not.toContain("owner@example.test");
  await stranger.context.close();

  const owner = await logIn({});
  await expect(owner.page).toHaveURL(/\/login\/code$/);
  expect(site.readOutput()).toContain("owner@example.test");
  await owner.page.goto(/http\S+\/dev\/mail\/\S+/.exec(site.readOutput())![0]);
  await expect(owner.page.getByText("To owner@example.test")).toBeVisible();
  await owner.context.close();
});

test("the log says what is missing, and warns of the untrusted proxy once", () => {
  const events = [...site.readOutput().matchAll(/"event":"([\w.]+)"/g)].map(([, event]) => event);
  expect(events.filter((event) => event === "config.site_url_missing")).toHaveLength(1);
  expect(events.filter((event) => event === "proxy.not_trusted")).toHaveLength(1);
});
