import { NextRequest } from "next/server";
import { unstable_doesMiddlewareMatch } from "next/experimental/testing/server.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { config, middleware } from "../middleware.ts";
import { overrideEnv } from "./database.ts";
import { insertUser } from "./factories.ts";
import { DAY_MS, setClock } from "#lib/base/clock.ts";
import { snapshotSql, writeSql } from "#lib/db/database.ts";
import { MEMBER_PAGES, memberPolicy } from "#lib/session/content-security-policy.ts";
import { COOKIE_NAMES } from "#lib/session/cookie-name.ts";
import { sessionCookie, startSession } from "#lib/session/session.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");
const ORIGIN = "http://localhost:3000";

beforeEach(() => setClock(NOW));
afterEach(() => overrideEnv({ REPLICATION: undefined, LOG_LEVEL: "error" }));

const visit = (path: string, headers: Record<string, string> = {}) => middleware(new NextRequest(`${ORIGIN}${path}`, { headers }));
/** What Next hands on to the page. */
const handedOn = (response: Response, name: string) => response.headers.get(`x-middleware-request-${name}`);

/** A session's cookie and, after 200 days, a clock at which it is due. */
async function dueCookie(): Promise<string> {
  const { id } = await writeSql((sql) => startSession(sql, insertUser(sql).id));
  const { value } = await sessionCookie(id);
  setClock(NOW + 200 * DAY_MS);
  return `session=${value}`;
}

/** Whether Next runs the middleware for a request, as Next itself decides it. */
const isMatched = (path: string, cookies: readonly string[] = []) =>
  unstable_doesMiddlewareMatch({ config: config as Parameters<typeof unstable_doesMiddlewareMatch>[0]["config"], url: ORIGIN + path, cookies: Object.fromEntries(cookies.map((name) => [name, "x"])) });

test("the middleware runs for every member's page, with a cookie or without", () => {
  for (const page of MEMBER_PAGES) {
    for (const path of [`/${page}`, `/${page}/deeper`, `/${page}/deeper/still`]) expect(isMatched(path), path).toBe(true);
  }
});

test("every page that it runs for without a cookie is a member's page", () => {
  const always = config.matcher.filter((each) => typeof each === "string").join(" ");
  const named = [...always.matchAll(/\/(\w+\/)?\(([\w|]+)\)/g)].flatMap(([, folder = "", names = ""]) => names.split("|").map((name) => folder + name));
  expect(named.sort()).toEqual([...MEMBER_PAGES].sort());
});

test("readers without a session pass it by, and so does what has no page", () => {
  for (const path of ["/", "/blog", "/blog/a-post", "/teams", "/calls", "/mentions", "/media", "/administration", "/feed.xml"]) expect(isMatched(path), path).toBe(false);
  for (const path of ["/_next/static/x.js", "/_img/x.webp", "/_br/x.js", "/reads", "/reads/token", "/calls/upload", "/calls/upload/1/2", "/api/content-webhook", "/embed-image/x", "/content-file/x", "/healthz", "/readyz", "/metrics", "/internal/status", "/internal/cache", "/cluster/here"]) {
    expect(isMatched(path, COOKIE_NAMES), path).toBe(false);
  }
});

test("with a session it runs for every page, under both names of the cookie", () => {
  for (const path of ["/", "/blog/a-post", "/teams", "/calls/record", "/me"]) for (const name of ["session", "__Host-session"]) expect(isMatched(path, [name]), `${path} ${name}`).toBe(true);
  expect(isMatched("/blog", ["reader"])).toBe(false);
});

test("a member's page gets a policy with a nonce of its own, and so does the request that renders it", async () => {
  const nonces = new Set<string>();
  for (const path of ["/login", "/me/sessions", "/calls/record", "/admin/users", "/login"]) {
    const response = await visit(path);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(handedOn(response, "content-security-policy")).toBe(policy);
    const [, nonce] = /script-src 'self' 'nonce-([A-Za-z0-9+/]{22}==)' 'strict-dynamic'/.exec(policy) ?? [];
    expect(nonce, path).toBeDefined();
    nonces.add(nonce!);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(response.headers.get("referrer-policy")).toBe("same-origin");
  }
  expect(nonces.size).toBe(5);
});

test("a policy that the client sends is not what its page is rendered with", async () => {
  const response = await visit("/login", { "content-security-policy": "script-src 'nonce-known' *" });
  expect(handedOn(response, "content-security-policy")).toBe(response.headers.get("content-security-policy"));
  expect(response.headers.get("content-security-policy")).not.toContain("known");
});

test("other pages keep the policy that all of them share", async () => {
  for (const path of ["/", "/teams", "/mentions", "/calls", "/calls/recorders"]) expect((await visit(path)).headers.get("content-security-policy"), path).toBeNull();
});

test("the policy runs nothing that is not ours, and evaluates nothing but in development", () => {
  const policy = memberPolicy("abc", false);
  expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
  expect(policy).toMatch(/script-src [^;]*'nonce-abc'/);
  expect(/script-src ([^;]*)/.exec(policy)?.[1]).not.toContain("unsafe-inline");
  for (const rule of ["default-src 'self'", "base-uri 'none'", "object-src 'none'", "frame-ancestors 'none'", "form-action 'self'"]) expect(policy.split("; ")).toContain(rule);
  expect(memberPolicy("abc", true)).toContain("'unsafe-eval'");
});

test("a page view renews a session that is due, on any page", async () => {
  for (const path of ["/", "/blog/a-post", "/me"]) {
    setClock(NOW);
    const cookie = await dueCookie();
    const answers = await Promise.all(Array.from({ length: 10 }, () => visit(path, { cookie })));
    const set = answers.map((response) => response.headers.get("set-cookie")).filter((value) => value !== null);
    expect(set).toHaveLength(1);
    expect(set[0]).toMatch(/^session=Fe26\S+; Path=\/; Expires=[^;]+; Max-Age=31536000; HttpOnly; SameSite=lax$/);
  }
});

test("where nobody may write just now, pages come without a new cookie", async () => {
  const cookie = await dueCookie();
  overrideEnv({ REPLICATION: "on", LOG_LEVEL: "error" });
  const response = await visit("/me", { cookie });
  expect(response.status).toBe(200);
  expect(response.headers.get("set-cookie")).toBeNull();
  expect(await snapshotSql((sql) => sql.get<{ at: number }>(`SELECT "expirationDate" AS "at" FROM "Session"`)?.at)).toBeLessThan(NOW + 366 * DAY_MS);
});

test("a forged cookie is no reason to fail", async () => {
  for (const value of ["x", "Fe26.2*1*a*b*c*d*e*f", "%%%", "a".repeat(4_000)]) {
    const response = await visit("/", { cookie: `session=${value}` });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([200, null]);
  }
});
