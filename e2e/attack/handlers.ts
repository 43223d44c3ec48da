// Every route handler by method and address: who may, what works, what it changes. The build decides whether the table is whole.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { INTERNAL_HEADER, signInternal } from "#lib/base/internal-call.ts";
import { signatureOf } from "#tests/git-host.ts";
import { type Random, anything, bad, chance, pick, strangeId } from "./bad-values.ts";
import type { HandlerCase, HandlerRequest } from "./cases.ts";
import { FROM_OUR_PAGE } from "./http.ts";
import { REPOSITORY, WEBHOOK_SECRET } from "./server.ts";
import { PART_BYTES, wav } from "./world.ts";
import { sha256 } from "./world.ts";

export const JSON_TYPE = { "content-type": "application/json", accept: "application/json" };
const POST_SLUG = "one-door-for-writes";

export const json = (path: string, value: unknown): HandlerRequest => ({
  path,
  headers: { ...JSON_TYPE, ...FROM_OUR_PAGE },
  body: JSON.stringify(value),
});

/** `value` with at least one of its fields replaced by something that is never right there, or no JSON at all. */
export function wrongJson(
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
      () => JSON.stringify(anything(random)).slice(0, 19_000),
      () => Buffer.from([0xff, 0xfe, 0x7b]),
      () => `{"a":${"1".repeat(30_000)}}`,
      () => "null",
    ])();
    return {
      path,
      headers: {
        ...FROM_OUR_PAGE,
        "content-type": pick(random, [
          "application/json",
          "application/json; charset=utf-16",
          "text/plain",
        ]),
      },
      body,
    };
  }
  const wrong: Record<string, unknown> = { ...value };
  const names = Object.keys(value);
  for (const name of [pick(random, names), ...names.filter(() => chance(random, 0.3))]) {
    const others = [
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
      anything(random, 2),
    ];
    const replaced = pick(random, others);
    // Any new id may begin something.
    wrong[name] =
      replaced === value[name] || (typeof replaced === "string" && /^[0-9a-f-]{36}$/.test(replaced))
        ? null
        : replaced;
    if (chance(random, 0.2)) delete wrong[name];
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
    headers: { ...FROM_OUR_PAGE, ...(type && { "content-type": type }) },
    body: JSON.stringify(wrong),
  };
}

const CREDENTIAL = { id: "AAAA", rawId: "AAAA", type: "public-key" };

const open = (path: string): HandlerCase => ({
  who: "anyone",
  status: 200,
  ready: () => ({ path }),
});

function pushed(): HandlerRequest {
  const body = JSON.stringify({
    ref: "refs/heads/main",
    after: sha256(randomUUID()).slice(0, 40),
    repository: { full_name: REPOSITORY },
  });
  return {
    path: "/api/content-webhook",
    body,
    headers: {
      ...JSON_TYPE,
      "x-github-event": "push",
      "x-hub-signature-256": signatureOf(WEBHOOK_SECRET, body),
    },
  };
}

/** A call as another instance with our secret makes it. */
const internal = (path: string, about: string): HandlerRequest => ({
  path,
  headers: { ...JSON_TYPE, [INTERNAL_HEADER]: signInternal(about) },
});
/** What is no such call: another secret's, another minute's, another call's, or none. */
const noSignature = (random: Random): Record<string, string> => {
  const [minute = "", signature = ""] = signInternal("another call").split(".");
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
  return { ...JSON_TYPE, ...(value !== undefined && { [INTERNAL_HEADER]: value }) };
};
const cacheCall = (key: string) => `cache.delete\0${hostname()}\0${key}`;
const deletion = (key: string): HandlerRequest => ({
  ...internal("/internal/cache", cacheCall(key)),
  body: JSON.stringify({ key }),
});

export const HANDLERS: Readonly<Record<string, HandlerCase>> = {
  "GET /atom.xml": open("/atom.xml"),
  "GET /feed.json": open("/feed.json"),
  "GET /feed.xml": open("/feed.xml"),
  "GET /robots.txt": open("/robots.txt"),
  "GET /sitemap.xml": open("/sitemap.xml"),
  "GET /blog/[slug]/markdown": open(`/blog/${POST_SLUG}.md`),
  "GET /blog/[slug]/social.png": open(`/blog/${POST_SLUG}/social.png`),
  "GET /content-file/[...path]": { ...open("/content-file/blog/none.png"), status: 404 },
  "GET /embed-image/[hash]": { ...open("/embed-image/0123456789abcdef"), status: 404 },
  "GET /reads/token": open(`/reads/token?slug=${POST_SLUG}`),
  "GET /calls/feed.xml": open("/calls/feed.xml"),
  "GET /calls/audio/[slug]/[file]": {
    who: "anyone",
    status: 200,
    ready: ({ world }) => ({ path: `/calls/audio/${world.owner.episodeSlug}/call` }),
  },

  "GET /healthz": open("/healthz"),
  "GET /readyz": open("/readyz"),
  "GET /metrics": { who: "anyone", status: 200, ready: () => internal("/metrics", "metrics") },
  // Nothing is replicated here, so nothing is shown of it.
  "GET /cluster/here": { ...open("/cluster/here"), status: 404 },
  "GET /admin/cluster/events": {
    who: "admin",
    status: 204,
    ready: () => ({ path: "/admin/cluster/events" }),
  },
  "GET /internal/status": {
    who: "anyone",
    status: 200,
    ready: () => internal("/internal/status", "status"),
  },
  "POST /internal/cache": {
    who: "anyone",
    fromAnywhere: true,
    ready: () => deletion("no such entry"),
    status: 200,
    changes: [],
    wrong: (random) =>
      pick<() => HandlerRequest>(random, [
        () => ({
          path: "/internal/cache",
          headers: noSignature(random),
          body: JSON.stringify({ key: "no such entry" }),
        }),
        () => ({ ...deletion("no such entry"), body: JSON.stringify({ key: "another entry" }) }),
        () => ({ ...deletion(""), body: JSON.stringify({ key: "" }) }),
        () => ({
          ...deletion("no such entry"),
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
    who: "anyone",
    // Only a token whose time has passed counts; the tokens' own tests have the clock.
    ready: () => json("/reads", { token: "x", slug: POST_SLUG }),
    status: 400,
    changes: [],
    wrong: (random) => wrongJson(random, "/reads", { token: strangeId(random), slug: POST_SLUG }),
  },
  "POST /api/content-webhook": {
    who: "anyone",
    fromAnywhere: true,
    ready: pushed,
    status: 200,
    changes: ["ContentVersion"],
    wrong: (random) => {
      const good = pushed();
      const signature = pick(random, [
        undefined,
        "",
        "sha256=",
        `sha256=${"0".repeat(64)}`,
        `sha1=${"0".repeat(40)}`,
        `sha256=${"é".repeat(32)}`,
        signatureOf("another secret", good.body ?? ""),
        signatureOf(WEBHOOK_SECRET, "another body"),
      ]);
      return {
        ...good,
        headers: {
          ...JSON_TYPE,
          "x-github-event": pick(random, ["push", "ping", "x".repeat(500)]),
          ...(signature !== undefined && {
            "x-hub-signature-256": Buffer.from(signature).toString("latin1"),
          }),
        },
      };
    },
  },

  "POST /login/passkey/options": {
    who: "anyone",
    ready: () => json("/login/passkey/options", {}),
    status: 200,
    changes: ["PasskeyChallenge"],
  },
  "POST /login/passkey/verify": {
    who: "anyone",
    // What works needs an authenticator: the tokens' tests have one. Here nothing was begun.
    ready: () =>
      json("/login/passkey/verify", {
        answer: {
          ...CREDENTIAL,
          response: { clientDataJSON: "e30", authenticatorData: "AA", signature: "AA" },
        },
      }),
    status: 409,
    changes: [],
    wrong: (random) =>
      wrongJson(random, "/login/passkey/verify", {
        answer: { id: strangeId(random), rawId: "x", type: "public-key", response: {} },
      }),
  },

  "GET /login/go": { ...open("/login/go?to=/teams"), status: 303 },
  "POST /me/passkeys/options": {
    who: "member",
    recent: true,
    ready: () => json("/me/passkeys/options", {}),
    status: 200,
    changes: ["PasskeyChallenge"],
  },
  "POST /me/passkeys/verify": {
    who: "member",
    recent: true,
    ready: () =>
      json("/me/passkeys/verify", {
        answer: { ...CREDENTIAL, response: { clientDataJSON: "e30", attestationObject: "AA" } },
      }),
    status: 409,
    changes: [],
    wrong: (random) =>
      wrongJson(random, "/me/passkeys/verify", {
        answer: { id: strangeId(random), rawId: "x", type: "public-key", response: {} },
      }),
  },
  "GET /me/data": { who: "member", status: 200, ready: () => ({ path: "/me/data" }) },

  "POST /calls/upload": {
    who: "member",
    ready: () => json("/calls/upload", announced(wav())),
    status: 200,
    changes: ["Upload"],
    wrong: (random) => wrongJson(random, "/calls/upload", announced(wav(0.6))),
  },
  "GET /calls/recording/[id]": {
    who: "member",
    isOwners: true,
    status: 200,
    ready: ({ world }) => ({ path: `/calls/recording/${world.owner.calls.NEW}` }),
  },
  "GET /admin/calls/[id]/answer": {
    who: "admin",
    status: 200,
    ready: ({ world }) => ({ path: `/admin/calls/${world.owner.calls.ANSWERED}/answer` }),
  },
  "GET /calls/upload/[id]": {
    who: "member",
    isOwners: true,
    status: 200,
    ready: ({ world }) => ({ path: `/calls/upload/${world.owner.uploadId}` }),
  },
  "DELETE /calls/upload/[id]": {
    who: "member",
    isOwners: true,
    alsoForStrangers: true,
    ready: ({ world }) => ({
      path: `/calls/upload/${world.owner.uploadId}`,
      headers: FROM_OUR_PAGE,
    }),
    status: 204,
    changes: ["Upload", "UploadPart"],
    wrong: (random) => ({
      path: `/calls/upload/${pathPart(random, bad.id(random))}`,
      headers: FROM_OUR_PAGE,
    }),
  },
  "PUT /calls/upload/[id]/[number]": {
    who: "member",
    isOwners: true,
    ready: ({ world }) => ({
      path: `/calls/upload/${world.owner.emptyUploadId}/0`,
      headers: { ...FROM_OUR_PAGE, "content-type": "application/octet-stream" },
      body: world.owner.emptyUpload.bytes,
    }),
    status: 204,
    changes: ["UploadPart"],
    wrong: (random, { owner }) => {
      const headers = { ...FROM_OUR_PAGE, "content-type": "application/octet-stream" };
      const { bytes } = owner.emptyUpload;
      return pick<() => HandlerRequest>(random, [
        () => ({
          path: `/calls/upload/${pathPart(random, bad.id(random))}/0`,
          headers,
          body: bytes,
        }),
        () => ({
          path: `/calls/upload/${owner.emptyUploadId}/${pathPart(random, pick(random, ["-1", "1", "1000000000", "1e9", "x", "0x0", "0.0", " 0", "٠", "9007199254740993", "__proto__"]))}`,
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

/** A value as one part of a path: encoded, so that it arrives. */
export function pathPart(random: Random, value: string | Uint8Array | undefined): string {
  const text =
    typeof value === "string" && value.isWellFormed() ? value.slice(0, 1_500) : strangeId(random);
  // Where a path has nothing, or only dots, it would be another path.
  return /^\.*$/.test(text) ? "%20" : encodeURIComponent(text);
}

export function announced(bytes: Uint8Array): { id: string; size: number; sha256: string } {
  return { id: randomUUID(), size: bytes.length, sha256: sha256(bytes) };
}
