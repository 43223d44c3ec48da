// Generates requests to actions, handlers and pages that are invalid for every sender. The seed
// makes them reproducible.

import { type Random, chance, pick, randomUuid } from "#tests/support/random.ts";
import {
  type InvalidValue,
  INVALID_UTF8,
  NAUGHTY_STRINGS,
  HOSTILE_HEADERS,
  randomJson,
} from "./fuzz-values.ts";
import type { Fields } from "./server-action-request.ts";
import { makeCallParts, makeFormParts } from "./server-action-request.ts";
import type { ActionCase, HandlerCase } from "./cases.ts";
import {
  type AttackRequest,
  SAME_ORIGIN_HEADERS,
  type MultipartPart,
  encodeMultipart,
} from "./attack-client.ts";
import { encodePathSegment } from "./handler-cases.ts";
import { ORIGIN } from "./attack-server.ts";
import type { AttackFixture } from "./attack-fixture.ts";

/**
 * Excludes control characters, which Node refuses to send. requests.spec.ts sends them over a raw
 * socket.
 */
const randomHeaderText = (random: Random) =>
  Buffer.from(pick(random, NAUGHTY_STRINGS).toWellFormed().slice(0, 3_000))
    .toString("latin1")
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, "?");

/** Returns the form's fields with at least one invalid value, and a few unknown fields. */
function makeInvalidFields(
  random: Random,
  validFields: Fields,
  invalidFields: Readonly<Record<string, InvalidValue>>,
): MultipartPart[] {
  const names = Object.keys(invalidFields);
  const invalidNames = new Set([pick(random, names), ...names.filter(() => chance(random, 0.25))]);
  const parts: MultipartPart[] = [];
  for (const [name, value] of Object.entries(validFields)) {
    const sent = invalidNames.has(name) ? invalidFields[name]?.(random) : value;
    if (sent === undefined) continue;
    // Sometimes sends a file where text is expected.
    if (invalidNames.has(name) && chance(random, 0.1))
      parts.push([name, sent, pick(random, ["x.txt", "../../x", "x\u0000.mp3", ""])]);
    else parts.push([name, sent]);
  }
  for (let i = Math.floor(random() * 4); i > 0; i--)
    parts.push([
      pick(random, [
        "__proto__",
        "constructor",
        "toString",
        "userId",
        "role",
        "id[]",
        "$ACTION_ID_x",
        "$ACTION_KEY",
        "",
        "a".repeat(500),
        "\u0000",
      ]).replace(/["\r\n]/g, "_"),
      pick(random, NAUGHTY_STRINGS),
    ]);
  // Duplicates come last, so that the field is invalid whichever value is used.
  if (chance(random, 0.1))
    for (const name of invalidNames) parts.push([name, invalidFields[name]?.(random) ?? ""]);
  return parts;
}

const HOSTILE_FORM_STATES: readonly ((random: Random) => unknown)[] = [
  () => [
    {
      status: "done",
      message: "<script>alert(1)</script>",
      code: "x",
      errors: { email: 7 },
      values: { __proto__: [] },
    },
  ],
  () => [],
  () => null,
  () => ["$F1"],
  () => ["$K1"],
  () => "$1:__proto__:constructor",
  (random) => randomJson(random, 4),
  () => [{ status: "new", then: "$1:then" }],
];

/** Corrupts the encoding of a body. */
function corruptBody(
  random: Random,
  { body, headers }: { body: Buffer; headers: Record<string, string> },
): { body: Buffer; headers: Record<string, string> } {
  const type = headers["content-type"] ?? "";
  return pick<() => { body: Buffer; headers: Record<string, string> }>(random, [
    () => ({ body: body.subarray(0, Math.floor(random() * body.length)), headers }),
    () => ({ body: Buffer.alloc(0), headers }),
    () => ({
      body,
      headers: { ...headers, "content-type": type.replace(/boundary=.*/, "boundary=other") },
    }),
    () => ({ body, headers: { ...headers, "content-type": "multipart/form-data" } }),
    () => ({
      body,
      headers: { ...headers, "content-type": `multipart/form-data; boundary=${"x".repeat(300)}` },
    }),
    () => ({ body, headers: { ...headers, "content-type": "application/x-www-form-urlencoded" } }),
    () => ({ body, headers: { ...headers, "content-type": "text/plain;charset=UTF-8" } }),
    () => ({ body, headers: { ...headers, "content-type": randomHeaderText(random) } }),
    () => ({ body: Buffer.concat([body, body]), headers }),
    () => ({
      body: Buffer.from(body.map((byte, at) => (at % 97 === 13 ? byte ^ 0xff : byte))),
      headers,
    }),
    () => ({
      body: Buffer.from(body.toString("latin1").replaceAll("\r\n", "\n"), "latin1"),
      headers,
    }),
    () => ({
      body: Buffer.from(
        body
          .toString("latin1")
          .replaceAll(
            "form-data",
            pick(random, ["attachment", 'form-data; name="x"', "FORM-DATA; filename*=utf-8''%ff"]),
          ),
        "latin1",
      ),
      headers,
    }),
    () => ({
      body: Buffer.concat(Array.from({ length: 20 }, () => pick(random, INVALID_UTF8))),
      headers,
    }),
    () => ({ body: Buffer.concat([body, Buffer.alloc(1_200_000, "a")]), headers }),
  ])();
}

/**
 * Returns a call of the action with invalid fields, in one of the two encodings, sometimes with a
 * corrupt body.
 */
export function makeInvalidActionRequest(
  random: Random,
  {
    id,
    page,
    validFields,
    invalidFields,
  }: {
    id: string;
    page: string;
    validFields: Fields;
    invalidFields: ActionCase["invalidFields"];
  },
): AttackRequest {
  const parts = makeInvalidFields(random, validFields, invalidFields);
  const isCall = chance(random, 0.6);
  const encoded = isCall
    ? encodeMultipart(
        makeCallParts(
          parts,
          chance(random, 0.75)
            ? undefined
            : pick(random, [
                "[",
                "[]",
                "[1,2]",
                '[null,"$K1"]',
                '[{},"$K9"]',
                '[{},"$F1"]',
                '[{},"$Q1"]',
                '[{},"$1:__proto__"]',
                '[{},"$B1"]',
                '[{},"$n123456789012345678901234567890"]',
                '[{},"$D2026"]',
                '[{},["$K1"]]',
                '{"0":{},"1":"$K1"}',
                `[${"[".repeat(2_000)}${"]".repeat(2_000)},"$K1"]`,
                JSON.stringify([randomJson(random), randomJson(random)]),
              ]),
        ),
      )
    : encodeMultipart(
        makeFormParts(
          id,
          parts,
          chance(random, 0.75) ? undefined : pick(random, HOSTILE_FORM_STATES)(random),
        ),
      );
  const { body, headers } = chance(random, 0.25) ? corruptBody(random, encoded) : encoded;
  return {
    method: "POST",
    path: page,
    body,
    headers: {
      ...headers,
      ...SAME_ORIGIN_HEADERS,
      ...(isCall && { "next-action": id }),
      ...(chance(random, 0.1) && pick(random, HOSTILE_HEADERS)),
      ...(chance(random, 0.03) && {
        origin: pick(random, ["null", "https://evil.example", `${ORIGIN}:1`]),
        "sec-fetch-site": "cross-site",
      }),
    },
  };
}

/** Returns a call of an action that does not exist. */
export function makeUnknownActionRequest(random: Random, page: string): AttackRequest {
  const id = pick(random, [
    `40${randomUuid(random).replaceAll("-", "")}00000000`,
    "x",
    "",
    "__proto__",
    "constructor",
    "0".repeat(42),
    randomHeaderText(random).slice(0, 200),
  ]);
  const isCall = chance(random, 0.6);
  const { body, headers } = encodeMultipart(
    isCall
      ? makeCallParts([["a", "b"]])
      : [
          ["$ACTION_REF_1", ""],
          [
            "$ACTION_1:0",
            pick(random, [
              "{{{",
              JSON.stringify({ id, bound: "$@1" }),
              JSON.stringify({ id, bound: "$@9" }),
              JSON.stringify({ id: randomJson(random), bound: randomJson(random) }),
            ]),
          ],
          ["$ACTION_1:1", "[]"],
        ],
  );
  return {
    method: "POST",
    path: page,
    body,
    headers: { ...headers, ...SAME_ORIGIN_HEADERS, ...(isCall && { "next-action": id }) },
  };
}

/** Returns a GET of a route with hostile parameters, query and headers. No GET may write. */
export function makeHostileGet(random: Random, route: string, validPath: string): AttackRequest {
  const isValidPath = chance(random, 0.3);
  const path = isValidPath
    ? (validPath.split("?")[0] ?? validPath)
    : route.replace(/\[\.{0,3}[^\]]+\]/g, () =>
        encodePathSegment(random, pick(random, NAUGHTY_STRINGS)),
      );
  const query = chance(random, 0.6)
    ? `?${Array.from({ length: 1 + Math.floor(random() * 4) }, () => `${encodeURIComponent(pick(random, ["q", "v", "slug", "to", "next", "token", "page", "before", "__proto__", "a[b]"]))}=${encodeURIComponent(pick(random, NAUGHTY_STRINGS).toWellFormed().slice(0, 3_000))}`).join("&")}`
    : "";
  const headers = {
    ...(chance(random, 0.5) && pick(random, HOSTILE_HEADERS)),
    ...(chance(random, 0.2) && {
      [pick(random, [
        "range",
        "if-none-match",
        "if-modified-since",
        "if-range",
        "accept",
        "referer",
        "user-agent",
        "accept-language",
      ])]: randomHeaderText(random),
    }),
  };
  return { method: chance(random, 0.1) ? "HEAD" : "GET", path: path + query, headers };
}

/** Returns an invalid request to a handler, or null if no request is invalid. */
export function makeInvalidHandlerRequest(
  random: Random,
  name: string,
  handlerCase: HandlerCase,
  validPath: string,
  fixture: AttackFixture,
): AttackRequest | null {
  const [method = "GET", route = "/"] = name.split(" ");
  if (method === "GET") return makeHostileGet(random, route, validPath);
  if (!handlerCase.makeInvalidRequest) return null;
  const { path, headers, body } = handlerCase.makeInvalidRequest(random, fixture);
  return {
    method,
    path,
    headers: { ...headers, ...(chance(random, 0.1) && pick(random, HOSTILE_HEADERS)) },
    ...(body !== undefined && { body }),
  };
}
