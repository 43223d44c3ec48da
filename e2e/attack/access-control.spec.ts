// An attacker's suite, first part: every server action and every route handler of the build, tried by everybody who may not.

import { ACTION_CASES } from "#tests/support/attack/action-cases.ts";
import {
  ACTION_TRANSPORTS,
  makeActionRequest,
  parseActionResult,
} from "#tests/support/attack/server-action-request.ts";
import {
  type ActionCase,
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

/** Who may do what a case is about. */
const rightful = ({ who }: { who: string }, { owner, admin }: AttackFixture) =>
  who === "anyone" ? undefined : who === "admin" ? admin.cookie : owner.cookie;
const cookies = (...parts: (string | null | undefined)[]) =>
  parts.filter(Boolean).join("; ") || undefined;

interface Stranger {
  readonly what: string;
  readonly cookie: string | undefined;
  readonly headers?: AttackRequest["headers"];
  /** What the refusal may say; undefined: any refusal. */
  readonly codes: readonly string[];
}

/** Pages that are not ours, as a browser or something else would tell. */
const STRANGE_ORIGINS: readonly [string, AttackRequest["headers"]][] = [
  ["a page of another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
  [
    "another site that says nothing of itself",
    { origin: undefined, "sec-fetch-site": "cross-site" },
  ],
  ["something that says nothing at all", { origin: undefined, "sec-fetch-site": undefined }],
  [
    "an old browser on another site",
    { origin: "https://evil.example", "sec-fetch-site": undefined },
  ],
  ["a page without an origin", { origin: "null", "sec-fetch-site": "cross-site" }],
  ["a page without an origin, in an old browser", { origin: "null", "sec-fetch-site": undefined }],
  [
    "another site that forges the host",
    {
      origin: "https://evil.example",
      "sec-fetch-site": undefined,
      "x-forwarded-host": "evil.example",
    },
  ],
  [
    "another site that forges more of the host",
    {
      origin: "https://evil.example",
      "sec-fetch-site": "cross-site",
      "x-forwarded-host": "evil.example",
      forwarded: "host=evil.example",
      "x-original-host": "evil.example",
    },
  ],
  [
    "a neighbour below the same domain",
    { origin: `https://blog.${HOST}`, "sec-fetch-site": "same-site" },
  ],
  ["another port of this host", { origin: `${ORIGIN}:8443`, "sec-fetch-site": undefined }],
  ["a host that begins as ours", { origin: `${ORIGIN}.evil.example`, "sec-fetch-site": undefined }],
  [
    "a host that hides ours",
    { origin: `https://${HOST}@evil.example`, "sec-fetch-site": undefined },
  ],
];

async function strangersTo(
  { who, recent, isOwners }: Pick<ActionCase, "who" | "recent" | "isOwners">,
  { owner, neighbour, admin }: AttackFixture,
): Promise<Stranger[]> {
  const found: Stranger[] = [];
  if (who !== "anyone") {
    found.push({ what: "nobody", cookie: undefined, codes: ["unauthorized", "401"] });
    found.push({
      what: "somebody with a cookie sealed with another secret",
      cookie: sessionCookieHeader(
        await sealPayload(
          { id: "x".repeat(43), sealedAtMs: Date.now() },
          "another secret, as long as it has to be",
        ),
      ),
      codes: ["unauthorized", "401"],
    });
  }
  if (who === "admin")
    found.push({ what: "a member", cookie: owner.cookie, codes: ["forbidden", "403", "404"] });
  if (isOwners)
    found.push({
      what: "another member",
      cookie: neighbour.cookie,
      codes: ["not_found", "conflict", "404", "409"],
    });
  if (recent)
    found.push({
      what: "somebody who logged in twenty minutes ago",
      cookie: who === "admin" ? admin.cookieOfOlderLogin : owner.cookieOfOlderLogin,
      codes: ["unauthorized", "401"],
    });
  return found;
}

test("no server action is missing from the table, and the table has none that is not there", () => {
  const built = [...new Set(readBuiltActions().map(({ name }) => name))].sort();
  const missing = built.filter((name) => !Object.hasOwn(ACTION_CASES, name));
  expect(
    missing,
    "Add each of these to tests/support/attack/action-cases.ts: who may call it, the page of its form, fields that work, the tables it changes, and fields that never work.",
  ).toEqual([]);
  expect(
    Object.keys(ACTION_CASES).filter((name) => !built.includes(name)),
    "Remove from tests/support/attack/action-cases.ts what the build does not have.",
  ).toEqual([]);
});

test("no route handler is missing from the table, and the table has none that is not there", async () => {
  const built: string[] = [];
  for (const { route } of readBuiltRoutes().filter(({ kind }) => kind === "handler")) {
    // Next itself answers OPTIONS with what a handler exports.
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
    "Add each of these to tests/support/attack/handler-cases.ts: who may ask, a request that works, its status, the tables it changes, and requests that never work.",
  ).toEqual([]);
  expect(
    Object.keys(HANDLER_CASES).filter((name) => !built.includes(name)),
    "Remove from tests/support/attack/handler-cases.ts what the build does not have.",
  ).toEqual([]);
});

for (const [name, given] of Object.entries(ACTION_CASES)) {
  test(`action ${name} refuses whom it is not for, and then works`, async ({
    newWorld,
    quiet,
    site: { db },
  }) => {
    const ids = readBuiltActions().filter((action) => action.name === name);
    expect(ids.length, `${name} is in the build`).toBeGreaterThan(0);
    for (const way of ACTION_TRANSPORTS) {
      const world = await newWorld();
      const { fields, cookie: extra } = splitFieldsAndCookie(
        await given.makeValidFields({ world, db }),
      );
      const page = typeof given.page === "string" ? given.page : given.page(world);
      const request = makeActionRequest(way, ids[0]!.id, page, fields);
      const own = rightful(given, world);
      let before = await quiet();
      const held = given.readUnchangedState?.({ world, db });

      const refused = async (
        what: string,
        attack: Partial<AttackRequest>,
        codes?: readonly string[],
      ) => {
        const got = await sendAttack({
          ...request,
          ...attack,
          headers: { ...request.headers, ...SAME_ORIGIN_HEADERS, ...attack.headers },
        });
        const after = await quiet();
        const answer = parseActionResult(got);
        const about = `${name} as a ${way} by ${what}: ${got.status} ${answer.status} ${answer.code ?? ""} ${answer.message}`;
        expect(listChangedTables(before, after), `${about} changed`).toEqual([]);
        expect(
          given.readUnchangedState?.({ world, db }),
          `${about} changed what is beside the database`,
        ).toEqual(held);
        expect(got.status, about).toBeLessThan(500);
        expect(answer.status, about).not.toBe("done");
        if (way === "call" && codes)
          expect([answer.status, codes.includes(answer.code ?? "")], about).toEqual([
            "refused",
            true,
          ]);
        before = after;
      };
      for (const { what, cookie, headers, codes } of await strangersTo(given, world))
        await refused(what, { cookie: cookies(cookie, extra), headers }, codes);
      for (const [what, headers] of STRANGE_ORIGINS)
        await refused(what, { cookie: cookies(own, extra), headers }, ["forbidden", "403"]);

      const got = await sendAttack({
        ...request,
        cookie: cookies(own, extra),
        headers: { ...request.headers, ...SAME_ORIGIN_HEADERS },
      });
      const after = await quiet();
      const { status, code, message } = parseActionResult(got);
      const about = `${name} as a ${way} by whom it is for: ${got.status} ${status} ${code ?? ""} ${message}`;
      expect(got.status, about).toBeLessThan(400);
      expect(status, about).not.toBe("refused");
      expect(
        listChangedTables(before, after),
        `${about}. If this is right, say so in tests/support/attack/action-cases.ts.`,
      ).toEqual([...given.writtenTables].sort());
    }
  });
}

const methodOf = (name: string) => name.slice(0, name.indexOf(" "));
const attackOf = (name: string, { path, headers, body }: HandlerRequest): AttackRequest => ({
  method: methodOf(name),
  path,
  ...(headers && { headers }),
  ...(body !== undefined && { body }),
});

for (const [name, given] of Object.entries<HandlerCase>(HANDLER_CASES)) {
  test(`handler ${name} refuses whom it is not for, and then works`, async ({
    newWorld,
    quiet,
    site: { db },
  }) => {
    const world = await newWorld();
    const ready = await given.makeValidRequest({ world, db });
    const request = attackOf(name, ready);
    const own = rightful(given, world);
    let before = await quiet();
    const refused = async (
      what: string,
      attack: Partial<AttackRequest>,
      statuses: readonly number[],
    ): Promise<AttackResponse> => {
      const got = await sendAttack({
        ...request,
        ...attack,
        headers: { ...request.headers, ...attack.headers },
      });
      const after = await quiet();
      const about = `${name} by ${what}: ${got.status} ${got.text.slice(0, 200)}`;
      expect(listChangedTables(before, after), `${about} changed`).toEqual([]);
      expect(statuses, about).toContain(got.status);
      before = after;
      return got;
    };
    for (const { what, cookie } of await strangersTo(given, world)) {
      // A page may be named as one that is not there, or lead to the log-in; what it holds comes to nobody.
      const got = await refused(
        what,
        { cookie: cookies(cookie, ready.cookie) },
        methodOf(name) === "GET"
          ? [401, 403, 404, 303, 307]
          : [
              401,
              403,
              404,
              409,
              ...(given.isSameForStrangers && cookie !== undefined ? [given.status] : []),
            ],
      );
      for (const secret of [world.owner.email, world.owner.id])
        expect(got.text.includes(secret), `${name} tells ${what} about the owner`).toBe(false);
    }
    if (methodOf(name) !== "GET" && !given.isOriginIgnored) {
      for (const [what, headers] of STRANGE_ORIGINS)
        await refused(what, { cookie: cookies(own, ready.cookie), headers }, [403]);
    }

    const got = await sendAttack({ ...request, cookie: cookies(own, ready.cookie) });
    const about = `${name} by whom it is for: ${got.status} ${got.text.slice(0, 200)}`;
    expect(got.status, about).toBe(given.status);
    expect(
      listChangedTables(before, await quiet()),
      `${about}. If this is right, say so in tests/support/attack/handler-cases.ts.`,
    ).toEqual([...(given.writtenTables ?? [])].sort());
    if (given.who !== "anyone" && got.status === 200)
      expect(got.headers["cache-control"], `${name} may be kept by a cache`).toMatch(/no-store/);
  });
}

test("a session that has ended, was deleted, forged or sealed with another secret is nobody's", async ({
  newWorld,
  site: { db },
  clock,
}) => {
  const { owner, neighbour, admin } = await newWorld();
  const probe = async (cookie: string) =>
    (await sendAttack({ path: `/calls/recording/${neighbour.calls.NEW}`, cookie })).status;
  expect(await probe(admin.cookie)).toBe(200);
  const sealed = admin.cookie.slice(admin.cookie.indexOf("=") + 1);
  const deleted = await insertSession(db, admin.id);
  db.prepare(`DELETE FROM "Session" WHERE "id" = ?`).run(deleted.key);
  const ended = await insertSession(db, admin.id, { expiresInMs: -1 });
  const parts = sealed.split("*");
  const forged: Record<string, string> = {
    "a deleted row": deleted.cookie,
    "a row that has ended": ended.cookie,
    "the key of the row in place of the id": sessionCookieHeader(
      await sealPayload({ id: admin.sessionKey, sealedAtMs: Date.now() }),
    ),
    "another secret": (
      await insertSession(db, admin.id, { secret: "another secret, as long as it has to be" })
    ).cookie,
    "a seal that is too old": sessionCookieHeader(
      await sealPayload({ id: "x" }, undefined, 61).then((text) =>
        text.replace(/\*(\d{13})\*/, "*1600000000000*"),
      ),
    ),
    "a truncated seal": sessionCookieHeader(sealed.slice(0, sealed.lastIndexOf("~") - 1)),
    "half a seal": sessionCookieHeader(sealed.slice(0, sealed.length / 2)),
    "an altered seal": sessionCookieHeader(
      parts.map((part, at) => (at === 4 ? [...part].reverse().join("") : part)).join("*"),
    ),
    "half a seal before a seal": sessionCookieHeader(sealed.slice(0, sealed.length / 2) + sealed),
    "a bare id": sessionCookieHeader(admin.id),
    JSON: sessionCookieHeader(encodeURIComponent(JSON.stringify({ id: admin.id }))),
    "a name without its prefix": `session=${sealed}`,
    "the name of a prototype": "__proto__=1; constructor=1",
    nothing: sessionCookieHeader(""),
    "60 kB": sessionCookieHeader("x".repeat(12_000)),
    "an id that is no text": sessionCookieHeader(await sealPayload({ id: { toString: "x" } })),
    "no id": sessionCookieHeader(await sealPayload({})),
    "somebody else's role in the seal": sessionCookieHeader(
      await sealPayload({ id: "x", role: "ADMIN", userId: admin.id }),
    ),
    "a member's": owner.cookie,
  };
  for (const [what, cookie] of Object.entries(forged))
    expect([what, await probe(cookie)]).toEqual([what, what === "a member's" ? 404 : 401]);
  await clock(366 * 86_400_000);
  expect(await probe(admin.cookie), "a year later").toBe(401);
});
