// Attacks with open redirects, URL spellings, proxy headers, foreign hosts (SSRF), methods and
// malformed HTTP.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startChallenge } from "#lib/members/login-challenge.ts";
import { OPEN_REDIRECT_PAYLOADS } from "#tests/support/open-redirect-payloads.ts";
import { loginFlowCookie } from "#tests/support/attack/action-cases.ts";
import { registerPasskey } from "#tests/support/attack/attack-passkey.ts";
import { HOSTILE_HEADERS } from "#tests/support/attack/fuzz-values.ts";
import {
  makeActionRequest,
  makeSameOriginAction,
  parseActionResult,
} from "#tests/support/attack/server-action-request.ts";
import { listChangedTables, expect, test } from "#tests/support/attack/fixtures.ts";
import { insertDraftIssue, makeJsonRequest } from "#tests/support/attack/handler-cases.ts";
import {
  SAME_ORIGIN_HEADERS,
  USER_AGENT,
  nextAddress,
  sendAttack,
  sendRawBytes,
} from "#tests/support/attack/attack-client.ts";
import { getActionId, readBuildId, readBuiltRoutes } from "#tests/support/attack/build-manifest.ts";
import { HOST, ORIGIN } from "#tests/support/attack/attack-server.ts";
import type { AttackFixture } from "#tests/support/attack/attack-fixture.ts";
import { writeTo } from "#tests/support/write-to.ts";

const redirectTargets = OPEN_REDIRECT_PAYLOADS.filter(
  (value): value is string => typeof value === "string",
);
const externalLink = /(?:href|action|value|src)="(?:https?:)?(?:\/|\\|&#x2f;)*[^"]*evil\.example/i;

test("next= is never an open redirect, in any place that accepts it", async ({
  insertFixture,
  site: { db },
}) => {
  const { owner } = await insertFixture();
  const assertStaysOnSite = (location: string | null | undefined, about: string) => {
    expect(location, about).not.toBeNull();
    const url = new URL(location ?? "", ORIGIN);
    const to = url.pathname === "/login/go" ? url.searchParams.get("to") : (location ?? "");
    expect(["/me", "/login/code"], `${about}: ${to}`).toContain(to);
  };
  for (const target of redirectTargets) {
    const query = encodeURIComponent(target);
    const about = `next=${target.slice(0, 60)}`;
    assertStaysOnSite(
      (await sendAttack({ path: `/login/go?to=${query}` })).headers.location,
      about,
    );
    for (const path of [
      `/login?next=${query}`,
      `/login/confirm?token=x&next=${query}`,
      `/login?next=/me&next=${query}`,
    ]) {
      const page = await sendAttack({ path });
      expect(page.status).toBe(200);
      expect(externalLink.exec(page.text)?.[0], `${path} links to another site`).toBeUndefined();
    }
    for (const transport of ["form", "call"] as const) {
      const loginRequest = await sendAttack(
        makeSameOriginAction(transport, "app/login/actions.ts#requestLoginEmail", "/login", {
          email: `${Math.random().toString(36).slice(2)}@example.test`,
          next: target,
        }),
      );
      assertStaysOnSite(parseActionResult(loginRequest).location, about);
      const storedNext =
        /^__Host-login=[^.]+\.([\w-]*)/.exec(
          loginRequest.headers["set-cookie"]?.find((line) => line.startsWith("__Host-login=")) ??
            "",
        )?.[1] ?? "";
      expect(Buffer.from(storedNext, "base64url").toString(), about).toBe("/me");

      const { token, code } = await writeTo(db.name, (tx) =>
        startChallenge(tx, { email: owner.email }),
      );
      assertStaysOnSite(
        parseActionResult(
          await sendAttack(
            makeSameOriginAction(transport, "app/login/actions.ts#logInByCode", "/login/confirm", {
              token,
              code,
              next: target,
            }),
          ),
        ).location,
        about,
      );
      // The browser can forge the cookie.
      const second = await writeTo(db.name, (tx) => startChallenge(tx, { email: owner.email }));
      const forged = { cookie: loginFlowCookie("login", second.browserId, target) };
      assertStaysOnSite(
        parseActionResult(
          await sendAttack({
            ...makeSameOriginAction(
              transport,
              "app/login/actions.ts#logInByLink",
              "/login/confirm",
              {
                token: second.token,
                next: target,
              },
            ),
            ...forged,
          }),
        ).location,
        about,
      );
    }
    if (target.length > 1_000) continue;
    const key = registerPasskey(db, owner.id);
    const options = await sendAttack({
      method: "POST",
      ...makeJsonRequest("/login/passkey/options", {}),
    });
    const browser = options.headers["set-cookie"]?.[0]?.split(";")[0];
    const { challenge } = JSON.parse(options.text) as { challenge: string };
    const login = await sendAttack({
      method: "POST",
      ...makeJsonRequest("/login/passkey/verify", {
        ...key.signAssertion({ challenge }),
        next: target,
      }),
      cookie: browser,
    });
    expect([login.status, (JSON.parse(login.text) as { next: string }).next], about).toEqual([
      200,
      "/me",
    ]);
  }
});

/** Returns every page of members and admins in the build, with real ids as parameters. */
function listPrivatePages({ owner }: AttackFixture, issueId: number): string[] {
  return readBuiltRoutes()
    .filter(
      ({ kind, route }) =>
        kind === "page" && /^\/(admin|me|calls\/(mine|record))(\/|$)/.test(route),
    )
    .map(({ route }) =>
      route
        .replace("/admin/users/[id]", `/admin/users/${owner.id}`)
        .replace("/admin/calls/[id]", `/admin/calls/${owner.calls.NEW}`)
        .replace("/admin/newsletter/[id]", `/admin/newsletter/${issueId}`)
        .replace("/admin/posts/[slug]", "/admin/posts/one-door-for-writes"),
    );
}

test("no spelling of a URL and no header opens a page of members or admins", async ({
  insertFixture,
  hashTablesWhenIdle,
  site: { db },
}) => {
  test.setTimeout(170_000);
  const fixture = await insertFixture();
  const { owner, neighbor, admin } = fixture;
  const title = `Unheard-of-${owner.id.slice(0, 8)}`;
  db.prepare(`UPDATE "Call" SET "title" = ? WHERE "userId" = ?`).run(title, owner.id);
  const secrets = [owner.email, title];
  const issueId = insertDraftIssue(db);
  const pages = listPrivatePages(fixture, issueId);
  expect(pages.length).toBeGreaterThan(5);
  expect(pages.filter((path) => path.includes("["))).toEqual([]);
  const before = await hashTablesWhenIdle();
  const assertNoLeak = async (name: string, attack: Parameters<typeof sendAttack>[0]) => {
    const response = await sendAttack(attack);
    expect(
      secrets.filter((secret) => response.text.includes(secret)),
      `${name} reads these at ${attack.path} ${JSON.stringify(attack.headers ?? {})}: ${response.status}`,
    ).toEqual([]);
    return response;
  };
  // Authorized accounts must see them.
  const issue = { path: `/admin/newsletter/${issueId}`, cookie: admin.cookie };
  expect((await sendAttack(issue)).status).toBe(200);
  expect(
    (await sendAttack({ path: `/admin/users/${owner.id}`, cookie: admin.cookie })).text,
  ).toContain(owner.email);
  expect(
    (
      await sendAttack({
        path: `/admin/users?q=${encodeURIComponent(owner.email)}`,
        cookie: admin.cookie,
      })
    ).text,
  ).toContain(`${owner.id}`);
  expect((await sendAttack({ path: "/calls/mine", cookie: owner.cookie })).text).toContain(title);
  expect((await sendAttack({ path: "/admin/calls", cookie: admin.cookie })).text).toContain(title);

  for (const [turn, path] of pages.entries()) {
    const isAdmins = path.startsWith("/admin");
    const anonymous = await assertNoLeak("an anonymous visitor", { path });
    // If the response has already started, the page contains only the redirect to the login.
    expect(
      [303, 307, 401, 404].includes(anonymous.status) ||
        /http-equiv="refresh"|NEXT_REDIRECT|\/login\?next=/.test(anonymous.text),
      `${path} for an anonymous visitor: ${anonymous.status}`,
    ).toBe(true);
    const member = await assertNoLeak("another member", { path, cookie: neighbor.cookie });
    if (isAdmins) expect(member.status, `${path} for a member`).toBe(404);
    // Visitors take turns at the admin pages: each page and each header gets both.
    await Promise.all(
      HOSTILE_HEADERS.map((headers, i) =>
        isAdmins && (i + turn) % 2 === 0 && headers.cookie === undefined
          ? assertNoLeak("a member", { path, headers, cookie: neighbor.cookie })
          : assertNoLeak("an anonymous visitor", { path, headers }),
      ),
    );
  }
  const user = `users/${owner.id}`;
  const spellings = [
    `/%61dmin/${user}`,
    `/admin%2f${user}`,
    `/admin%2F${user.replace("/", "%2f")}`,
    `//admin/${user}`,
    `/ADMIN/${user}`,
    `/Admin/${user}`,
    `/./admin/${user}`,
    `/x/../admin/${user}`,
    `/x/%2e%2e/admin/${user}`,
    `/admin/${user}/`,
    `/admin//${user}`,
    `/admin/${user}%00`,
    `/admin/${user}%20`,
    `/admin;x=1/${user}`,
    `/admin/${user};.css`,
    `/admin/${user}.css`,
    `/admin/${user}.json`,
    `/admin/${user}.rsc`,
    `/admin/${user}.txt`,
    `/admin/${user}.prefetch.rsc`,
    `/admin/${user}.segments/_tree.segment.rsc`,
    `/admin/${user}?_rsc=1`,
    `/admin/${user}?next=/login`,
    `/_next/data/x/admin/${user}.json`,
    `/_next/data/${readBuildId()}/admin/${user}.json`,
    `/_next/image?url=/admin/${user}&w=640&q=75`,
    `/static/../admin/${user}`,
    `/static/admin`,
    `/admin\\${user}`,
    `\\admin\\${user}`,
    `/en/admin/${user}`,
    `/login/../admin/${user}`,
    `/admin/users/[id]?id=${owner.id}`,
    `/admin/users/%5Bid%5D`,
    `http://${HOST}/admin/${user}`,
    `https://evil.example/admin/${user}`,
    `*/admin/${user}`,
  ];
  for (const path of spellings)
    for (const cookie of [undefined, neighbor.cookie])
      for (const headers of [
        {},
        { rsc: "1" },
        {
          rsc: "1",
          "next-router-prefetch": "1",
          "next-router-segment-prefetch": `/admin/users/$d$id/__PAGE__`,
        },
      ])
        await assertNoLeak("anyone", { path, cookie, headers });
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
});

test("headers of proxies and of Next grant no access", async ({
  insertFixture,
  hashTablesWhenIdle,
}) => {
  test.setTimeout(60_000);
  const { owner, neighbor } = await insertFixture();
  const before = await hashTablesWhenIdle();
  for (const headers of HOSTILE_HEADERS) {
    const { cookie: _, ...others } = headers as Record<string, string>;
    const sound = await sendAttack({
      path: `/calls/recording/${owner.calls.NEW}`,
      cookie: neighbor.cookie,
      headers: others,
    });
    // Next redirects router requests to the same path with a cache key.
    const isRouterRedirect =
      sound.status === 307 &&
      sound.headers.location?.startsWith(`/calls/recording/${owner.calls.NEW}?_rsc`);
    expect(
      [JSON.stringify(others), isRouterRedirect || [400, 404, 417].includes(sound.status)],
      `${sound.status} ${sound.headers.location}`,
    ).toEqual([JSON.stringify(others), true]);
    const removal = makeActionRequest(
      "call",
      getActionId("app/admin/users/actions.ts#deleteMember"),
      `/admin/users/${owner.id}`,
      { id: owner.id, typed: owner.email },
    );
    const response = await sendAttack({
      ...removal,
      cookie: neighbor.cookie,
      headers: { ...removal.headers, ...SAME_ORIGIN_HEADERS, ...others },
    });
    const isRedirectedBack =
      response.status === 307 &&
      response.headers.location?.startsWith(`/admin/users/${owner.id}?_rsc`);
    expect(
      isRedirectedBack ? "none" : parseActionResult(response).status,
      `${JSON.stringify(others)} ${response.status} ${response.text.slice(0, 100)}`,
    ).toMatch(/^(refused|none)$/);
  }
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
});

test("an action sent to another page or Host keeps its access rule and makes no request (SSRF)", async ({
  insertFixture,
  hashTablesWhenIdle,
}) => {
  const { owner, neighbor } = await insertFixture();
  let requestCount = 0;
  const listener = createServer((_, response) => {
    requestCount += 1;
    response.end("inside");
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const foreignHost = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const before = await hashTablesWhenIdle();
  for (const name of [
    "app/admin/users/actions.ts#deleteMember",
    "app/me/actions.ts#revokeOtherSessions",
  ]) {
    for (const page of [
      "/",
      "/about",
      "/login",
      "/blog",
      "/teams",
      "/no-such-page",
      "/admin/users",
      `/admin/users/${owner.id}`,
    ]) {
      for (const host of [HOST, foreignHost, "evil.example", "127.0.0.1:20202"]) {
        const request = makeActionRequest("call", getActionId(name), page, {
          id: owner.id,
          typed: owner.email,
        });
        const headers = {
          ...request.headers,
          host,
          origin: `https://${host}`,
          "sec-fetch-site": "same-origin",
          "x-forwarded-host": host,
          "x-forwarded-proto": "http",
        };
        const { status } = parseActionResult(
          await sendAttack({
            ...request,
            headers,
            cookie: name.includes("admin") ? neighbor.cookie : undefined,
          }),
        );
        expect([name, page, host, status === "done"]).toEqual([name, page, host, false]);
      }
    }
  }
  // After an action that redirects, Next fetches the target page, which must be on this site
  // (SSRF).
  const request = makeActionRequest(
    "call",
    getActionId("app/login/actions.ts#requestLoginEmail"),
    "/login",
    {
      email: `${Date.now()}@example.test`,
      next: "/me",
    },
  );
  for (const host of [foreignHost, HOST])
    await sendAttack({
      ...request,
      headers: {
        ...request.headers,
        host,
        origin: `https://${host}`,
        "sec-fetch-site": "same-origin",
        "x-forwarded-host": foreignHost,
      },
    });
  expect(requestCount, "requests to a host from a header").toBe(0);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual(["LoginChallenge"]);
  await new Promise((resolve) => listener.close(resolve));
});

test("the login form answers known and unknown addresses alike (no user enumeration)", async ({
  insertFixture,
  site: { server },
}) => {
  const { owner } = await insertFixture();
  const requestLogin = async (email: string, transport: "form" | "call") => {
    const { status, headers, text } = await sendAttack(
      makeSameOriginAction(transport, "app/login/actions.ts#requestLoginEmail", "/login", {
        email,
        next: "/me",
      }),
    );
    const { date: _, etag: __, "set-cookie": cookies, ...others } = headers;
    return {
      status,
      headers: { ...others, "content-length": undefined, "content-security-policy": undefined },
      cookies: cookies?.map((line) => line.replace(/=[^;]*/, "").replace(/expires=[^;]+/i, "")),
      location: parseActionResult({ status, headers, text, bytes: Buffer.alloc(0) }).location,
    };
  };
  for (const transport of ["form", "call"] as const)
    expect(await requestLogin(owner.email, transport)).toEqual(
      await requestLogin(`${Date.now()}-${transport}@example.test`, transport),
    );
  await expect
    .poll(() => server.smtp.emails.filter(({ to }) => to.includes(owner.email)).length)
    .toBe(2);
});

test("login emails and codes are rate limited per address", async ({ insertFixture }) => {
  const { owner } = await insertFixture();
  const clientAddress = nextAddress();
  const codes: (string | null)[] = [];
  for (let i = 0; i < 61; i++)
    codes.push(
      parseActionResult(
        await sendAttack({
          ...makeSameOriginAction("call", "app/login/actions.ts#logInByCode", "/login/code", {
            code: "000000",
            token: "x",
          }),
          clientAddress,
        }),
      ).code,
    );
  expect(codes.filter((code) => code === "rate_limited")).toEqual(["rate_limited"]);
  const emails: (string | null)[] = [];
  for (let i = 0; i < 6; i++)
    emails.push(
      parseActionResult(
        await sendAttack(
          makeSameOriginAction("call", "app/login/actions.ts#requestLoginEmail", "/login", {
            email: owner.email,
            next: "/me",
          }),
        ),
      ).code,
    );
  expect(emails, "six emails to one address, from six clients").toEqual([
    null,
    null,
    null,
    null,
    null,
    "rate_limited",
  ]);
});

test("member pages have a CSP with a fresh nonce, and every page has the security headers", async ({
  insertFixture,
}) => {
  const { owner } = await insertFixture();
  const nonces = new Set<string>();
  for (const [path, cookie] of [
    ["/login", undefined],
    ["/login", undefined],
    ["/me", owner.cookie],
    ["/calls/mine", owner.cookie],
    ["/calls/record", owner.cookie],
  ] as const) {
    const { headers, text } = await sendAttack({ path, cookie });
    const policy = headers["content-security-policy"] as string;
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    expect(nonce.length, path).toBeGreaterThan(20);
    nonces.add(nonce);
    expect(policy).toMatch(
      /base-uri 'none'; object-src 'none';.*frame-ancestors 'none'; form-action 'self'/,
    );
    expect(policy.split(";").find((part) => part.includes("script-src"))).not.toContain("unsafe");
    expect(
      [...text.matchAll(/<script(?![^>]*\bnonce=)[^>]*>/g)]
        .map(([tag]) => tag)
        .filter((tag) => !/type="application\/ld\+json"/.test(tag)).length,
      `${path} has scripts without the nonce`,
    ).toBeLessThanOrEqual(1);
    expect([path, headers["cache-control"]]).toEqual([path, "private, no-store"]);
  }
  expect(nonces.size).toBe(5);
  for (const path of [
    "/",
    "/blog",
    "/about",
    "/teams",
    "/calls",
    "/no-such-page",
    "/feed.xml",
    "/calls/feed.xml",
    "/login/go",
    "/reads/token?slug=x",
  ]) {
    const { headers } = await sendAttack({ path });
    expect([path, headers["x-content-type-options"], headers["strict-transport-security"]]).toEqual(
      [path, "nosniff", "max-age=63072000"],
    );
    expect(headers["content-security-policy"], path).toContain("frame-ancestors 'none'");
  }
});

test("a nonce or CSP in a request is ignored", async () => {
  const { headers, text } = await sendAttack({
    path: "/login",
    headers: {
      "content-security-policy": "script-src 'nonce-evil' 'unsafe-inline'",
      "x-nonce": "evil",
    },
  });
  expect(headers["content-security-policy"]).not.toContain("evil");
  expect(text).not.toContain("evil");
  const open = await sendAttack({
    path: "/blog",
    headers: { "content-security-policy": "script-src 'nonce-evil\"><script>alert(1)</script>'" },
  });
  expect(open.text).not.toContain('nonce="evil');
  expect(open.text).not.toContain("<script>alert(1)</script>");
});

test("a body rejected halfway does not block other requests on its connection", async () => {
  const chunk = `c350\r\n${"A".repeat(50_000)}\r\n`;
  const commonHeaders = `Host: ${HOST}\r\nUser-Agent: ${USER_AGENT}\r\n`;
  const request = (chunks: number) =>
    `POST /reads HTTP/1.1\r\n${commonHeaders}Origin: ${SAME_ORIGIN_HEADERS.origin}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(chunks)}0\r\n\r\nGET /robots.txt HTTP/1.1\r\n${commonHeaders}Connection: close\r\n\r\n`;
  const statuses = (answer: string) =>
    [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status);
  expect(statuses(await sendRawBytes(request(10), 4_000))).toEqual(["413", "200"]);
  // An endless body is rejected and its connection closed, so that no unread request remains on it
  // (request smuggling).
  const startedMs = performance.now();
  expect(statuses(await sendRawBytes(request(200), 15_000))).not.toContain("200");
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

test("invalid methods and malformed HTTP are refused, and the server keeps answering", async ({
  hashTablesWhenIdle,
  insertFixture,
}) => {
  const { owner } = await insertFixture();
  const before = await hashTablesWhenIdle();
  for (const method of [
    "TRACE",
    "OPTIONS",
    "PUT",
    "PATCH",
    "DELETE",
    "PROPFIND",
    "SEARCH",
    "LOCK",
    "MKCOL",
    "PURGE",
    "M-SEARCH",
    "QUERY",
  ]) {
    for (const path of [
      "/",
      "/login",
      "/me",
      "/reads",
      "/reads/start",
      "/calls/upload",
      "/me/data",
      `/calls/recording/${owner.calls.NEW}`,
      "/feed.xml",
      "/no-such-page",
    ]) {
      const response = await sendAttack({
        method,
        path,
        headers: SAME_ORIGIN_HEADERS,
        cookie: owner.cookie,
      });
      expect(response.status, `${method} ${path}`).toBeLessThan(500);
    }
  }
  const host = `Host: ${HOST}\r\nUser-Agent: ${USER_AGENT}\r\n`;
  const raw: Record<string, string> = {
    "two lengths": `POST /reads HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    "a length and chunks": `POST /reads HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n${host}\r\n`,
    "chunks twice": `POST /reads HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
    "an invalid chunk size": `POST /reads HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`,
    "a space before the colon": `GET / HTTP/1.1\r\nHost : ${HOST}\r\n\r\n`,
    "bare line ends": `GET / HTTP/1.1\nHost: ${HOST}\n\n`,
    "a folded header": `GET / HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`,
    "a NUL in a header": `GET / HTTP/1.1\r\n${host}X-A: b\0c\r\n\r\n`,
    "a NUL in the URL": `GET /\0 HTTP/1.1\r\n${host}\r\n`,
    "no host": `GET / HTTP/1.1\r\n\r\n`,
    "two hosts": `GET / HTTP/1.1\r\n${host}Host: evil.example\r\n\r\n`,
    "HTTP/0.9": `GET /\r\n\r\n`,
    "another version": `GET / HTTP/9.9\r\n${host}\r\n`,
    "a TLS handshake": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    CONNECT: `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`,
    "a WebSocket upgrade": `GET /_next/webpack-hmr HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    "a header of 2 MB": `GET / HTTP/1.1\r\n${host}X-A: ${"a".repeat(2_000_000)}\r\n\r\n`,
    "two thousand headers": `GET / HTTP/1.1\r\n${host}${Array.from({ length: 2_000 }, (_, i) => `X-${i}: a\r\n`).join("")}\r\n`,
    "a URL of 100 kB": `GET /${"a".repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
  };
  const answers = await Promise.all(
    Object.entries(raw).map(
      async ([what, bytes]) => [what, await sendRawBytes(bytes, 1_500)] as const,
    ),
  );
  for (const [what, answer] of answers) {
    const statuses = [...answer.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) =>
      Number(status),
    );
    expect(
      statuses.filter((status) => status >= 500 || status === 101),
      `${what}: ${statuses.join(" ")}`,
    ).toEqual([]);
    expect(statuses.length, `${what} is answered more than once`).toBeLessThanOrEqual(1);
    expect(answer, what).not.toContain(owner.email);
  }
  for (const cookie of [
    "a=b; ".repeat(1_000),
    `__Host-session=${"x".repeat(8_000)}`,
    `${owner.cookie}; __Host-session=x`,
    `__Host-session=x; ${owner.cookie}`,
    "=; ;;; =x; \u00e9=1; a",
    "__proto__=x; constructor=y; toString=z",
  ]) {
    expect(
      (await sendAttack({ path: "/me", cookie: Buffer.from(cookie).toString("latin1") })).status,
    ).toBeLessThan(500);
  }
  expect((await sendAttack({ path: "/" })).status).toBe(200);
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
});
