// Attacks every server action and route handler in the build as each role without access, and from
// foreign origins (CSRF).

import { ACTION_CASES } from "#tests/support/attack/action-cases.ts";
import {
  ACTION_TRANSPORTS,
  makeActionRequest,
  parseActionResult,
} from "#tests/support/attack/server-action-request.ts";
import {
  type AccessRule,
  type HandlerCase,
  type HandlerRequest,
  splitFieldsAndCookie,
} from "#tests/support/attack/cases.ts";
import { listChangedTables, expect, test } from "#tests/support/attack/fixtures.ts";
import { HANDLER_CASES } from "#tests/support/attack/handler-cases.ts";
import {
  type AttackRequest,
  SAME_ORIGIN_HEADERS,
  type AttackResponse,
  sendAttack,
} from "#tests/support/attack/attack-client.ts";
import { readBuiltActions, readBuiltRoutes } from "#tests/support/attack/build-manifest.ts";
import { HOST, ORIGIN } from "#tests/support/attack/attack-server.ts";
import {
  type AttackFixture,
  sessionCookieHeader,
  insertSession,
  sealPayload,
} from "#tests/support/attack/attack-fixture.ts";

test.describe.configure({ mode: "default" });

/** Returns the cookie of an account with access. */
const authorizedCookie = (
  { requiredRole }: { requiredRole: string },
  { owner, admin }: AttackFixture,
) =>
  requiredRole === "anyone" ? undefined : requiredRole === "admin" ? admin.cookie : owner.cookie;
const joinCookies = (...parts: (string | null | undefined)[]) =>
  parts.filter(Boolean).join("; ") || undefined;

interface Stranger {
  readonly name: string;
  readonly cookie: string | undefined;
  readonly headers?: AttackRequest["headers"];
  /** Error codes or statuses that the rejection may have. */
  readonly codes: readonly string[];
}

/** Headers of requests that pages on other origins trigger. */
const FOREIGN_ORIGINS: readonly [string, AttackRequest["headers"]][] = [
  ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
  ["another site without Origin", { origin: undefined, "sec-fetch-site": "cross-site" }],
  [
    "a client without Origin and Sec-Fetch-Site",
    { origin: undefined, "sec-fetch-site": undefined },
  ],
  [
    "another site in a browser without Sec-Fetch-Site",
    { origin: "https://evil.example", "sec-fetch-site": undefined },
  ],
  ["an opaque origin", { origin: "null", "sec-fetch-site": "cross-site" }],
  [
    "an opaque origin in a browser without Sec-Fetch-Site",
    { origin: "null", "sec-fetch-site": undefined },
  ],
  [
    "another site with a forged X-Forwarded-Host",
    {
      origin: "https://evil.example",
      "sec-fetch-site": undefined,
      "x-forwarded-host": "evil.example",
    },
  ],
  [
    "another site with more forged host headers",
    {
      origin: "https://evil.example",
      "sec-fetch-site": "cross-site",
      "x-forwarded-host": "evil.example",
      forwarded: "host=evil.example",
      "x-original-host": "evil.example",
    },
  ],
  ["a subdomain", { origin: `https://blog.${HOST}`, "sec-fetch-site": "same-site" }],
  ["another port", { origin: `${ORIGIN}:8443`, "sec-fetch-site": undefined }],
  [
    "a host with ours as its prefix",
    { origin: `${ORIGIN}.evil.example`, "sec-fetch-site": undefined },
  ],
  [
    "a host with ours as its user name",
    { origin: `https://${HOST}@evil.example`, "sec-fetch-site": undefined },
  ],
];

/** Returns the accounts without access under `rule`. */
async function listStrangers(
  {
    requiredRole,
    needsRecentLogin,
    isOwnerOnly,
  }: Pick<AccessRule, "requiredRole" | "needsRecentLogin" | "isOwnerOnly">,
  { owner, neighbor, admin }: AttackFixture,
): Promise<Stranger[]> {
  const strangers: Stranger[] = [];
  if (requiredRole !== "anyone") {
    strangers.push({
      name: "an anonymous visitor",
      cookie: undefined,
      codes: ["unauthorized", "401"],
    });
    strangers.push({
      name: "a cookie sealed with another secret",
      cookie: sessionCookieHeader(
        await sealPayload(
          { id: "x".repeat(43), sealedAtMs: Date.now() },
          "another secret, as long as it has to be",
        ),
      ),
      codes: ["unauthorized", "401"],
    });
  }
  if (requiredRole === "admin")
    strangers.push({ name: "a member", cookie: owner.cookie, codes: ["forbidden", "403", "404"] });
  if (isOwnerOnly)
    strangers.push({
      name: "another member",
      cookie: neighbor.cookie,
      codes: ["not_found", "conflict", "404", "409"],
    });
  if (needsRecentLogin)
    strangers.push({
      name: "a login of twenty minutes ago",
      cookie: requiredRole === "admin" ? admin.cookieOfOlderLogin : owner.cookieOfOlderLogin,
      codes: ["unauthorized", "401"],
    });
  return strangers;
}

test("the table of server actions matches the build", () => {
  const built = [...new Set(readBuiltActions().map(({ name }) => name))].sort();
  const missing = built.filter((name) => !Object.hasOwn(ACTION_CASES, name));
  expect(
    missing,
    "Add each of these to tests/support/attack/action-cases.ts: its access rule, the page of its form, valid fields, the tables it writes, and invalid fields.",
  ).toEqual([]);
  expect(
    Object.keys(ACTION_CASES).filter((name) => !built.includes(name)),
    "Remove from tests/support/attack/action-cases.ts what the build no longer has.",
  ).toEqual([]);
});

test("the table of route handlers matches the build", async () => {
  const built: string[] = [];
  for (const { route } of readBuiltRoutes().filter(({ kind }) => kind === "handler")) {
    // Next responds to OPTIONS with the methods that a handler exports.
    const { headers } = await sendAttack({
      method: "OPTIONS",
      path: route.replace(/\[\.{0,3}[^\]]+\]/g, "x"),
    });
    const methods = (headers.allow ?? "GET")
      .split(/,\s*/)
      .filter((method) => !["OPTIONS", "HEAD"].includes(method));
    built.push(...methods.map((method) => `${method} ${route}`));
  }
  const missing = built.filter((name) => !Object.hasOwn(HANDLER_CASES, name)).sort();
  expect(
    missing,
    "Add each of these to tests/support/attack/handler-cases.ts: its access rule, a valid request, its status, the tables it writes, and invalid requests.",
  ).toEqual([]);
  expect(
    Object.keys(HANDLER_CASES).filter((name) => !built.includes(name)),
    "Remove from tests/support/attack/handler-cases.ts what the build no longer has.",
  ).toEqual([]);
});

for (const [turn, [name, actionCase]] of Object.entries(ACTION_CASES).entries()) {
  test(`action ${name} refuses everyone without access, then succeeds`, async ({
    insertFixture,
    hashTablesWhenIdle,
    site: { db },
  }) => {
    const ids = readBuiltActions().filter((action) => action.name === name);
    expect(ids.length, `${name} is missing from the build`).toBeGreaterThan(0);
    for (const [at, transport] of ACTION_TRANSPORTS.entries()) {
      const fixture = await insertFixture();
      const { fields, cookie: extra } = splitFieldsAndCookie(
        await actionCase.makeValidFields({ fixture, db }),
      );
      const page = typeof actionCase.page === "string" ? actionCase.page : actionCase.page(fixture);
      const request = makeActionRequest(transport, ids[0]!.id, page, fields);
      const cookie = authorizedCookie(actionCase, fixture);
      let before = await hashTablesWhenIdle();
      const stateBefore = actionCase.readUnchangedState?.({ fixture, db });

      const assertRefused = async (
        what: string,
        attack: Partial<AttackRequest>,
        codes: readonly string[],
      ) => {
        const response = await sendAttack({
          ...request,
          ...attack,
          headers: { ...request.headers, ...SAME_ORIGIN_HEADERS, ...attack.headers },
        });
        const after = await hashTablesWhenIdle();
        const answer = parseActionResult(response);
        const about = `${name} as a ${transport} by ${what}: ${response.status} ${answer.status} ${answer.code ?? ""} ${answer.message}`;
        // One assertion, because Playwright records each as a step, which takes as long as a request.
        expect(
          {
            changedTables: listChangedTables(before, after),
            stateOutsideDatabase: actionCase.readUnchangedState?.({ fixture, db }),
            isServerError: response.status >= 500,
            isDone: answer.status === "done",
            hasExpectedCode:
              transport !== "call" ||
              (answer.status === "refused" && codes.includes(answer.code ?? "")),
          },
          about,
        ).toEqual({
          changedTables: [],
          stateOutsideDatabase: stateBefore,
          isServerError: false,
          isDone: false,
          hasExpectedCode: true,
        });
        before = after;
      };
      for (const stranger of await listStrangers(actionCase, fixture))
        await assertRefused(
          stranger.name,
          { cookie: joinCookies(stranger.cookie, extra), headers: stranger.headers },
          stranger.codes,
        );
      // The transports take turns: each action gets every origin, and each origin both transports.
      for (const [what, headers] of FOREIGN_ORIGINS.filter((_, i) => (i + turn + at) % 2 === 0))
        await assertRefused(what, { cookie: joinCookies(cookie, extra), headers }, [
          "forbidden",
          "403",
        ]);

      const response = await sendAttack({
        ...request,
        cookie: joinCookies(cookie, extra),
        headers: { ...request.headers, ...SAME_ORIGIN_HEADERS },
      });
      const after = await hashTablesWhenIdle();
      const { status, code, message } = parseActionResult(response);
      const about = `${name} as a ${transport} by an authorized account: ${response.status} ${status} ${code ?? ""} ${message}`;
      expect(response.status, about).toBeLessThan(400);
      expect(status, about).not.toBe("refused");
      expect(
        listChangedTables(before, after),
        `${about}. If that is intended, change tests/support/attack/action-cases.ts.`,
      ).toEqual([...actionCase.writtenTables].sort());
    }
  });
}

const methodOf = (name: string) => name.slice(0, name.indexOf(" "));
const toAttackRequest = (name: string, { path, headers, body }: HandlerRequest): AttackRequest => ({
  method: methodOf(name),
  path,
  ...(headers && { headers }),
  ...(body !== undefined && { body }),
});

for (const [name, handlerCase] of Object.entries<HandlerCase>(HANDLER_CASES)) {
  test(`handler ${name} refuses everyone without access, then succeeds`, async ({
    insertFixture,
    hashTablesWhenIdle,
    site: { db },
  }) => {
    const fixture = await insertFixture();
    const validRequest = handlerCase.makeValidRequest({ fixture, db });
    const request = toAttackRequest(name, validRequest);
    const cookie = authorizedCookie(handlerCase, fixture);
    let before = await hashTablesWhenIdle();
    const assertRefused = async (
      what: string,
      attack: Partial<AttackRequest>,
      statuses: readonly number[],
    ): Promise<AttackResponse> => {
      const response = await sendAttack({
        ...request,
        ...attack,
        headers: { ...request.headers, ...attack.headers },
      });
      const after = await hashTablesWhenIdle();
      const about = `${name} by ${what}: ${response.status} ${response.text.slice(0, 200)}`;
      expect(listChangedTables(before, after), `${about} changed`).toEqual([]);
      expect(statuses, about).toContain(response.status);
      before = after;
      return response;
    };
    for (const stranger of await listStrangers(handlerCase, fixture)) {
      // A page may respond with 404 or redirect to the login, but must never reveal its content.
      const response = await assertRefused(
        stranger.name,
        { cookie: joinCookies(stranger.cookie, validRequest.cookie) },
        methodOf(name) === "GET"
          ? [401, 403, 404, 303, 307]
          : [
              401,
              403,
              404,
              409,
              ...(handlerCase.isSameForStrangers && stranger.cookie !== undefined
                ? [handlerCase.status]
                : []),
            ],
      );
      for (const secret of [fixture.owner.email, fixture.owner.id])
        expect(
          response.text.includes(secret),
          `${name} reveals the owner to ${stranger.name}`,
        ).toBe(false);
    }
    if (methodOf(name) !== "GET" && !handlerCase.isOriginIgnored) {
      for (const [what, headers] of FOREIGN_ORIGINS)
        await assertRefused(
          what,
          { cookie: joinCookies(cookie, validRequest.cookie), headers },
          [403],
        );
    }

    const response = await sendAttack({
      ...request,
      cookie: joinCookies(cookie, validRequest.cookie),
    });
    const about = `${name} by an authorized account: ${response.status} ${response.text.slice(0, 200)}`;
    expect(response.status, about).toBe(handlerCase.status);
    expect(
      listChangedTables(before, await hashTablesWhenIdle()),
      `${about}. If that is intended, change tests/support/attack/handler-cases.ts.`,
    ).toEqual([...(handlerCase.writtenTables ?? [])].sort());
    if (handlerCase.requiredRole !== "anyone" && response.status === 200)
      expect(response.headers["cache-control"], `${name} must not be cached`).toMatch(/no-store/);
  });
}

test("an expired, deleted, forged or foreign session cookie is rejected", async ({
  insertFixture,
  site: { db },
  setClock,
}) => {
  const { owner, neighbor, admin } = await insertFixture();
  const probe = async (cookie: string) =>
    (await sendAttack({ path: `/calls/recording/${neighbor.calls.NEW}`, cookie })).status;
  expect(await probe(admin.cookie)).toBe(200);
  const sealed = admin.cookie.slice(admin.cookie.indexOf("=") + 1);
  const deleted = await insertSession(db, admin.id);
  db.prepare(`DELETE FROM "Session" WHERE "id" = ?`).run(deleted.key);
  const ended = await insertSession(db, admin.id, { expiresInMs: -1 });
  const parts = sealed.split("*");
  const forged: Record<string, string> = {
    "a deleted row": deleted.cookie,
    "an expired row": ended.cookie,
    "the row's key instead of the id": sessionCookieHeader(
      await sealPayload({ id: admin.sessionKey, sealedAtMs: Date.now() }),
    ),
    "another secret": (
      await insertSession(db, admin.id, { secret: "another secret, as long as it has to be" })
    ).cookie,
    "an expired seal": sessionCookieHeader(
      await sealPayload({ id: "x" }, undefined, 61).then((text) =>
        text.replace(/\*(\d{13})\*/, "*1600000000000*"),
      ),
    ),
    "a truncated seal": sessionCookieHeader(sealed.slice(0, sealed.lastIndexOf("~") - 1)),
    "half a seal": sessionCookieHeader(sealed.slice(0, sealed.length / 2)),
    "an altered seal": sessionCookieHeader(
      parts.map((part, at) => (at === 4 ? [...part].reverse().join("") : part)).join("*"),
    ),
    "half a seal followed by a whole one": sessionCookieHeader(
      sealed.slice(0, sealed.length / 2) + sealed,
    ),
    "a bare id": sessionCookieHeader(admin.id),
    JSON: sessionCookieHeader(encodeURIComponent(JSON.stringify({ id: admin.id }))),
    "a name without its prefix": `session=${sealed}`,
    "prototype names": "__proto__=1; constructor=1",
    nothing: sessionCookieHeader(""),
    "60 kB": sessionCookieHeader("x".repeat(12_000)),
    "an id that is not a string": sessionCookieHeader(await sealPayload({ id: { toString: "x" } })),
    "no id": sessionCookieHeader(await sealPayload({})),
    "a forged role in the seal": sessionCookieHeader(
      await sealPayload({ id: "x", role: "ADMIN", userId: admin.id }),
    ),
    "a member's": owner.cookie,
  };
  for (const [what, cookie] of Object.entries(forged))
    expect([what, await probe(cookie)]).toEqual([what, what === "a member's" ? 404 : 401]);
  await setClock(366 * 86_400_000);
  expect(await probe(admin.cookie), "a year later").toBe(401);
});
