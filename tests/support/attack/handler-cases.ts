// Lists every route handler by method and route, with its access rule. A test compares the table
// with the build.

import { randomUUID } from "node:crypto";
import type Database from "better-sqlite3";
import { hostname } from "node:os";
import { INTERNAL_HEADER, signInternalRequest } from "#lib/core/internal-request-signature.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import { signUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { signWebhook } from "#tests/support/git-host.ts";
import { type Random, chance, pick, randomUuid } from "#tests/support/random.ts";
import { randomJson, invalidValues } from "./fuzz-values.ts";
import type { HandlerCase, HandlerRequest } from "./cases.ts";
import { SAME_ORIGIN_HEADERS } from "./attack-client.ts";
import { MAIL_EVENT_SECRET, REPOSITORY, WEBHOOK_SECRET } from "./attack-server.ts";
import { PART_BYTES, sha256 } from "#tests/support/factories.ts";
import { makeWav } from "./attack-fixture.ts";

export const JSON_HEADERS = { "content-type": "application/json", accept: "application/json" };
const POST_SLUG = "one-door-for-writes";

export const makeJsonRequest = (path: string, value: unknown): HandlerRequest => ({
  path,
  headers: { ...JSON_HEADERS, ...SAME_ORIGIN_HEADERS },
  body: JSON.stringify(value),
});

/** Returns `value` with at least one invalid field, or invalid JSON. */
export function makeInvalidJsonRequest(
  random: Random,
  path: string,
  value: Readonly<Record<string, unknown>>,
): HandlerRequest {
  if (chance(random, 0.25)) {
    const whole = JSON.stringify(value);
    const body = pick<() => string | Uint8Array>(random, [
      () => whole.slice(0, Math.floor(random() * whole.length)),
      () => "",
      () => `${whole}${whole}`,
      () => "[".repeat(5_000),
      () => JSON.stringify(randomJson(random)).slice(0, 19_000),
      () => Buffer.from([0xff, 0xfe, 0x7b]),
      () => `{"a":${"1".repeat(30_000)}}`,
      () => "null",
    ])();
    return {
      path,
      headers: {
        ...SAME_ORIGIN_HEADERS,
        "content-type": pick(random, [
          "application/json",
          "application/json; charset=utf-16",
          "text/plain",
        ]),
      },
      body,
    };
  }
  const invalid: Record<string, unknown> = { ...value };
  const names = Object.keys(value);
  for (const name of [pick(random, names), ...names.filter(() => chance(random, 0.3))]) {
    const replacements = [
      null,
      true,
      [],
      {},
      [value[name]],
      { $ne: "" },
      { toString: "x" },
      -1,
      0.5,
      1e300,
      "",
      "\u0000",
      "x".repeat(10_000),
      randomJson(random, 2),
    ];
    const replacement = pick(random, replacements);
    // A new valid id could start an upload.
    invalid[name] =
      replacement === value[name] ||
      (typeof replacement === "string" && /^[0-9a-f-]{36}$/.test(replacement))
        ? null
        : replacement;
    if (chance(random, 0.2)) delete invalid[name];
  }
  const type = chance(random, 0.1)
    ? pick(random, [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/html",
        "application/json, text/html",
        "",
      ])
    : "application/json";
  return {
    path,
    headers: { ...SAME_ORIGIN_HEADERS, ...(type && { "content-type": type }) },
    body: JSON.stringify(invalid),
  };
}

const makeSaveRequest = (fields: Record<string, string>): HandlerRequest => ({
  path: "/me/saved",
  headers: {
    ...JSON_HEADERS,
    ...SAME_ORIGIN_HEADERS,
    "content-type": "application/x-www-form-urlencoded",
  },
  body: new URLSearchParams(fields).toString(),
});

/** Inserts a draft of an issue, and returns its ID. */
export function insertDraftIssue(db: Database.Database): number {
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO "NewsletterIssue" ("createdAt", "postSlug", "subject") VALUES (?, ?, 'News')`,
    )
    .run(Date.now(), POST_SLUG);
  return Number(lastInsertRowid);
}

/** Returns a report of a mail provider with the site's password. */
const makeMailEvent = (event: unknown): HandlerRequest => ({
  path: "/api/newsletter-events",
  headers: {
    ...JSON_HEADERS,
    authorization: `Basic ${Buffer.from(`mail:${MAIL_EVENT_SECRET}`).toString("base64")}`,
  },
  body: JSON.stringify(event),
});

const CREDENTIAL = { id: "AAAA", rawId: "AAAA", type: "public-key" };

const publicGet = (path: string): HandlerCase => ({
  requiredRole: "anyone",
  status: 200,
  makeValidRequest: () => ({ path }),
});

function makePushWebhook(): HandlerRequest {
  const body = JSON.stringify({
    ref: "refs/heads/main",
    after: sha256(randomUUID()).slice(0, 40),
    repository: { full_name: REPOSITORY },
  });
  return {
    path: "/api/content-webhook",
    body,
    headers: {
      ...JSON_HEADERS,
      "x-github-event": "push",
      "x-hub-signature-256": signWebhook(WEBHOOK_SECRET, body),
    },
  };
}

/** Returns a request like one from another instance with the same secret. */
const makeInternalRequest = (path: string, subject: string): HandlerRequest => ({
  path,
  headers: { ...JSON_HEADERS, [INTERNAL_HEADER]: signInternalRequest(subject) },
});
/** Returns a call of a tool (Model Context Protocol). */
const makeMcpRequest = (params: object): HandlerRequest => ({
  path: "/mcp",
  headers: { ...JSON_HEADERS, accept: "application/json, text/event-stream" },
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
});
/** Returns an internal header that is invalid: wrong signature, minute or subject, or missing. */
const makeInvalidInternalHeaders = (random: Random): Record<string, string> => {
  const [minute = "", signature = ""] = signInternalRequest("another subject").split(".");
  const value = pick(random, [
    undefined,
    "",
    minute,
    `${minute}.`,
    `${minute}.${signature}`,
    `0.${signature}`,
    `${minute}.${"A".repeat(43)}`,
    `${minute}.${signature}`.repeat(20),
  ]);
  return { ...JSON_HEADERS, ...(value !== undefined && { [INTERNAL_HEADER]: value }) };
};
const cacheDeletionSubject = (key: string) => `cache.delete\0${hostname()}\0${key}`;
const makeCacheDeletion = (key: string): HandlerRequest => ({
  ...makeInternalRequest("/internal/cache", cacheDeletionSubject(key)),
  body: JSON.stringify({ key }),
});

export const HANDLER_CASES: Readonly<Record<string, HandlerCase>> = {
  "GET /manifest.webmanifest": publicGet("/manifest.webmanifest"),
  "GET /speculation-rules": publicGet("/speculation-rules"),
  "GET /icon/[file]": publicGet("/icon/192.png"),
  "GET /atom.xml": publicGet("/atom.xml"),
  "GET /feed.json": publicGet("/feed.json"),
  "GET /feed.xml": publicGet("/feed.xml"),
  "GET /robots.txt": publicGet("/robots.txt"),
  "GET /llms.txt": publicGet("/llms.txt"),
  // 404 without an author's email address.
  "GET /.well-known/security.txt": { ...publicGet("/.well-known/security.txt"), status: 404 },
  "GET /blog/topics/[topic]/feed.xml": publicGet("/blog/topics/sqlite/feed.xml"),
  "GET /sitemap.xml": publicGet("/sitemap.xml"),
  "GET /search/results": publicGet("/search/results?q=write"),
  "GET /blog/[slug]/markdown": publicGet(`/blog/${POST_SLUG}.md`),
  "GET /blog/[slug]/social.png": publicGet(`/blog/${POST_SLUG}/social.png`),
  "GET /content-file/[...path]": { ...publicGet("/content-file/blog/none.png"), status: 404 },
  "GET /_img/[file]": { ...publicGet(`/_img/${"0".repeat(40)}-480.webp`), status: 404 },
  "GET /post-code/[file]": { ...publicGet(`/post-code/${"0".repeat(32)}.js`), status: 404 },
  "GET /embed-image/[hash]": { ...publicGet("/embed-image/0123456789abcdef"), status: 404 },
  "GET /reads/token": publicGet(`/reads/token?slug=${POST_SLUG}`),
  "GET /calls/feed.xml": publicGet("/calls/feed.xml"),
  "GET /calls/text/[slug]/[file]": {
    requiredRole: "anyone",
    status: 200,
    makeValidRequest: ({ fixture }) => ({
      path: `/calls/text/${fixture.owner.episodeSlug}/transcript.txt`,
    }),
  },
  "GET /calls/art/[slug]/[file]": {
    requiredRole: "anyone",
    status: 200,
    makeValidRequest: ({ fixture }) => ({
      path: `/calls/art/${fixture.owner.episodeSlug}/512.png`,
    }),
  },
  "GET /calls/audio/[slug]/[file]": {
    requiredRole: "anyone",
    status: 200,
    makeValidRequest: ({ fixture }) => ({ path: `/calls/audio/${fixture.owner.episodeSlug}/call` }),
  },

  "GET /healthz": publicGet("/healthz"),
  "GET /readyz": publicGet("/readyz"),
  "GET /metrics": {
    requiredRole: "anyone",
    status: 200,
    makeValidRequest: () => makeInternalRequest("/metrics", "metrics"),
  },
  // 404 without replication.
  "GET /cluster/here": { ...publicGet("/cluster/here"), status: 404 },
  "GET /admin/cluster/events": {
    requiredRole: "admin",
    status: 204,
    makeValidRequest: () => ({ path: "/admin/cluster/events" }),
  },
  "GET /internal/status": {
    requiredRole: "anyone",
    status: 200,
    makeValidRequest: () => makeInternalRequest("/internal/status", "status"),
  },
  "POST /internal/cache": {
    requiredRole: "anyone",
    isOriginIgnored: true,
    makeValidRequest: () => makeCacheDeletion("no such entry"),
    status: 200,
    writtenTables: [],
    makeInvalidRequest: (random) =>
      pick<() => HandlerRequest>(random, [
        () => ({
          path: "/internal/cache",
          headers: makeInvalidInternalHeaders(random),
          body: JSON.stringify({ key: "no such entry" }),
        }),
        () => ({
          ...makeCacheDeletion("no such entry"),
          body: JSON.stringify({ key: "another entry" }),
        }),
        () => ({ ...makeCacheDeletion(""), body: JSON.stringify({ key: "" }) }),
        () => ({
          ...makeCacheDeletion("no such entry"),
          body: pick(random, [
            "",
            "{",
            "null",
            "[]",
            '{"key":[]}',
            "x".repeat(30_000),
            "[".repeat(5_000),
          ]),
        }),
      ])(),
  },

  "POST /reads": {
    requiredRole: "anyone",
    // A valid token requires time to pass. tokens.spec.ts moves the clock.
    makeValidRequest: () => makeJsonRequest("/reads", { token: "x", slug: POST_SLUG }),
    status: 400,
    writtenTables: [],
    makeInvalidRequest: (random) =>
      makeInvalidJsonRequest(random, "/reads", { token: randomUuid(random), slug: POST_SLUG }),
  },
  "POST /reads/start": {
    requiredRole: "anyone",
    makeValidRequest: () =>
      makeJsonRequest("/reads/start", {
        token: issueDwellToken({ slug: POST_SLUG, nowMs: Date.now() - 60_000 }),
        slug: POST_SLUG,
        from: "t.co",
      }),
    status: 204,
    writtenTables: ["DailyViews"],
    makeInvalidRequest: (random) =>
      makeInvalidJsonRequest(random, "/reads/start", {
        token: randomUuid(random),
        slug: POST_SLUG,
        from: pick(random, ["<script>", "203.0.113.9", "\0", "x".repeat(1_500)]),
      }),
  },
  "POST /reads/place": {
    requiredRole: "member",
    makeValidRequest: () => makeJsonRequest("/reads/place", { slug: POST_SLUG, heading: null }),
    status: 204,
    writtenTables: [],
    makeInvalidRequest: (random) =>
      makeInvalidJsonRequest(random, "/reads/place", {
        slug: POST_SLUG,
        heading: randomUuid(random),
      }),
  },
  "POST /me/saved": {
    requiredRole: "member",
    makeValidRequest: ({ fixture, db }) => {
      db.prepare(`DELETE FROM "SavedPost" WHERE "userId" = ?`).run(fixture.owner.id);
      return makeSaveRequest({ slug: POST_SLUG, isSaved: "yes" });
    },
    status: 204,
    writtenTables: ["SavedPost"],
    makeInvalidRequest: (random) =>
      makeSaveRequest(
        pick<Record<string, string>>(random, [
          { slug: POST_SLUG },
          { slug: POST_SLUG, isSaved: "maybe" },
          { slug: randomUuid(random), isSaved: "yes" },
          { slug: "x".repeat(3_000), isSaved: "yes" },
        ]),
      ),
  },
  "POST /mcp": {
    requiredRole: "anyone",
    isOriginIgnored: true,
    makeValidRequest: () => makeMcpRequest({ name: "list", arguments: { page: 1 } }),
    status: 200,
    writtenTables: [],
    makeInvalidRequest: (random) => {
      const { path, headers, body } = makeMcpRequest({ name: "list", arguments: { page: 1 } });
      return pick<() => HandlerRequest>(random, [
        () => ({ path, headers, body: `[${Array(100).fill(body).join()}]` }),
        () => ({ path, headers, body: body!.slice(0, -1) as string }),
        () => ({ path, headers, body: "x".repeat(30_000) }),
        () => ({ path, headers: { ...headers, accept: "text/html" }, body }),
        () => ({ path, headers: { ...headers, "content-type": "text/plain" }, body }),
      ])();
    },
  },
  "POST /api/content-webhook": {
    requiredRole: "anyone",
    isOriginIgnored: true,
    makeValidRequest: makePushWebhook,
    status: 200,
    writtenTables: ["ContentVersion"],
    makeInvalidRequest: (random) => {
      const good = makePushWebhook();
      const signature = pick(random, [
        undefined,
        "",
        "sha256=",
        `sha256=${"0".repeat(64)}`,
        `sha1=${"0".repeat(40)}`,
        `sha256=${"é".repeat(32)}`,
        signWebhook("another secret", good.body ?? ""),
        signWebhook(WEBHOOK_SECRET, "another body"),
      ]);
      return {
        ...good,
        headers: {
          ...JSON_HEADERS,
          "x-github-event": pick(random, ["push", "ping", "x".repeat(500)]),
          ...(signature !== undefined && {
            "x-hub-signature-256": Buffer.from(signature).toString("latin1"),
          }),
        },
      };
    },
  },

  "POST /login/passkey/options": {
    requiredRole: "anyone",
    makeValidRequest: () => makeJsonRequest("/login/passkey/options", {}),
    status: 200,
    writtenTables: [],
  },
  "POST /login/passkey/verify": {
    requiredRole: "anyone",
    // A success requires an authenticator, which tokens.spec.ts has. Here, no ceremony was started.
    makeValidRequest: () =>
      makeJsonRequest("/login/passkey/verify", {
        response: {
          ...CREDENTIAL,
          response: { clientDataJSON: "e30", authenticatorData: "AA", signature: "AA" },
        },
      }),
    status: 409,
    writtenTables: [],
    makeInvalidRequest: (random) =>
      makeInvalidJsonRequest(random, "/login/passkey/verify", {
        response: { id: randomUuid(random), rawId: "x", type: "public-key", response: {} },
      }),
  },

  "GET /unsubscribe/one-click": { ...publicGet("/unsubscribe/one-click?token=x"), status: 303 },
  "POST /unsubscribe/one-click": {
    requiredRole: "anyone",
    isOriginIgnored: true,
    makeValidRequest: ({ fixture }) => ({
      path: `/unsubscribe/one-click?token=${signUnsubscribeToken(fixture.owner.id)}`,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "List-Unsubscribe=One-Click",
    }),
    status: 200,
    writtenTables: [],
    makeInvalidRequest: (random, fixture) => ({
      path: `/unsubscribe/one-click?token=${pick(random, [
        "",
        fixture.owner.id,
        `${fixture.owner.id}.${randomUuid(random)}`,
        `${signUnsubscribeToken(fixture.owner.id)}x`,
        `${fixture.neighbor.id}.${signUnsubscribeToken(fixture.owner.id).split(".")[1]}`,
      ])}`,
      body: "List-Unsubscribe=One-Click",
    }),
  },

  "GET /admin/newsletter/[id]/preview": {
    requiredRole: "admin",
    makeValidRequest: ({ db }) => ({
      path: `/admin/newsletter/${insertDraftIssue(db)}/preview`,
    }),
    status: 200,
  },
  "GET /admin/reads/daily.csv": {
    requiredRole: "admin",
    makeValidRequest: () => ({ path: "/admin/reads/daily.csv" }),
    status: 200,
  },
  "GET /admin/reads/views.csv": {
    requiredRole: "admin",
    makeValidRequest: () => ({ path: "/admin/reads/views.csv" }),
    status: 200,
  },
  "GET /admin/newsletter/subscribers.csv": {
    requiredRole: "admin",
    makeValidRequest: () => ({ path: "/admin/newsletter/subscribers.csv" }),
    status: 200,
  },
  "POST /api/newsletter-events": {
    requiredRole: "anyone",
    isOriginIgnored: true,
    makeValidRequest: () => makeMailEvent({ type: "bounce", email: "nobody@example.test" }),
    status: 200,
    writtenTables: [],
    makeInvalidRequest: (random) =>
      pick(random, [
        { ...makeMailEvent({ type: "open", email: "nobody@example.test" }) },
        makeMailEvent(null),
        makeMailEvent([{ type: "bounce" }]),
        {
          ...makeMailEvent({ type: "bounce", email: "nobody@example.test" }),
          headers: { ...JSON_HEADERS, authorization: `Bearer ${randomUuid(random)}` },
        },
      ]),
  },

  "GET /login/go": { ...publicGet("/login/go?to=/teams"), status: 303 },
  "POST /me/passkeys/options": {
    requiredRole: "member",
    needsRecentLogin: true,
    makeValidRequest: () => makeJsonRequest("/me/passkeys/options", {}),
    status: 200,
    writtenTables: [],
  },
  "POST /me/passkeys/verify": {
    requiredRole: "member",
    needsRecentLogin: true,
    makeValidRequest: () =>
      makeJsonRequest("/me/passkeys/verify", {
        response: { ...CREDENTIAL, response: { clientDataJSON: "e30", attestationObject: "AA" } },
      }),
    status: 409,
    writtenTables: [],
    makeInvalidRequest: (random) =>
      makeInvalidJsonRequest(random, "/me/passkeys/verify", {
        response: { id: randomUuid(random), rawId: "x", type: "public-key", response: {} },
      }),
  },
  "GET /me/data": {
    requiredRole: "member",
    status: 200,
    makeValidRequest: () => ({ path: "/me/data" }),
  },

  "POST /calls/upload": {
    requiredRole: "member",
    makeValidRequest: () => makeJsonRequest("/calls/upload", makeUploadAnnouncement(makeWav())),
    status: 200,
    writtenTables: ["Upload"],
    makeInvalidRequest: (random) =>
      makeInvalidJsonRequest(random, "/calls/upload", makeUploadAnnouncement(makeWav(0.6))),
  },
  "GET /calls/recording/[id]": {
    requiredRole: "member",
    isOwnerOnly: true,
    status: 200,
    makeValidRequest: ({ fixture }) => ({ path: `/calls/recording/${fixture.owner.calls.NEW}` }),
  },
  "GET /admin/calls/[id]/answer": {
    requiredRole: "admin",
    status: 200,
    makeValidRequest: ({ fixture }) => ({
      path: `/admin/calls/${fixture.owner.calls.ANSWERED}/answer`,
    }),
  },
  "GET /calls/upload/[id]": {
    requiredRole: "member",
    isOwnerOnly: true,
    status: 200,
    makeValidRequest: ({ fixture }) => ({ path: `/calls/upload/${fixture.owner.uploadId}` }),
  },
  "DELETE /calls/upload/[id]": {
    requiredRole: "member",
    isOwnerOnly: true,
    isSameForStrangers: true,
    makeValidRequest: ({ fixture }) => ({
      path: `/calls/upload/${fixture.owner.uploadId}`,
      headers: SAME_ORIGIN_HEADERS,
    }),
    status: 204,
    writtenTables: ["Upload", "UploadPart"],
    makeInvalidRequest: (random) => ({
      path: `/calls/upload/${encodePathSegment(random, invalidValues.id(random))}`,
      headers: SAME_ORIGIN_HEADERS,
    }),
  },
  "PUT /calls/upload/[id]/[number]": {
    requiredRole: "member",
    isOwnerOnly: true,
    makeValidRequest: ({ fixture }) => ({
      path: `/calls/upload/${fixture.owner.emptyUploadId}/0`,
      headers: { ...SAME_ORIGIN_HEADERS, "content-type": "application/octet-stream" },
      body: fixture.owner.emptyUpload.bytes,
    }),
    status: 204,
    writtenTables: ["UploadPart"],
    makeInvalidRequest: (random, { owner }) => {
      const headers = { ...SAME_ORIGIN_HEADERS, "content-type": "application/octet-stream" };
      const { bytes } = owner.emptyUpload;
      return pick<() => HandlerRequest>(random, [
        () => ({
          path: `/calls/upload/${encodePathSegment(random, invalidValues.id(random))}/0`,
          headers,
          body: bytes,
        }),
        () => ({
          path: `/calls/upload/${owner.emptyUploadId}/${encodePathSegment(random, pick(random, ["-1", "1", "1000000000", "1e9", "x", "0x0", "0.0", " 0", "٠", "9007199254740993", "__proto__"]))}`,
          headers,
          body: bytes,
        }),
        () => ({
          path: `/calls/upload/${owner.emptyUploadId}/0`,
          headers,
          body: bytes.subarray(0, Math.floor(random() * (bytes.length - 1))),
        }),
        () => ({
          path: `/calls/upload/${owner.emptyUploadId}/0`,
          headers,
          body: Buffer.concat([bytes, Buffer.alloc(1 + Math.floor(random() * 100))]),
        }),
        () => ({
          path: `/calls/upload/${owner.emptyUploadId}/0`,
          headers,
          body: Buffer.alloc(PART_BYTES),
        }),
      ])();
    },
  },
};

/** Encodes a value as one path segment. */
export function encodePathSegment(random: Random, value: string | Uint8Array | undefined): string {
  const text =
    typeof value === "string" && value.isWellFormed() ? value.slice(0, 1_500) : randomUuid(random);
  // An empty segment, or one of dots, would change the path.
  return /^\.*$/.test(text) ? "%20" : encodeURIComponent(text);
}

export function makeUploadAnnouncement(bytes: Uint8Array): {
  id: string;
  size: number;
  sha256: string;
} {
  return { id: randomUUID(), size: bytes.length, sha256: sha256(bytes) };
}
