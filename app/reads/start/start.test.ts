import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { serializeReaderCookie } from "#lib/members/cookies.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import { execute, selectRows } from "#tests/support/database.ts";
import { logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { POST as finish } from "../route.ts";
import { POST as start } from "./route.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

const dir = mkdtempSync(join(tmpdir(), "lectern-start-"));
mkdirSync(join(dir, "blog"), { recursive: true });
for (const [name, matter] of [
  ["a-post", ""],
  ["ein-beitrag", "lang: de\ntranslationOf: a-post\n"],
  ["a-draft", "draft: true\n"],
])
  writeFileSync(
    join(dir, "blog", `${name}.mdx`),
    `---\ntitle: ${name}\ndate: 2026-11-01\ndescription: A post\n${matter}---\n\nText\n`,
  );
let address = 0;
beforeEach(() => {
  address += 1; // rate limits are per process: each test is in another network
  overrideEnv({ CONTENT_DIR: dir, TRUST_PROXY: "fly", SITE_URL: "https://blog.example" });
});
afterAll(() => {
  overrideEnv({ CONTENT_DIR: undefined, TRUST_PROXY: undefined, SITE_URL: undefined });
  rmSync(dir, { recursive: true, force: true });
});

const token = (slug: string, agoMs = 10 * MINUTE_MS) =>
  issueDwellToken({ slug, nowMs: nowMs() - agoMs });
interface Sent {
  slug?: string;
  fields?: object;
  cookie?: string;
  headers?: Record<string, string>;
  handler?: typeof start;
}
/** Reports that a view started, from a post's page. */
function send({ slug = "a-post", fields, cookie = "", headers, handler = start }: Sent = {}) {
  currentRequest.cookie = cookie;
  return handler(
    new Request("http://localhost:3000/reads/start", {
      method: "POST",
      body: JSON.stringify({ token: token(slug), slug, ...fields }),
      headers: {
        host: "localhost:3000",
        "sec-fetch-site": "same-origin",
        "user-agent": "Mozilla/5.0 (X11; Linux x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "content-type": "text/plain;charset=UTF-8",
        "fly-client-ip": `198.51.${address}.1`,
        ...headers,
      },
    }),
  );
}
const views = () =>
  selectRows(`SELECT "postSlug", "host", "started", "finished" FROM "DailyViews"`);
/** A function, because the name of the cookie depends on SITE_URL. */
const readerCookie = () => serializeReaderCookie("a-reader").split(";")[0]!;

test("a view that started counts by referrer, sets no cookie, and can finish", async () => {
  for (const from of ["t.co", undefined, "localhost:3000", "www.blog.example", "T.CO:443"]) {
    const response = await send({ fields: { from } });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([204, null]);
  }
  expect((await send({ fields: { from: "t.co" }, handler: finish })).status).toBe(204);
  expect(await views()).toEqual([
    { postSlug: "a-post", host: "", started: 3, finished: 0 },
    { postSlug: "a-post", host: "t.co", started: 2, finished: 1 },
  ]);
});

test("a field that a newer page adds is ignored", async () => {
  expect((await send({ fields: { depth: 3, userId: "me" } })).status).toBe(204);
  expect(await views()).toEqual([{ postSlug: "a-post", host: "", started: 1, finished: 0 }]);
});

test("a translation counts for its original", async () => {
  await send({ slug: "ein-beitrag" });
  await send({ slug: "ein-beitrag", handler: finish });
  expect(await views()).toEqual([{ postSlug: "a-post", host: "", started: 1, finished: 1 }]);
});

test("a view of a reader whose read counted this week neither starts nor finishes", async () => {
  const { cookie } = await logInMember();
  for (const each of [readerCookie(), cookie]) {
    await send({ cookie: each });
    await send({ cookie: each, handler: finish });
    await send({ cookie: each });
    await send({ cookie: each, handler: finish });
  }
  expect(await views()).toEqual([{ postSlug: "a-post", host: "", started: 2, finished: 2 }]);
  setClock(nowMs() + 7 * DAY_MS);
  await send({ cookie: readerCookie() });
  expect(await views()).toHaveLength(2);
});

test.each<[string, () => Sent, number]>([
  ["a token that is too early", () => ({ fields: { token: token("a-post", 1_000) } }), 403],
  ["an expired token", () => ({ fields: { token: token("a-post", 24 * HOUR_MS) } }), 403],
  ["another post's token", () => ({ fields: { token: token("a-draft") } }), 403],
  ["a forged token", () => ({ fields: { token: `${token("a-post").slice(0, -3)}AAA` } }), 400],
  ["a draft", () => ({ slug: "a-draft" }), 404],
  ["an unknown post", () => ({ slug: "nowhere" }), 404],
  ["__proto__", () => ({ slug: "__proto__" }), 404],
  ["a referrer that is no text", () => ({ fields: { from: { host: "t.co" } } }), 400],
  ["a huge referrer", () => ({ fields: { from: "x".repeat(1_001) } }), 400],
  ["a body of 3 kB", () => ({ fields: { from: "x".repeat(3_000) } }), 413],
  ["another site", () => ({ headers: { "sec-fetch-site": "cross-site" } }), 403],
  ["no type", () => ({ headers: { "content-type": "multipart/form-data" } }), 400],
  ["a bot", () => ({ headers: { "user-agent": "Googlebot/2.1" } }), 204],
])("%s counts nothing", async (_, make, status) => {
  expect((await send(make())).status).toBe(status);
  expect(await views()).toEqual([]);
});

test.each([
  "<script>alert(1)</script>",
  "\u0000\u001b[31m.com",
  "example.com\r\nSet-Cookie: a=b",
  "203.0.113.9",
  "x".repeat(1_000),
])("the referrer %j is stored as other", async (from) => {
  expect((await send({ fields: { from } })).status).toBe(204);
  expect(await views()).toMatchObject([{ host: "other", started: 1 }]);
});

test("one network can't start more than 120 views of a post an hour", async () => {
  const responses = await Promise.all(
    Array.from({ length: 130 }, (_, i) => send({ headers: { "fly-client-ip": `192.0.2.${i}` } })),
  );
  expect(responses.filter(({ status }) => status === 429)).toHaveLength(10);
  expect(await views()).toMatchObject([{ started: 120 }]);
  // Reads have separate limits.
  const read = await send({ handler: finish, headers: { "fly-client-ip": "192.0.2.1" } });
  expect(read.status).toBe(204);
});

test("without a primary, a start gets 503 and counts nothing", async () => {
  overrideEnv({ REPLICATION: "on" });
  const response = await send();
  overrideEnv({ REPLICATION: undefined });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await views()).toEqual([]);
});

test("views stay counted when their reads are deleted", async () => {
  await send({ cookie: readerCookie() });
  await send({ cookie: readerCookie(), handler: finish });
  await execute(`DELETE FROM "PostRead"`);
  expect(await views()).toMatchObject([{ started: 1, finished: 1 }]);
});
