// Attacks with huge headers, half bodies, and headers, methods and ranges that Next answers with
// 500. Walks every route.

import { type Socket, connect } from "node:net";
import { ATTACK_PORT } from "#tests/support/e2e/site-under-test.ts";
import { expect, test } from "#tests/support/attack/fixtures.ts";
import {
  type AttackRequest,
  SAME_ORIGIN_HEADERS,
  encodeMultipart,
  nextAddress,
  sendAttack,
} from "#tests/support/attack/attack-client.ts";
import { HOST } from "#tests/support/attack/attack-server.ts";
import { getActionId, readBuiltRoutes } from "#tests/support/attack/build-manifest.ts";

const POST_PATH = "/blog/one-door-for-writes";
/** A path for each route of the build, and static files. */
const PATHS = [
  ...new Set(readBuiltRoutes().map(({ route }) => route.replaceAll(/\[[^\]]+\]/g, "x"))),
  POST_PATH,
  "/icon.svg",
  "/podcast/intro.mp3",
  "/no-such-page",
];

/** Almost all that Node lets through: 16 kB. */
const LENGTH = 15_000;
const fill = (unit: string, length = LENGTH) => unit.repeat(Math.floor(length / unit.length));
/** Values that make patterns backtrack and parsers loop, recurse or allocate. */
const VALUES = [
  fill("a"),
  fill("-"),
  `x${fill(" ")}x`,
  fill("a,"),
  fill("a;"),
  fill("a=1; "),
  fill("/"),
  fill("a."),
  fill('"'),
  fill("a:"),
  fill("["),
  fill("%20"),
  fill("br "),
  fill("text/markdown;q=0.5,"),
  fill("for=1;"),
  fill('W/"a",'),
  `bytes=${fill("0-1,")}0-1`,
  `${fill('["",{"a":', 2_400)}["",{}]${fill("]}", 540)}`,
];
/** Headers that Next, its libraries or the site read. */
const HEADER_NAMES = [
  "user-agent",
  "accept",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cache-control",
  "content-security-policy",
  "content-type",
  "cookie",
  "fly-replay-src",
  "fly-request-id",
  "forwarded",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "last-event-id",
  "next-action",
  "next-router-prefetch",
  "next-router-segment-prefetch",
  "next-router-state-tree",
  "next-url",
  "origin",
  "range",
  "referer",
  "rsc",
  "sec-fetch-dest",
  "sec-fetch-site",
  "traceparent",
  "x-action-forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-hub-signature-256",
  "x-lectern-internal",
  "x-middleware-subrequest",
  "x-nextjs-data",
  "x-unknown",
];

/** Returns how long another client's /healthz takes that arrives just after `request`, in ms. */
async function measureHealthz(request: AttackRequest): Promise<number> {
  const attack = sendAttack(request).catch((cause: unknown) => {
    throw new Error(`${request.path.slice(0, 100)} ${Object.keys(request.headers ?? {}).join()}`, {
      cause,
    });
  });
  const startedMs = performance.now();
  const { status } = await sendAttack({ path: "/healthz" });
  const ms = performance.now() - startedMs;
  await attack;
  expect(status).toBe(200);
  return ms;
}

/** The event loop may be busy this many times as long as for an ordinary request. */
const MAX_RATIO = 20;
/** Each route gets a fifth of the headers, the next route the next fifth; with `SOAK_KILLS`, all. */
const STEP = process.env.SOAK_KILLS ? 1 : 5;

test("no header or URL, however long, keeps the event loop busy, on any route", async () => {
  test.setTimeout(240_000);
  const slow: string[] = [];
  let measured = 0;
  const measureOrdinary = async (path: string) => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) times.push(await measureHealthz({ path }));
    return times.toSorted((a, b) => a - b)[1]!;
  };
  // A path that is too long for its route renders the 404 page.
  const missingMs = await measureOrdinary("/no-such-page");
  for (const [routeIndex, path] of PATHS.entries()) {
    // A query bypasses the page cache, as many attacks do.
    const routeMs = await measureOrdinary(`${path}?x`);
    const attacks = HEADER_NAMES.flatMap((name, index): [string, AttackRequest][] => {
      if (routeIndex % STEP !== index % STEP) return [];
      // Each header gets almost every value on some route, and User-Agent the worst on every second one.
      const valueIndex =
        name === "user-agent" && routeIndex % 2 === 0 ? 0 : (routeIndex + index) % VALUES.length;
      return [[`${name} ${valueIndex}`, { path, headers: { [name]: VALUES[valueIndex] } }]];
    });
    const value = encodeURI(VALUES[routeIndex % VALUES.length]!).slice(0, LENGTH);
    attacks.push(
      ["path", { path: `${path === "/" ? "" : path}/${value}` }],
      ["query", { path: `${path}?${value}` }],
    );
    for (const [what, request] of attacks) {
      measured += 1;
      const ordinaryMs = what === "path" ? Math.max(routeMs, missingMs) : routeMs;
      // A busy machine is slow once, a quadratic pattern always.
      let ms = Infinity;
      for (let i = 0; i < 4 && ms > MAX_RATIO * ordinaryMs; i++)
        ms = Math.min(ms, await measureHealthz(request));
      if (ms > MAX_RATIO * ordinaryMs)
        slow.push(`${path} ${what}: ${ms.toFixed()} ms, ordinary ${ordinaryMs.toFixed()} ms`);
    }
  }
  expect(measured).toBeGreaterThan((PATHS.length * HEADER_NAMES.length) / STEP);
  expect(slow).toEqual([]);
});

interface HalfRequest {
  readonly about: string;
  readonly socket: Socket;
  readonly sentBytes: number;
  /** The status, or the reason why no response arrived. */
  readonly outcome: Promise<number | string>;
}

/** Announces a body of 1 MB, or of the largest form's size, sends half of it, and then nothing. */
function sendHalf(method: string, path: string, type: string, clientAddress: string): HalfRequest {
  const about = `${method} ${path} ${type}`;
  const length = type.startsWith("multipart/") ? 65_000 : 1_040_000;
  const socket = connect(ATTACK_PORT, "127.0.0.1");
  const outcome = new Promise<number | string>((resolve) => {
    let received = "";
    socket.on("data", (data) => {
      received += data.toString("latin1");
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(received)?.[1];
      if (status) resolve(Number(status));
    });
    socket.on("error", (error) => resolve(`${about}: ${error.message}`));
    socket.on("close", () => resolve(`${about}: closed without a response`));
  });
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: ${HOST}\r\nFly-Client-IP: ${clientAddress}\r\nOrigin: ${SAME_ORIGIN_HEADERS.origin}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`,
  );
  socket.write("x".repeat(length / 2));
  return { about, socket, outcome, sentBytes: length / 2 };
}

test("half a body, on any route, gets a status within seconds, and others are served meanwhile", async ({
  site: { server },
}) => {
  const readMemoryInUse = async () => {
    const { heap, external } = await server.readMemory();
    return heap + external;
  };
  // Loads every route, so that its code does not count as growth.
  for (const path of PATHS)
    await sendAttack({ method: "POST", path, headers: SAME_ORIGIN_HEADERS, body: "x" });
  const memoryBefore = await readMemoryInUse();
  // Four addresses of one /64 are one client.
  const addresses = Array.from({ length: 4 }, (_, i) =>
    nextAddress().replace(/::1$/, `::${i + 1}`),
  );
  const network = addresses[0]!.replace(/::1$/, "");
  const halves = PATHS.flatMap((path, i) =>
    (["POST", "PUT"] as const).flatMap((method) =>
      ["application/json", "multipart/form-data; boundary=x"].map((type) =>
        sendHalf(method, path, type, `${network}::${(i % 4) + 1}`),
      ),
    ),
  );
  for (const path of ["/login/passkey/verify", "/me/passkeys/verify", "/api/content-webhook"])
    for (let i = 0; i < 50; i++)
      halves.push(sendHalf("POST", path, "application/json", nextAddress()));
  const first = await Promise.race(halves.map(({ outcome }) => outcome));
  expect(first).toEqual(expect.any(Number));

  // Visitors log in as usual, while the attacker's forms wait for their rest.
  const { body, headers } = encodeMultipart([["email", "x"]]);
  for (let i = 0; i < 5; i++) {
    const form = await sendAttack({
      method: "POST",
      path: "/login",
      headers: { ...headers, ...SAME_ORIGIN_HEADERS },
      body,
    });
    expect([429, 503]).not.toContain(form.status);
  }
  const memoryMeanwhile = await readMemoryInUse();
  const startedMs = performance.now();
  const outcomes = await Promise.all(halves.map(({ outcome }) => outcome));
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  expect(outcomes.filter((outcome) => typeof outcome === "string")).toEqual([]);
  const statuses = new Set(outcomes);
  expect([...statuses].filter((status) => Number(status) >= 500 && status !== 503)).toEqual([]);
  for (const status of [401, 405, 408, 413, 429]) expect([...statuses]).toContain(status);
  halves.forEach(({ about }, i) => {
    if (/passkey/.test(about)) expect([about, outcomes[i]]).toEqual([about, 413]);
  });
  // About 400 bodies were sent; at most sixteen of them were held. On a busy machine, the sockets'
  // buffers hold the start of more.
  const growth = Math.max(memoryMeanwhile, await readMemoryInUse()) - memoryBefore;
  const sentBytes = halves.reduce((sum, half) => sum + half.sentBytes, 0);
  expect(growth / sentBytes).toBeLessThan(0.75);
  for (const { socket } of halves) socket.destroy();
});

test("only an admin's transcript may make React decode a large form", async ({ insertFixture }) => {
  const { owner, admin } = await insertFixture();
  const statusFor = async (path: string, cookie?: string) => {
    const { status } = await sendAttack({
      method: "POST",
      path,
      cookie,
      headers: {
        ...SAME_ORIGIN_HEADERS,
        "next-action": getActionId("app/admin/calls/actions.ts#editCallAction"),
      },
      body: `[${Array(180_000).fill('"$0"').join(",")}]`,
    });
    return status;
  };
  const callPath = `/admin/calls/${owner.calls.NEW}`;
  for (const cookie of [undefined, owner.cookie, "__Host-session=Fe26.2*1*forged"])
    expect([cookie, await statusFor(callPath, cookie)]).toEqual([cookie, 413]);
  expect(await statusFor("/admin", admin.cookie)).toBe(413);
  // Accepted, but malformed.
  expect(await statusFor(callPath, admin.cookie)).toBe(400);
});

test("malformed router headers are 400, also after the redirect that Next sends", async () => {
  for (const path of ["/", "/blog", POST_PATH, "/login", "/about", "/no-such-page"])
    for (const value of ["x", "", "%", "[", "null", '["",[]]', VALUES.at(-1)!]) {
      const headers = { rsc: "1", "next-router-state-tree": value };
      let response = await sendAttack({ path, headers });
      if (response.headers.location)
        response = await sendAttack({ path: response.headers.location, headers });
      if (value !== VALUES.at(-1))
        expect([path, value, response.status]).toEqual([path, value, 400]);
    }
  for (const name of ["rsc", "next-router-prefetch", "next-router-segment-prefetch", "next-url"])
    for (const value of ["", "x", "2", "/../..", "%"]) {
      const headers = { rsc: "1", [name]: value };
      const { headers: head } = await sendAttack({ path: POST_PATH, headers });
      if (head.location) await sendAttack({ path: head.location, headers }); // rejects for a 500
    }
});

test("a file that is asked for wrongly is 405, 412 or 416", async () => {
  for (const path of ["/podcast/cover.png", "/podcast/intro.mp3"]) {
    const statusFor = async (headers: Record<string, string>, method = "GET") =>
      (await sendAttack({ path, headers, method })).status;
    for (const method of ["OPTIONS", "POST", "PUT", "DELETE"])
      expect([path, method, await statusFor({}, method)]).toEqual([path, method, 405]);
    expect(await statusFor({ range: "bytes=99999999-" })).toBe(416);
    expect(await statusFor({ "if-match": '"x"' })).toBe(412);
    expect(await statusFor({ "if-unmodified-since": new Date(0).toUTCString() })).toBe(412);
    expect(await statusFor({ range: "bytes=0-9" })).toBe(206);
    expect(await statusFor({})).toBe(200);
  }
});

test("an upgrade to HTTP/2 is served as HTTP/1.1", async () => {
  const headers = {
    connection: "Upgrade, HTTP2-Settings",
    upgrade: "h2c",
    "http2-settings": "AAMAAABkAAQAAP__",
  };
  const { status, text } = await sendAttack({ path: "/feed.xml", headers });
  expect(status).toBe(200);
  expect(text).toContain("<rss");
});

test("a missing page is 404 for each of those who ask at the same time", async () => {
  for (const path of ["/blog/no-such-post", "/no-such-place", "/blog/NO-such-post"]) {
    const responses = await Promise.all(Array.from({ length: 12 }, () => sendAttack({ path })));
    expect([path, ...responses.map(({ status }) => status)]).toEqual([
      path,
      ...Array(12).fill(404),
    ]);
  }
});

test("refused types and codings are not sent, and paths are case-sensitive with or without a cookie", async ({
  insertFixture,
}) => {
  const { owner } = await insertFixture();
  const typeFor = async (accept: string) =>
    (await sendAttack({ path: POST_PATH, headers: { accept } })).headers["content-type"];
  expect(await typeFor("text/markdown")).toMatch(/^text\/markdown/);
  expect(await typeFor("text/markdown;q=0")).toMatch(/^text\/html/);
  expect(await typeFor("text/html, text/markdown;q=0.5")).toMatch(/^text\/html/);

  const page = await sendAttack({ path: "/login" });
  const script = /\/_next\/static\/[^"]+\.js/.exec(page.text)![0];
  const encodingFor = async (encoding: string) =>
    (await sendAttack({ path: script, headers: { "accept-encoding": encoding } })).headers[
      "content-encoding"
    ];
  expect(await encodingFor("br")).toBe("br");
  expect(await encodingFor("br;q=0")).toBeUndefined();
  expect(await encodingFor("gzip, br;q=0")).not.toBe("br");

  for (const path of [POST_PATH.replace("blog", "BLOG"), "/BLOG/one-door-for-writes.md", "/ABOUT"])
    for (const cookie of [undefined, owner.cookie])
      expect([path, (await sendAttack({ path, cookie })).status]).toEqual([path, 404]);
});
