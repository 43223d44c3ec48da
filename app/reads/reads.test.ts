import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import { serializeReaderCookie } from "#lib/members/cookies.ts";
import { POST } from "./route.ts";
import { GET } from "./token/route.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

const dir = mkdtempSync(join(tmpdir(), "lectern-reads-"));
const ORIGIN = "http://localhost:3000";
const CHROME =
  "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";

mkdirSync(join(dir, "blog"), { recursive: true });
const post = (slug: string, matter = "", words = 300) =>
  writeFileSync(
    join(dir, "blog", `${slug}.mdx`),
    `---\ntitle: ${slug}\ndate: 2026-11-01\ndescription: About ${slug}\n${matter}---\n\n${"word ".repeat(words)}\n`,
  );
post("a-post"); // two minutes
for (let i = 0; i < 15; i++) post(`post-${i}`);
post("a-draft", "draft: true\n");
post("unlisted", "unlisted: true\n");

let address = 0;
beforeEach(() => {
  address += 1; // rate limits are per process: each test is in another network
  overrideEnv({ CONTENT_DIR: dir, TRUST_PROXY: "fly" });
});
afterAll(() => {
  overrideEnv({ CONTENT_DIR: undefined, TRUST_PROXY: undefined });
  rmSync(dir, { recursive: true, force: true });
});

const token = (slug = "a-post", agoMs = 10 * MINUTE_MS) =>
  issueDwellToken({ slug, nowMs: nowMs() - agoMs });
const stored = () =>
  read((tx) => ({
    reads: sqlOf(tx).all<{
      userId: string | null;
      clientId: string | null;
      postSlug: string;
      createdAt: number;
    }>(`SELECT "userId", "clientId", "postSlug", "createdAt" FROM "PostRead" ORDER BY "rowid"`),
    tokens: sqlOf(tx).get<{ n: number }>(`SELECT COUNT(*) AS n FROM "UsedToken"`)?.n,
  }));
const NOTHING = { reads: [], tokens: 0 };

interface Sent {
  body?: BodyInit | null;
  headers?: Record<string, string | null>;
  cookie?: string;
}
async function send({
  body = JSON.stringify({ token: token(), slug: "a-post" }),
  headers = {},
  cookie = "",
}: Sent = {}): Promise<Response> {
  currentRequest.cookie = cookie;
  const all: Record<string, string | null> = {
    host: "localhost:3000",
    origin: ORIGIN,
    "sec-fetch-site": "same-origin",
    "user-agent": CHROME,
    "content-type": "text/plain;charset=UTF-8",
    "fly-client-ip": `198.51.${address}.1`,
    ...headers,
  };
  const requestHeaders = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null),
  );
  return POST(
    new Request(`${ORIGIN}/reads`, {
      method: "POST",
      body,
      headers: requestHeaders,
      ...(body instanceof ReadableStream && { duplex: "half" }),
    } as RequestInit),
  );
}
const beacon = (fields: object) => ({ body: JSON.stringify(fields) });
test("a read counts once, and gives an anonymous reader an id", async () => {
  const first = await send();
  expect([
    first.status,
    first.headers.get("x-read"),
    first.headers.get("cache-control"),
    await first.text(),
  ]).toEqual([204, "counted", "no-store", ""]);
  const cookie = first.headers.get("set-cookie") as string;
  expect(cookie).toMatch(
    /^reader=[\w-]{36}\.[\w-]{43}; Path=\/; Max-Age=34560000; HttpOnly; SameSite=Lax$/,
  );
  const clientId = cookie.slice("reader=".length, cookie.indexOf("."));
  expect((await stored()).reads).toEqual([
    {
      userId: null,
      clientId,
      postSlug: "a-post",
      createdAt: expect.closeTo(nowMs(), -4) as number,
    },
  ]);

  const repeated = await send({ cookie: cookie.slice(0, cookie.indexOf(";")) });
  expect([
    repeated.status,
    repeated.headers.get("x-read"),
    repeated.headers.get("set-cookie"),
  ]).toEqual([204, "again", null]);
  expect(await stored()).toMatchObject({ reads: [{ clientId }], tokens: 1 });

  setClock(nowMs() + 7 * DAY_MS);
  const later = await send({ cookie: cookie.slice(0, cookie.indexOf(";")) });
  expect([later.headers.get("x-read"), later.headers.get("set-cookie")]).toEqual(["counted", null]);
  expect((await stored()).reads.map((read) => read.clientId)).toEqual([clientId, clientId]);
});

test("a member's read moves the standings and sets no cookie", async () => {
  const { member, cookie } = await logInMember({ team: "BLUE" });
  const response = await send({
    cookie: `${cookie}; ${serializeReaderCookie("browser").split(";")[0]}`,
  });
  expect([response.headers.get("x-read"), response.headers.get("set-cookie")]).toEqual([
    "counted",
    null,
  ]);
  expect((await stored()).reads).toMatchObject([{ userId: member.id, clientId: null }]);
  expect(
    await read((tx) =>
      sqlOf(tx).all(`SELECT "postSlug", "team" FROM "OwnershipChange" ORDER BY "id"`),
    ),
  ).toEqual([
    { postSlug: "a-post", team: "BLUE" },
    { postSlug: "", team: "BLUE" },
  ]);
  expect((await send({ cookie })).headers.get("x-read")).toBe("again");
});

test("an expired session counts as an anonymous reader", async () => {
  const { member, cookie } = await logInMember();
  await write((tx) => sqlOf(tx).run(`DELETE FROM "User" WHERE "id" = ?`, member.id));
  expect((await send({ cookie })).headers.get("set-cookie")).toMatch(/^reader=/);
  expect((await stored()).reads).toMatchObject([{ userId: null }]);
});

test("a forged reader cookie is replaced", async () => {
  const response = await send({ cookie: `reader=another-reader.${"A".repeat(43)}` });
  expect(response.headers.get("set-cookie")).toMatch(/^reader=/);
  expect((await stored()).reads[0]?.clientId).not.toBe("another-reader");
});

test("an unlisted post's reads count", async () => {
  expect(
    (await send(beacon({ token: token("unlisted"), slug: "unlisted" }))).headers.get("x-read"),
  ).toBe("counted");
});

const good = () => ({ token: token(), slug: "a-post" });
const stream = (...parts: string[]) =>
  new ReadableStream({
    start: (controller) => (
      parts.forEach((part) => controller.enqueue(new TextEncoder().encode(part))),
      controller.close()
    ),
  });
const malformed: [string, () => Sent, number, RegExp][] = [
  ["no body", () => ({ body: null }), 400, /not JSON/],
  ["an empty body", () => ({ body: "" }), 400, /not JSON/],
  ["text", () => ({ body: "hello" }), 400, /not JSON/],
  ["truncated JSON", () => ({ body: JSON.stringify(good()).slice(0, 60) }), 400, /not JSON/],
  ["two values", () => ({ body: JSON.stringify(good()) + "{}" }), 400, /not JSON/],
  ["broken UTF-8", () => ({ body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]) }), 400, /not UTF-8/],
  ["null", () => ({ body: "null" }), 400, /expected object/],
  ["a number", () => ({ body: "1e999" }), 400, /expected object/],
  ["an array", () => ({ body: "[]" }), 400, /expected object/],
  [
    "a thousand nested arrays",
    () => ({ body: "[".repeat(1_000) + "]".repeat(1_000) }),
    400,
    /expected object/,
  ],
  ["no token", () => beacon({ slug: "a-post" }), 400, /token:/],
  ["no slug", () => beacon({ token: token() }), 400, /slug:/],
  ["an empty slug", () => beacon({ token: token(), slug: "" }), 400, /slug:/],
  [
    "a slug that is not a string",
    () => beacon({ token: token(), slug: { $ne: "" } }),
    400,
    /slug:/,
  ],
  [
    "a token that is not a string",
    () => beacon({ token: [token()], slug: "a-post" }),
    400,
    /token:/,
  ],
  [
    "a slug that is too long",
    () => beacon({ token: token(), slug: "x".repeat(201) }),
    400,
    /slug:/,
  ],
  [
    "a token that is too long",
    () => beacon({ token: "x".repeat(1_001), slug: "a-post" }),
    400,
    /token:/,
  ],
  ["a prototype", () => ({ body: `{"__proto__":{"token":"x","slug":"y"}}` }), 400, /token:/],
  [
    "a form",
    () => ({
      body: new URLSearchParams(good()),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    }),
    400,
    /must be text\/plain or application\/json/,
  ],
  [
    "no type",
    () => ({ body: new Uint8Array(10), headers: { "content-type": null } }),
    400,
    /must be text\/plain/,
  ],
  [
    "more than 2 kB",
    () => beacon({ ...good(), slug: "x".repeat(3_000) }),
    413,
    /larger than 2048 bytes/,
  ],
  [
    "more than its content-length",
    () => ({
      body: stream("{", " ".repeat(1_500), " ".repeat(1_500), "}"),
      headers: { "content-length": "10" },
    }),
    413,
    /larger than 2048 bytes/,
  ],
  [
    "an absurd content-length",
    () => ({ headers: { "content-length": "99999999999999999999" } }),
    413,
    /larger than 2048 bytes/,
  ],
];
for (const [what, makeRequest, status, reason] of malformed) {
  test(`a body with ${what} is refused with the reason, and nothing is stored`, async () => {
    const response = await send(makeRequest());
    expect([
      response.status,
      response.headers.get("content-type"),
      response.headers.get("cache-control"),
      response.headers.get("set-cookie"),
    ]).toEqual([status, "text/plain; charset=utf-8", "no-store", null]);
    expect(await response.text()).toMatch(reason);
    expect(await stored()).toEqual(NOTHING);
  });
}

test("a field that a newer page adds is ignored", async () => {
  const { id } = await logInMember();
  const response = await send(beacon({ ...good(), depth: 3, userId: id }));
  expect(response.headers.get("x-read")).toBe("counted");
  expect((await stored()).reads).toMatchObject([{ userId: null, postSlug: "a-post" }]);
});

test("application/json and a chunked body are accepted", async () => {
  const text = JSON.stringify(good());
  expect(
    (
      await send({
        body: stream(text.slice(0, 20), text.slice(20)),
        headers: { "content-type": "Application/JSON; charset=utf-8" },
      })
    ).headers.get("x-read"),
  ).toBe("counted");
});

const tokens: [string, () => string, number, string][] = [
  ["malformed", () => "nonsense", 400, "The token is malformed."],
  ["forged", () => `${token().slice(0, -3)}AAA`, 400, "The token's signature is invalid."],
  ["for another post", () => token("post-1"), 403, "The token is for another post."],
  ["too early", () => token("a-post", 71_000), 403, "Too early: the post was opened a moment ago."],
  ["expired", () => token("a-post", 24 * HOUR_MS), 403, "The token has expired."],
];
for (const [what, make, status, reason] of tokens) {
  test(`a token that is ${what} is refused, and nothing is stored`, async () => {
    const response = await send(beacon({ token: make(), slug: "a-post" }));
    expect([response.status, await response.text(), response.headers.get("set-cookie")]).toEqual([
      status,
      `${reason}\n`,
      null,
    ]);
    expect(await stored()).toEqual(NOTHING);
  });
}

test("a token is accepted from 60% of the reading time on", async () => {
  expect((await send(beacon({ token: token("a-post", 72_000), slug: "a-post" }))).status).toBe(204);
});

test("a used token is refused, even without its cookie", async () => {
  const body = beacon(good());
  expect((await send(body)).status).toBe(204);
  const replayed = await send(body);
  expect([replayed.status, await replayed.text()]).toEqual([
    409,
    "The token has already been used.\n",
  ]);
  expect((await stored()).reads).toHaveLength(1);
});

for (const slug of [
  "a-draft",
  "nowhere",
  "__proto__",
  "../a-post",
  "a-post ",
  "A-POST",
  "a-post\0",
  "' OR 1=1 --",
  "日本",
]) {
  test(`a read of ${JSON.stringify(slug)} is not found`, async () => {
    const response = await send(beacon({ token: token(slug), slug }));
    expect([response.status, await response.text()]).toEqual([404, "Post not found.\n"]);
    expect(await stored()).toEqual(NOTHING);
    expect(
      (await GET(new Request(`${ORIGIN}/reads/token?slug=${encodeURIComponent(slug)}`))).status,
    ).toBe(404);
  });
}

test("bots get 204 and are not counted", async () => {
  for (const agent of [
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "curl/8.5.0",
    "Mozilla/5.0 (compatible; bingbot/2.0)",
    "",
    null,
  ]) {
    const response = await send({ headers: { "user-agent": agent } });
    expect([
      response.status,
      response.headers.get("x-read"),
      response.headers.get("set-cookie"),
    ]).toEqual([204, null, null]);
  }
  expect(await stored()).toEqual(NOTHING);
});

test("a read from another site is refused (CSRF)", async () => {
  const strangers: Record<string, string | null>[] = [
    { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "http://other.localhost:3000" },
    { "sec-fetch-site": null, origin: "https://evil.example" },
    { "sec-fetch-site": null, origin: "null" },
    { "sec-fetch-site": null, origin: "http://localhost:3001" },
    { "sec-fetch-site": null, origin: "https://evil.example", "x-forwarded-host": "evil.example" },
    { "sec-fetch-site": null, origin: null },
    { "sec-fetch-site": "none", origin: null },
  ];
  for (const headers of strangers) {
    const response = await send({ headers });
    expect([headers, response.status, await response.text()]).toEqual([
      headers,
      403,
      "This request didn't come from this site.\n",
    ]);
  }
  expect(await stored()).toEqual(NOTHING);
  for (const host of ["localhost:3000", "internal:8080"])
    expect((await send({ headers: { "sec-fetch-site": null, host } })).status).toBe(204);
});

test("a reader is rate limited across addresses", async () => {
  const cookie = serializeReaderCookie("flooder").split(";")[0] as string;
  const answers: Response[] = [];
  for (let i = 0; i < 15; i++)
    answers.push(
      await send({
        ...beacon({ token: token(`post-${i}`), slug: `post-${i}` }),
        cookie,
        headers: { "fly-client-ip": `203.0.${i}.1` },
      }),
    );
  expect(answers.map(({ status }) => status)).toEqual([
    ...Array<number>(10).fill(204),
    ...Array<number>(5).fill(429),
  ]);
  expect(Number(answers[10]?.headers.get("retry-after"))).toBeGreaterThan(50);
  expect((await stored()).reads).toHaveLength(10);
});

test("invalid tokens don't use up a limit", async () => {
  const cookie = serializeReaderCookie("patient").split(";")[0] as string;
  const used = token();
  expect(
    (
      await send({
        ...beacon({ token: used, slug: "a-post" }),
        headers: { "fly-client-ip": "203.0.113.250" },
      })
    ).status,
  ).toBe(204);
  const refused: [string, string, number][] = [
    ["forged", `${token().slice(0, -43)}${"A".repeat(43)}`, 400],
    ["early", token("a-post", 0), 403],
    ["expired", token("a-post", 25 * HOUR_MS), 403],
    ["for another post", token("post-1"), 403],
    ["used", used, 409],
  ];
  for (const [what, worthless, status] of refused) {
    const answers: number[] = [];
    for (let i = 0; i < 35; i++)
      answers.push(
        (
          await send({
            ...beacon({ token: worthless, slug: "a-post" }),
            cookie: i % 2 ? cookie : "",
          })
        ).status,
      );
    expect([what, new Set(answers)]).toEqual([what, new Set([status])]);
  }
  expect((await send({ cookie })).headers.get("x-read")).toBe("counted");
});

test("a network that discards its ids counts thirty reads of a post an hour", async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => send({ headers: { "fly-client-ip": `192.0.2.${i}` } })),
  );
  expect(answers.filter(({ status }) => status === 204)).toHaveLength(30);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
  expect((await stored()).reads).toHaveLength(30);
});

test("concurrent beacons of one reader count once", async () => {
  const cookie = serializeReaderCookie("browser-1").split(";")[0] as string;
  const answers = await Promise.all(Array.from({ length: 10 }, () => send({ cookie })));
  expect(answers.map((each) => each.headers.get("x-read")).sort()).toEqual([
    ...Array<string>(9).fill("again"),
    "counted",
  ]);
  expect((await stored()).reads).toHaveLength(1);
});

test("without a primary a beacon gets 503 with Retry-After", async () => {
  overrideEnv({ REPLICATION: "on" });
  const response = await send();
  overrideEnv({ REPLICATION: undefined });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await stored()).toEqual(NOTHING);
});

test("a page's token works after minMs, even if its instance's clock was ahead, and is not cached", async () => {
  const answer = await GET(new Request(`${ORIGIN}/reads/token?slug=a-post`));
  expect([
    answer.status,
    answer.headers.get("cache-control"),
    answer.headers.get("set-cookie"),
  ]).toEqual([200, "no-store", null]);
  const { token, minMs } = (await answer.json()) as { token: string; minMs: number };
  expect(minMs).toBe(73_000);
  expect((await send(beacon({ token, slug: "a-post" }))).status).toBe(403);
  // The primary's clock is a second behind.
  setClock(nowMs() + minMs - 1_000);
  expect((await send(beacon({ token, slug: "a-post" }))).headers.get("x-read")).toBe("counted");
  expect((await GET(new Request(`${ORIGIN}/reads/token`))).status).toBe(404);
});
