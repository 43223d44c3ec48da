// Tests session renewal on a replica: the page view is a write, replayed once.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BrowserContext } from "@playwright/test";
import Database from "better-sqlite3";
import { createSql } from "#lib/db/connection.ts";
import { insertUser } from "#tests/support/factories.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";

const DAY_MS = 86_400_000;
const TABS = 10;
const BROWSER_TABS = 4;

/** Creates a member with a session of `ageDays`, replicated to every node. */
async function memberOfOld(cluster: Cluster, ageDays: number) {
  const db = new Database((await cluster.waitForPrimary()).databaseFile, { timeout: 5_000 });
  const secret = readFileSync(join(dirname(cluster.getNode("ams-1").folder), "secret"), "utf8");
  const { id } = insertUser(createSql(db), { firstName: "Ada" });
  const cookie = await insertMemberSession(db, id, secret, { ageDays });
  await cluster.waitUntilInSync();
  const expiry = () =>
    db
      .prepare(`SELECT "expirationDate" FROM "Session" WHERE "userId" = ?`)
      .pluck()
      .get(id) as number;
  return { cookie, expiry, header: `${cookie.name}=${cookie.value}`, end: () => db.close() };
}

const sessionCookies = (all: readonly string[]) =>
  all.filter((cookie) => cookie.startsWith("session="));

/** Lists the replays of the ams edge since `from`. */
function replaysSince(cluster: Cluster, from: number) {
  return cluster.edges
    .get("ams")!
    .listEvents()
    .filter(({ kind, occurredMs }) => kind === "replay" && occurredMs >= from);
}

async function isMember(context: BrowserContext, url: string): Promise<boolean> {
  const page = await context.newPage();
  await page.goto(`${url}/me`);
  const is = new URL(page.url()).pathname === "/me";
  await page.close();
  return is;
}

test("a page view through ams is replayed once, renews row and cookie once, and the member stays logged in", async ({
  cluster,
  browser,
}) => {
  const url = cluster.getEdgeUrl("ams");
  const member = await memberOfOld(cluster, 200);
  const [before, from] = [member.expiry(), Date.now()];
  const answer = await fetch(`${url}/teams`, { headers: { cookie: member.header } });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain("Account");
  const [renewed, ...others] = sessionCookies(answer.headers.getSetCookie());
  expect(others).toEqual([]);
  expect(renewed).toMatch(/^session=Fe26\S+;.*Max-Age=31536000; HttpOnly; SameSite=lax/i);
  expect(
    replaysSince(cluster, from).map(({ method, path, instance }) => [method, path, instance]),
  ).toEqual([["GET", "/teams", "ams-1"]]);
  expect(member.expiry() - before).toBeGreaterThan(199 * DAY_MS);
  await cluster.waitUntilInSync();

  // Neither the new cookie nor the fresh old one causes another renewal, on any node.
  const after = member.expiry();
  for (const region of cluster.edges.keys()) {
    for (const cookie of [renewed!.split(";")[0]!, member.header]) {
      const again = await fetch(`${cluster.getEdgeUrl(region)}/teams`, { headers: { cookie } });
      expect([again.status, sessionCookies(again.headers.getSetCookie())], region).toEqual([
        200,
        [],
      ]);
    }
  }
  expect(replaysSince(cluster, from)).toHaveLength(1);
  expect(member.expiry()).toBe(after);

  const context = await browser.newContext();
  await context.addCookies([
    { name: "session", value: renewed!.slice("session=".length, renewed!.indexOf(";")), url },
  ]);
  expect(await isMember(context, url)).toBe(true);
  await context.close();
  member.end();
});

test(`${TABS} tabs opened together cause one renewal, and no request is replayed twice`, async ({
  cluster,
}) => {
  const url = cluster.getEdgeUrl("ams");
  const member = await memberOfOld(cluster, 300);
  const from = Date.now();
  const answers = await Promise.all(
    Array.from({ length: TABS }, () =>
      fetch(`${url}/teams`, { headers: { cookie: member.header } }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(TABS).fill(200));
  for (const answer of answers) expect(await answer.text()).toContain("Account");
  expect(sessionCookies(answers.flatMap(({ headers }) => headers.getSetCookie()))).toHaveLength(1);
  expect(member.expiry()).toBeGreaterThan(Date.now() + 364.9 * DAY_MS);
  const requests = replaysSince(cluster, from).map(({ requestId }) => requestId);
  expect(requests.length).toBeGreaterThan(0);
  expect(new Set(requests).size).toBe(requests.length);
  member.end();
});

test("a browser with several tabs keeps the one new cookie, and every tab is logged in", async ({
  cluster,
  browser,
}) => {
  const url = cluster.getEdgeUrl("ams");
  const member = await memberOfOld(cluster, 364);
  const context = await browser.newContext();
  await context.addCookies([{ ...member.cookie, url }]);
  const pages = await Promise.all(Array.from({ length: BROWSER_TABS }, () => context.newPage()));
  await Promise.all(pages.map((page) => page.goto(`${url}/me`)));
  for (const page of pages)
    await expect(page.getByRole("heading", { level: 1, name: "Ada" })).toBeVisible();
  const kept = (await context.cookies()).find(({ name }) => name === "session")!;
  expect(kept.value).not.toBe(member.cookie.value);
  expect(kept.expires * 1_000).toBeGreaterThan(Date.now() + 364 * DAY_MS);
  await context.close();
  member.end();
});
