import { randomUUID } from "node:crypto";
import { NextRequest } from "next/server";
import { unstable_doesMiddlewareMatch } from "next/experimental/testing/server.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { config, middleware } from "../middleware.ts";
import { overrideEnv } from "./support/override-env.ts";
import { insertUser } from "./support/factories.ts";
import { createLegacyCookie, createLegacyExpressCookie } from "./support/legacy-cookie.ts";
import { DAY_MS, setClock } from "#lib/core/clock.ts";
import { renderMetrics, resetMetrics } from "#lib/core/metrics.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { read, write } from "#lib/db/database.ts";
import { MEMBER_PAGES, buildMemberPolicy } from "#lib/http/content-security-policy.ts";
import { COOKIE_NAMES, LEGACY_COOKIES } from "#lib/core/cookie-names.ts";
import { readReaderCookie, serializeReaderCookie } from "#lib/members/cookies.ts";
import { resolveViewer } from "#lib/members/viewer.ts";
import { unsealSession, sealSessionCookie } from "#lib/members/cookies.ts";
import { createSession } from "#lib/members/sessions.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");
const ORIGIN = "http://localhost:3000";

beforeEach(() => setClock(NOW));
afterEach(() =>
  overrideEnv({
    REPLICATION: undefined,
    LOG_LEVEL: "error",
    SITE_URL: undefined,
    LEGACY_COOKIE_SECRET: undefined,
    LEGACY_SESSION_COOKIE: undefined,
    LEGACY_CLIENT_COOKIE: undefined,
  }),
);

const visit = (path: string, headers: Record<string, string> = {}) =>
  middleware(new NextRequest(`${ORIGIN}${path}`, { headers }));
/** Returns a header that Next passes on to the page. */
const handedOn = (response: Response, name: string) =>
  response.headers.get(`x-middleware-request-${name}`);

/** Returns a session's cookie, and moves the clock to when its renewal is due. */
async function dueCookie(): Promise<string> {
  const { value } = await sealSessionCookie(
    await write((tx) => createSession(tx, insertUser(tx).id)),
  );
  setClock(NOW + 200 * DAY_MS);
  return `session=${value}`;
}

/** True if Next would run the middleware. */
const isMatched = (path: string, cookies: readonly string[] = []) =>
  unstable_doesMiddlewareMatch({
    config: config as Parameters<typeof unstable_doesMiddlewareMatch>[0]["config"],
    url: ORIGIN + path,
    cookies: Object.fromEntries(cookies.map((name) => [name, "x"])),
  });

test("the middleware runs for every member page, with or without a cookie", () => {
  for (const page of MEMBER_PAGES) {
    for (const path of [`/${page}`, `/${page}/deeper`, `/${page}/deeper/still`])
      expect(isMatched(path), path).toBe(true);
  }
});

test("without a cookie, it runs only for member pages", () => {
  const always = config.matcher.filter((each) => typeof each === "string").join(" ");
  const named = [...always.matchAll(/\/(\w+\/)?\(([\w|]+)\)/g)].flatMap(
    ([, folder = "", names = ""]) => names.split("|").map((name) => folder + name),
  );
  expect(named.sort()).toEqual([...MEMBER_PAGES].sort());
});

test("readers without a session skip it, and so do requests without a page", () => {
  for (const path of [
    "/",
    "/blog",
    "/blog/a-post",
    "/teams",
    "/calls",
    "/mentions",
    "/media",
    "/administration",
    "/feed.xml",
  ])
    expect(isMatched(path), path).toBe(false);
  for (const path of [
    "/_next/static/x.js",
    "/_img/x.webp",
    "/_br/x.js",
    "/reads",
    "/reads/token",
    "/calls/upload",
    "/calls/upload/1/2",
    "/api/content-webhook",
    "/embed-image/x",
    "/content-file/x",
    "/healthz",
    "/readyz",
    "/metrics",
    "/internal/status",
    "/internal/cache",
    "/cluster/here",
  ]) {
    expect(isMatched(path, COOKIE_NAMES), path).toBe(false);
  }
});

test("with a session, it runs for every page, under both cookie names", () => {
  for (const path of ["/", "/blog/a-post", "/teams", "/calls/record", "/me"])
    for (const name of ["session", "__Host-session"])
      expect(isMatched(path, [name]), `${path} ${name}`).toBe(true);
  expect(isMatched("/blog", ["reader"])).toBe(false);
});

test("other cookies may be before and after, and a similar name is not enough", () => {
  for (const names of [
    ["reader", "txid", "theme"],
    ["theme", "__Host-txid"],
    ["txid", "theme"],
  ])
    expect(isMatched("/blog", names), names.join()).toBe(true);
  for (const name of ["sessions", "my-session", "legacy-theme", "__Host-reader", "txid2"])
    expect(isMatched("/blog", ["reader", name, "theme"]), name).toBe(false);
});

test("with a legacy cookie, it runs for every page", () => {
  for (const path of ["/", "/blog/a-post", "/teams", "/calls/record", "/me"])
    for (const name of Object.values(LEGACY_COOKIES))
      expect(isMatched(path, [name]), `${path} ${name}`).toBe(true);
});

test("a member page gets a policy with a fresh nonce, and so does its render request", async () => {
  const nonces = new Set<string>();
  for (const path of ["/login", "/me/sessions", "/calls/record", "/admin/users", "/login"]) {
    const response = await visit(path);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(handedOn(response, "content-security-policy")).toBe(policy);
    const [, nonce] =
      /script-src 'self' 'nonce-([A-Za-z0-9+/]{22}==)' 'strict-dynamic'/.exec(policy) ?? [];
    expect(nonce, path).toBeDefined();
    nonces.add(nonce!);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(response.headers.get("referrer-policy")).toBe("same-origin");
  }
  expect(nonces.size).toBe(5);
});

test("a policy sent by the client is ignored", async () => {
  const response = await visit("/login", {
    "content-security-policy": "script-src 'nonce-known' *",
  });
  expect(handedOn(response, "content-security-policy")).toBe(
    response.headers.get("content-security-policy"),
  );
  expect(response.headers.get("content-security-policy")).not.toContain("known");
});

test("other pages keep the shared policy", async () => {
  for (const path of ["/", "/teams", "/mentions", "/calls", "/calls/recorders"])
    expect((await visit(path)).headers.get("content-security-policy"), path).toBeNull();
});

test("the policy allows only this site's scripts, and eval only in development", () => {
  const policy = buildMemberPolicy("abc", false);
  expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
  expect(policy).toMatch(/script-src [^;]*'nonce-abc'/);
  expect(/script-src ([^;]*)/.exec(policy)?.[1]).not.toContain("unsafe-inline");
  for (const rule of [
    "default-src 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
  ])
    expect(policy.split("; ")).toContain(rule);
  expect(buildMemberPolicy("abc", true)).toContain("'unsafe-eval'");
});

test("any page view renews a session that is due", async () => {
  for (const path of ["/", "/blog/a-post", "/me"]) {
    setClock(NOW);
    const cookie = await dueCookie();
    const answers = await Promise.all(Array.from({ length: 10 }, () => visit(path, { cookie })));
    const set = answers
      .map((response) => response.headers.get("set-cookie"))
      .filter((value) => value !== null);
    expect(set).toHaveLength(1);
    expect(set[0]).toMatch(
      /^session=Fe26\S+; Path=\/; Expires=[^;]+; Max-Age=31536000; HttpOnly; SameSite=lax$/,
    );
  }
});

test("without a primary, pages are served without a new cookie", async () => {
  const cookie = await dueCookie();
  overrideEnv({ REPLICATION: "on", LOG_LEVEL: "error" });
  const response = await visit("/me", { cookie });
  expect(response.status).toBe(200);
  expect(response.headers.get("set-cookie")).toBeNull();
  expect(
    await read(async (tx) => (await tx.session.findFirstOrThrow()).expirationDate.getTime()),
  ).toBeLessThan(NOW + 366 * DAY_MS);
});

test("a forged cookie is ignored", async () => {
  for (const value of ["x", "Fe26.2*1*a*b*c*d*e*f", "%%%", "a".repeat(4_000)]) {
    const response = await visit("/", { cookie: `session=${value}` });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([200, null]);
  }
});

const LEGACY_SECRET = "of-the-site-before";
const LEGACY_ENV = {
  LEGACY_COOKIE_SECRET: `newest-secret, ${LEGACY_SECRET}`,
  LEGACY_SESSION_COOKIE: "my_session",
  LEGACY_CLIENT_COOKIE: "my_client",
};

/** Creates a migrated session of `ageDays` and its legacy cookie, as the pipeline renames it. */
async function movedIn({ ageDays = 10 } = {}): Promise<{
  id: string;
  cookie: string;
  expiresAtMs: () => Promise<number | undefined>;
}> {
  const id = randomUUID();
  const beganAtMs = NOW - ageDays * DAY_MS;
  await write((tx) =>
    tx.session.create({
      data: {
        id: hashSecret(id),
        createdAt: new Date(beganAtMs),
        userId: insertUser(tx).id,
        expirationDate: new Date(beganAtMs + 365 * DAY_MS),
      },
    }),
  );
  const expiresAtMs = () =>
    read(async (tx) => {
      const session = await tx.session.findUnique({ where: { id: hashSecret(id) } });
      return session?.expirationDate.getTime();
    });
  return {
    id,
    cookie: `legacy-session=${encodeURIComponent(createLegacyCookie({ sessionId: id }, LEGACY_SECRET))}`,
    expiresAtMs,
  };
}
const oldReader = (id: string) =>
  `legacy-reader=${encodeURIComponent(createLegacyCookie({ clientId: id }, LEGACY_SECRET))}`;
/** Returns the cookies that a response sets, by name. */
const setBy = (response: Response) =>
  Object.fromEntries(
    response.headers.getSetCookie().map((line) => [line.slice(0, line.indexOf("=")), line]),
  );
const valueOf = (line: string | undefined) =>
  decodeURIComponent(/^[^=]+=([^;]*)/.exec(line ?? "")?.[1] ?? "");
const EXPIRED =
  /^my_(session|client)=; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=lax$/;

test("a legacy session cookie is upgraded to the same session on any page and method, without a write", async () => {
  overrideEnv(LEGACY_ENV);
  for (const [path, method] of [
    ["/", "GET"],
    ["/blog/a-post", "HEAD"],
    ["/me", "GET"],
    ["/me", "POST"],
  ] as const) {
    const { id, cookie, expiresAtMs } = await movedIn();
    const before = await expiresAtMs();
    const response = await middleware(
      new NextRequest(`${ORIGIN}${path}`, { method, headers: { cookie } }),
    );
    const set = setBy(response);
    expect(Object.keys(set).sort(), path).toEqual(["my_session", "session"]);
    expect(set.session).toMatch(
      /^session=Fe26\S+; Path=\/; Expires=[^;]+; Max-Age=31536000; HttpOnly; SameSite=lax$/,
    );
    expect(set.my_session).toMatch(EXPIRED);
    expect((await unsealSession(valueOf(set.session)))?.id).toBe(id);
    // The page sees the member.
    expect(handedOn(response, "cookie")).toBe(`session=${valueOf(set.session)}`);
    expect(await expiresAtMs()).toBe(before);
  }
});

test("a migrated session keeps its login date, so it is not a recent login", async () => {
  overrideEnv(LEGACY_ENV);
  const { cookie } = await movedIn({ ageDays: 100 });
  const seal = await unsealSession(valueOf(setBy(await visit("/", { cookie })).session));
  const { member } = await read((tx) =>
    resolveViewer(tx, { sessionKey: hashSecret(seal!.id), clientId: null }),
  );
  expect(member?.loggedInAtMs).toBe(NOW - 100 * DAY_MS);
});

test("Express's cookies are also upgraded", async () => {
  overrideEnv(LEGACY_ENV);
  const { id } = await movedIn();
  const set = setBy(
    await visit("/", {
      cookie: `legacy-session=${encodeURIComponent(createLegacyExpressCookie(id, LEGACY_SECRET))}`,
    }),
  );
  expect((await unsealSession(valueOf(set.session)))?.id).toBe(id);
});

test("over HTTPS, the upgraded cookies have the __Host- prefix, and the legacy one expires", async () => {
  overrideEnv({ ...LEGACY_ENV, SITE_URL: "https://lectern.example" });
  const { cookie } = await movedIn();
  const set = setBy(await visit("/", { cookie: `${cookie}; ${oldReader("client-1")}` }));
  expect(Object.keys(set).sort()).toEqual([
    "__Host-reader",
    "__Host-session",
    "my_client",
    "my_session",
  ]);
  for (const line of Object.values(set))
    expect(line).toMatch(/Path=\/; .*Secure; HttpOnly; SameSite=lax$/);
});

test("a migrated session that is due is renewed once, by the request that upgrades its cookie", async () => {
  overrideEnv(LEGACY_ENV);
  const { id, cookie, expiresAtMs } = await movedIn({ ageDays: 200 });
  const answers = await Promise.all(Array.from({ length: 5 }, () => visit("/teams", { cookie })));
  for (const answer of answers) {
    const sessions = answer.headers.getSetCookie().filter((line) => line.startsWith("session="));
    expect(sessions).toHaveLength(1);
    expect((await unsealSession(valueOf(sessions[0])))?.id).toBe(id);
  }
  expect(await expiresAtMs()).toBeGreaterThanOrEqual(NOW + 365 * DAY_MS);
});

test("without a primary, a legacy cookie is upgraded and its session renewed later", async () => {
  const { id, cookie, expiresAtMs } = await movedIn({ ageDays: 200 });
  overrideEnv({ ...LEGACY_ENV, REPLICATION: "on", LOG_LEVEL: "error" });
  const set = setBy(await visit("/me", { cookie }));
  expect((await unsealSession(valueOf(set.session)))?.id).toBe(id);
  expect(set.my_session).toMatch(EXPIRED);
  expect(await expiresAtMs()).toBe(NOW + 165 * DAY_MS);
});

test("the legacy cookie of an ended or unknown session expires", async () => {
  overrideEnv(LEGACY_ENV);
  const [ended, loggedOut] = [await movedIn({ ageDays: 365 }), await movedIn()];
  await write((tx) => tx.session.delete({ where: { id: hashSecret(loggedOut.id) } }));
  for (const cookie of [
    ended.cookie,
    loggedOut.cookie,
    `legacy-session=${encodeURIComponent(createLegacyCookie({ sessionId: randomUUID() }, LEGACY_SECRET))}`,
  ]) {
    const response = await visit("/me", { cookie: `a=b; ${cookie}` });
    const set = setBy(response);
    expect(Object.keys(set)).toEqual(["my_session"]);
    expect(set.my_session).toMatch(EXPIRED);
    // The page sees no member.
    expect(handedOn(response, "cookie")).toBe("a=b");
  }
});

test("a current session wins over a legacy one, whose cookie expires", async () => {
  overrideEnv(LEGACY_ENV);
  const { cookie } = await movedIn();
  const { value } = await sealSessionCookie(
    await write((tx) => createSession(tx, insertUser(tx).id)),
  );
  const response = await visit("/me", { cookie: `session=${value}; ${cookie}` });
  expect(Object.keys(setBy(response))).toEqual(["my_session"]);
  expect(handedOn(response, "cookie")).toBe(`session=${value}`);
});

test("an unreadable legacy cookie is kept, because the owner may correct the secret", async () => {
  const { id, cookie } = await movedIn();
  resetMetrics();
  const forged = [
    createLegacyCookie({ sessionId: id }, "another-secret"),
    createLegacyCookie({ user: id }, LEGACY_SECRET),
    `${createLegacyCookie({ sessionId: id }, LEGACY_SECRET)}x`,
    id,
    "",
    "x".repeat(8_000),
  ];
  for (const value of forged) {
    overrideEnv(LEGACY_ENV);
    const response = await visit("/", { cookie: `legacy-session=${encodeURIComponent(value)}` });
    expect([response.status, response.headers.getSetCookie()], value.slice(0, 100)).toEqual([
      200,
      [],
    ]);
  }
  expect(renderMetrics()).toContain(
    `lectern_legacy_cookies_total{kind="session",result="unreadable"} ${forged.length}`,
  );
  overrideEnv({ ...LEGACY_ENV, LEGACY_COOKIE_SECRET: "another-secret" });
  expect((await visit("/", { cookie })).headers.getSetCookie()).toEqual([]);
  resetMetrics();
});

test("a legacy reader keeps their ID, unless they have a current cookie", async () => {
  overrideEnv(LEGACY_ENV);
  const set = setBy(await visit("/blog/a-post", { cookie: oldReader("client-1") }));
  expect(Object.keys(set).sort()).toEqual(["my_client", "reader"]);
  expect(set.reader).toMatch(
    /^reader=client-1\.[\w-]{43}; Path=\/; Expires=[^;]+; Max-Age=34560000; HttpOnly; SameSite=lax$/,
  );
  expect(set.my_client).toMatch(EXPIRED);
  expect(readReaderCookie(() => valueOf(set.reader))).toBe("client-1");
  const own = serializeReaderCookie("reader-1").split(";")[0]!;
  expect(
    Object.keys(setBy(await visit("/blog/a-post", { cookie: `${own}; ${oldReader("client-1")}` }))),
  ).toEqual(["my_client"]);
});

test("one legacy cookie may contain both IDs", async () => {
  overrideEnv({ ...LEGACY_ENV, LEGACY_CLIENT_COOKIE: "my_session:clientId" });
  const { id } = await movedIn();
  const value = encodeURIComponent(
    createLegacyCookie({ sessionId: id, clientId: "client-1" }, LEGACY_SECRET),
  );
  expect(
    Object.keys(
      setBy(await visit("/", { cookie: `legacy-session=${value}; legacy-reader=${value}` })),
    ).sort(),
  ).toEqual(["my_session", "reader", "session"]);
});

test("without LEGACY_COOKIE_SECRET, legacy cookies are ignored", async () => {
  const { cookie } = await movedIn();
  const response = await visit("/", { cookie: `${cookie}; ${oldReader("client-1")}` });
  expect(response.headers.getSetCookie()).toEqual([]);
  expect(handedOn(response, "cookie")).toBeNull();
});

test("a member's page view remembers the visit, and nothing else does", async () => {
  const { value } = await sealSessionCookie(
    await write((tx) => createSession(tx, insertUser(tx).id)),
  );
  const html = { accept: "text/html,*/*" };
  const seen = async (headers: Record<string, string>) =>
    (await visit("/blog", headers)).cookies.get("visit")?.value;
  expect(await seen({ ...html, cookie: `session=${value}` })).toMatch(/^0\.\d+$/);
  for (const headers of [
    html,
    { ...html, cookie: "session=forged" },
    { ...html, cookie: `session=${value}; visit=0.${NOW}` },
    { accept: "application/json", cookie: `session=${value}` },
  ])
    expect(await seen(headers), JSON.stringify(headers)).toBeUndefined();
});
