import { createHash, randomUUID } from "node:crypto";
import { beforeEach, expect, test, vi } from "vitest";
import { GET as getState, DELETE as discard } from "./[id]/route.ts";
import { PUT as putPart } from "./[id]/[number]/route.ts";
import { POST as begin } from "./route.ts";
import { makeOpusWebm } from "#tests/support/audio.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type LoggedInMember, logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { MAX_ANSWER_BYTES, MAX_CALL_BYTES } from "#lib/calls/audio/probe.ts";
import {
  PART_BYTES,
  assembleUpload,
  completeUpload,
  putPart as storePart,
} from "#lib/calls/upload.ts";
import { read, write } from "#lib/db/database.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

const ORIGIN = "http://localhost:3000";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
/** Two parts: 524,288 bytes and the rest. */
const RECORDING = makeOpusWebm({ seconds: 90, seed: 7 });
const part = (number: number, of: Uint8Array = RECORDING) =>
  of.slice(number * PART_BYTES, (number + 1) * PART_BYTES);

let ada: LoggedInMember;
let eve: LoggedInMember;
beforeEach(async () => {
  ada = await logInMember();
  eve = await logInMember();
});

interface RequestOptions {
  who?: LoggedInMember | null;
  body?: BodyInit | null;
  headers?: Record<string, string>;
}
function request(
  method: string,
  path: string,
  { who = ada, body, headers = {} }: RequestOptions = {},
): Request {
  currentRequest.cookie = who?.cookie ?? "";
  return new Request(`${ORIGIN}${path}`, {
    method,
    body,
    headers: {
      host: "localhost:3000",
      origin: ORIGIN,
      "sec-fetch-site": "same-origin",
      accept: "application/json",
      ...headers,
    },
    ...(body instanceof ReadableStream && { duplex: "half" }),
  } as RequestInit);
}
const post = (announced: unknown, options: RequestOptions = {}) =>
  begin(
    request("POST", "/calls/upload", {
      body: typeof announced === "string" ? announced : JSON.stringify(announced),
      ...options,
    }),
  );
const state = (id: string, options: RequestOptions = {}) =>
  getState(request("GET", `/calls/upload/${id}`, options), { params: Promise.resolve({ id }) });
const remove = (id: string, options: RequestOptions = {}) =>
  discard(request("DELETE", `/calls/upload/${id}`, options), { params: Promise.resolve({ id }) });
const put = (
  id: string,
  number: number | string,
  body: BodyInit | null,
  options: RequestOptions = {},
) =>
  putPart(request("PUT", `/calls/upload/${id}/${number}`, { body, ...options }), {
    params: Promise.resolve({ id, number: String(number) }),
  });
const announce = (bytes: Uint8Array = RECORDING, id: string = randomUUID()) => ({
  id,
  size: bytes.length,
  sha256: sha256(bytes),
});
async function createTestUpload(bytes = RECORDING, options: RequestOptions = {}): Promise<string> {
  const announced = announce(bytes);
  expect((await post(announced, options)).status).toBe(200);
  return announced.id;
}
const rows = () =>
  read(async (tx) => ({
    uploads: (
      await tx.upload.findMany({ select: { id: true }, orderBy: { createdAt: "asc" } })
    ).map(({ id }) => id),
    parts: await tx.uploadPart.count(),
  }));
async function refused(answer: Promise<Response> | Response, status: number, message: RegExp) {
  const response = await answer;
  const { message: text } = (await response.json()) as { message: string };
  expect([response.status, response.headers.get("cache-control"), text]).toEqual([
    status,
    "no-store",
    expect.stringMatching(message),
  ]);
  return response;
}

test("parts can be uploaded in any order", async () => {
  const announced = announce();
  const first = await post(announced);
  expect([first.status, first.headers.get("cache-control"), await first.json()]).toEqual([
    200,
    "no-store",
    { id: announced.id, size: RECORDING.length, partBytes: 524_288, parts: 2, received: [] },
  ]);
  expect((await put(announced.id, 1, part(1))).status).toBe(204);
  expect(await (await state(announced.id)).json()).toMatchObject({ received: [1] });
  expect((await put(announced.id, 0, part(0))).status).toBe(204);
  expect(await (await post(announced)).json()).toMatchObject({ received: [0, 1] });
  expect(
    Buffer.from(
      await read((tx) => assembleUpload(tx, { id: announced.id, member: ada.member })),
    ).equals(Buffer.from(RECORDING)),
  ).toBe(true);
});

test("uploading a part is idempotent, also concurrently", async () => {
  const id = await createTestUpload();
  const answers = await Promise.all(Array.from({ length: 4 }, () => put(id, 0, part(0))));
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
  expect((await put(id, 0, part(0))).status).toBe(204);
  expect((await rows()).parts).toBe(1);
});

test("a corrupted part can't be replaced: the hash fails, and the recording needs a new id", async () => {
  const id = await createTestUpload();
  await put(id, 0, new Uint8Array(PART_BYTES));
  await put(id, 1, part(1));
  await expect(read((tx) => assembleUpload(tx, { id, member: ada.member }))).rejects.toMatchObject({
    code: "invalid",
    field: "audio",
  });
  await refused(put(id, 0, part(0)), 409, /Part 0 was already stored with other bytes/);
  const first = await read((tx) =>
    tx.uploadPart.findUniqueOrThrow({ where: { uploadId_number: { uploadId: id, number: 0 } } }),
  );
  expect(Buffer.from(first.bytes).equals(Buffer.alloc(PART_BYTES))).toBe(true);
  expect((await remove(id)).status).toBe(204);
  const again = await createTestUpload();
  for (const number of [0, 1]) expect((await put(again, number, part(number))).status).toBe(204);
  expect(
    await read(async (tx) => (await assembleUpload(tx, { id: again, member: ada.member })).length),
  ).toBe(RECORDING.length);
});

test("a member can upload 600 parts an hour, including repeated ones", async () => {
  setClock(nowMs());
  const id = await createTestUpload();
  const last = { id, number: 1, bytes: part(1) };
  await write(async (tx) => {
    for (let i = 0; i < 600; i++) await storePart(tx, { ...last, member: ada.member });
  });
  const refusal = await refused(put(id, 1, part(1)), 429, /Hourly upload limit reached/);
  expect(Number(refusal.headers.get("retry-after"))).toBeGreaterThan(3_500);
  const theirs = await createTestUpload(RECORDING, { who: eve });
  expect((await put(theirs, 1, part(1), { who: eve })).status).toBe(204);
  setClock(nowMs() + HOUR_MS);
  expect((await put(id, 1, part(1))).status).toBe(204);
});

test("an incomplete upload is a conflict", async () => {
  const id = await createTestUpload();
  await put(id, 1, part(1));
  await expect(read((tx) => assembleUpload(tx, { id, member: ada.member }))).rejects.toMatchObject({
    code: "conflict",
    field: "audio",
    message: expect.stringMatching(/1 of 2 parts .* upload the rest/),
  });
});

test("an id belongs to one recording of one member", async () => {
  const announced = announce();
  await post(announced);
  await refused(post({ ...announced, size: announced.size + 1 }), 409, /another upload/);
  await refused(post({ ...announced, sha256: "0".repeat(64) }), 409, /another upload/);
  await refused(post(announced, { who: eve }), 409, /another upload/);
  expect((await rows()).uploads).toEqual([announced.id]);
});

test("only members can upload", async () => {
  const id = await createTestUpload();
  for (const who of [null, { ...ada, cookie: "session=forged" }]) {
    await refused(post(announce(), { who }), 401, /Log in/);
    await refused(state(id, { who }), 401, /Log in/);
    await refused(put(id, 0, part(0), { who }), 401, /Log in/);
    await refused(remove(id, { who }), 401, /Log in/);
  }
  expect(await rows()).toEqual({ uploads: [id], parts: 0 });
});

test("another member's upload is not found, not even for an admin", async () => {
  const id = await createTestUpload();
  for (const who of [eve, await logInMember({ role: "ADMIN" })]) {
    const [theirs, none] = await Promise.all([state(id, { who }), state(randomUUID(), { who })]);
    expect([theirs.status, await theirs.text()]).toEqual([404, await none.text()]);
    await refused(put(id, 0, part(0), { who }), 404, /This upload doesn’t exist/);
    expect((await remove(id, { who })).status).toBe(204);
  }
  expect(await rows()).toEqual({ uploads: [id], parts: 0 });
});

test("cross-site requests can't upload or discard (CSRF)", async () => {
  const id = await createTestUpload();
  for (const headers of [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }]) {
    await refused(post(announce(), { headers }), 403, /didn't come from this site/);
    await refused(put(id, 0, part(0), { headers }), 403, /didn't come from/);
    await refused(remove(id, { headers }), 403, /didn't come from/);
  }
  expect(await rows()).toEqual({ uploads: [id], parts: 0 });
});

test("a session revoked during an upload stores nothing", async () => {
  const id = await createTestUpload();
  const reading = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const body = new ReadableStream(
    {
      async pull(controller) {
        reading.resolve();
        await gate.promise;
        controller.enqueue(part(0));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const answer = put(id, 0, body);
  await reading.promise;
  await write((tx) => tx.session.deleteMany());
  gate.resolve();
  await refused(answer, 401, /Log in/);
  expect((await rows()).parts).toBe(0);
});

const announcements: [string, unknown, number, RegExp][] = [
  ["text", "hello", 400, /must be JSON/],
  ["nothing", "", 400, /must be JSON/],
  ["null", "null", 400, /must be/],
  ["a list", [], 400, /must be/],
  ["no id", { size: 1, sha256: "0".repeat(64) }, 400, /id is missing/],
  ["an id that is no UUID", { ...announce(), id: "../../etc" }, 400, /is invalid/],
  ["no size", { ...announce(), size: undefined }, 400, /size must be/],
  ["an empty recording", { ...announce(), size: 0 }, 400, /empty/],
  ["less than nothing", { ...announce(), size: -1 }, 400, /empty/],
  ["half a byte", { ...announce(), size: 1.5 }, 400, /whole number/],
  ["a size out of this world", { ...announce(), size: 1e300 }, 400, /whole number/],
  ["a size in words", { ...announce(), size: "100" }, 400, /whole number/],
  ["a malformed hash", { ...announce(), sha256: "abc" }, 400, /64 hex digits/],
  [
    "more than a call may have",
    { ...announce(), size: MAX_CALL_BYTES + 1 },
    413,
    /The limit is 5.2 MB/,
  ],
  [
    "more than anything may have",
    { ...announce(), size: MAX_ANSWER_BYTES + 1 },
    413,
    /The limit is/,
  ],
  [
    "more than 1 kB of words",
    JSON.stringify({ ...announce(), id: "x".repeat(2_000) }),
    413,
    /1024 bytes/,
  ],
];
for (const [what, body, status, message] of announcements) {
  test(`an announcement of ${what} is refused, and nothing is stored`, async () => {
    await refused(post(body), status, message);
    expect((await rows()).uploads).toEqual([]);
  });
}

test("a field that a newer page adds to an announcement is ignored", async () => {
  const announced = announce();
  expect((await post({ ...announced, duration: 1, userId: "another" })).status).toBe(200);
  const { userId } = await read((tx) =>
    tx.upload.findFirstOrThrow({ where: { id: announced.id } }),
  );
  expect(userId).toBe(ada.id);
});

test("an admin can announce an answer of 16 MiB", async () => {
  const who = await logInMember({ role: "ADMIN" });
  expect(
    await (await post({ ...announce(), size: MAX_ANSWER_BYTES }, { who })).json(),
  ).toMatchObject({ parts: 32 });
});

for (const number of ["2", "-1", "1.0", "0x0", "1e0", "99999999", "", "a", "__proto__", "00000"]) {
  test(`part ${JSON.stringify(number)} is not found`, async () => {
    const id = await createTestUpload();
    await refused(put(id, number, part(1)), 404, /has the parts 0 to 1/);
    expect((await rows()).parts).toBe(0);
  });
}

test("a part of the wrong size is refused", async () => {
  const id = await createTestUpload();
  await refused(
    put(id, 0, part(0).slice(1)),
    400,
    /Part 0 must have 524288 bytes; received 524287/,
  );
  await refused(put(id, 0, null), 400, /received 0/);
  await refused(put(id, 1, part(0)), 413, /larger than/);
  await refused(put(id, 0, new Uint8Array(PART_BYTES + 1)), 413, /larger than 524288 bytes/);
  expect((await rows()).parts).toBe(0);
});

test("a wrong Content-Length is detected", async () => {
  const id = await createTestUpload();
  const pieces = (...sizes: number[]) =>
    new ReadableStream({
      start: (controller) => (
        sizes.forEach((size) => controller.enqueue(new Uint8Array(size))),
        controller.close()
      ),
    });
  await refused(
    put(id, 0, pieces(100), { headers: { "content-length": String(PART_BYTES) } }),
    400,
    /received 100/,
  );
  await refused(
    put(id, 0, pieces(PART_BYTES, PART_BYTES), {
      headers: { "content-length": String(PART_BYTES) },
    }),
    413,
    /larger than/,
  );
  await refused(put(id, 0, pieces(PART_BYTES, 1)), 413, /larger than/);
  await refused(
    put(id, 0, pieces(PART_BYTES), { headers: { "content-length": "1" } }),
    400,
    /received 1\./,
  );
  expect((await rows()).parts).toBe(0);
});

test("four parts of a member are read concurrently, independent of other members", async () => {
  const id = await createTestUpload();
  const theirs = await createTestUpload(RECORDING, { who: eve });
  const stops: (() => void)[] = [];
  const stuck = () =>
    new ReadableStream({
      start: (controller) => void stops.push(() => controller.error(new Error("gone"))),
    });
  const waiting = Array.from({ length: 4 }, () => put(id, 0, stuck()));
  await vi.waitFor(async () => {
    const fifth = await put(id, 1, part(1));
    expect(fifth.status).toBe(429);
  }, 10_000);
  expect((await put(theirs, 0, part(0), { who: eve })).status).toBe(204);
  for (const stop of stops) stop();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  expect((await put(id, 0, part(0))).status).toBe(204);
});

test("a stalled body times out", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const id = await createTestUpload();
    let isRead = false;
    const answer = put(
      id,
      0,
      new ReadableStream({
        pull: (controller) =>
          isRead
            ? new Promise<void>(() => {})
            : ((isRead = true), controller.enqueue(new Uint8Array(10))),
      }),
    );
    // The timer is set once the body is being read.
    await vi.waitUntil(() => isRead && vi.getTimerCount() > 0, 10_000);
    await vi.advanceTimersByTimeAsync(60_000);
    await refused(answer, 408, /took too long/);
  } finally {
    vi.useRealTimers();
  }
});

test("a member can have three open uploads; those older than 15 minutes are evicted", async () => {
  const ids = [
    await createTestUpload(makeOpusWebm({ seconds: 1, seed: 1 })),
    await createTestUpload(makeOpusWebm({ seconds: 1, seed: 2 })),
    await createTestUpload(makeOpusWebm({ seconds: 1, seed: 3 })),
  ];
  const response = await refused(
    post(announce(makeOpusWebm({ seconds: 1, seed: 4 }))),
    429,
    /other uploads in progress/,
  );
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(14 * 60);
  await createTestUpload(RECORDING, { who: eve });
  setClock(nowMs() + 16 * MINUTE_MS);
  const fourth = await createTestUpload(makeOpusWebm({ seconds: 1, seed: 4 }));
  const { uploads } = await rows();
  expect([
    uploads.includes(ids[0]!),
    uploads.includes(ids[1]!),
    uploads.includes(fourth),
    uploads.length,
  ]).toEqual([false, true, true, 4]);
});

test("concurrent announcements respect the limit of three", async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => post(announce(makeOpusWebm({ seconds: 1, seed: i })))),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
  expect((await rows()).uploads).toHaveLength(3);
});

test("open uploads are limited to 40 MB", async () => {
  const who = await logInMember({ role: "ADMIN" });
  for (let i = 0; i < 2; i++)
    expect((await post({ ...announce(), size: MAX_ANSWER_BYTES }, { who })).status).toBe(200);
  await refused(
    post({ ...announce(), size: 7_000_000 }, { who }),
    429,
    /other uploads in progress/,
  );
  expect((await post({ ...announce(), size: 6_000_000 }, { who })).status).toBe(200);
});

test("uploads are limited to 60 a day, including discarded ones", async () => {
  for (let i = 0; i < 60; i++)
    expect(
      (await remove(await createTestUpload(makeOpusWebm({ seconds: 0.5, seed: i })))).status,
    ).toBe(204);
  await refused(post(announce()), 429, /Daily upload limit reached/);
  expect((await post(announce(), { who: eve })).status).toBe(200);
  setClock(nowMs() + DAY_MS + 1);
  expect((await post(announce())).status).toBe(200);
});

test("discarding deletes the parts and is idempotent", async () => {
  const id = await createTestUpload();
  await put(id, 0, part(0));
  for (let i = 0; i < 2; i++) expect((await remove(id)).status).toBe(204);
  expect(await rows()).toEqual({ uploads: [], parts: 0 });
  await refused(put(id, 0, part(0)), 404, /This upload doesn’t exist/);
});

test("creating an upload deletes uploads older than a day", async () => {
  const old: string[] = [];
  for (let i = 0; i < 3; i++)
    old.push(await createTestUpload(makeOpusWebm({ seconds: 1, seed: i })));
  await put(old[0]!, 0, makeOpusWebm({ seconds: 1, seed: 0 }));
  setClock(nowMs() + DAY_MS - MINUTE_MS);
  const late = await createTestUpload(RECORDING, { who: eve });
  expect((await rows()).uploads).toEqual([...old, late]);
  setClock(nowMs() + 2 * MINUTE_MS);
  const newest = await createTestUpload(makeOpusWebm({ seconds: 1, seed: 9 }), { who: eve });
  expect(await rows()).toEqual({ uploads: [late, newest], parts: 0 });
});

test("an upload that became a call is complete and read-only", async () => {
  const announced = announce();
  await post(announced);
  await put(announced.id, 0, part(0));
  await put(announced.id, 1, part(1));
  await write(async (tx) => {
    const { createdAt } = await tx.upload.findUniqueOrThrow({ where: { id: announced.id } });
    await completeUpload(tx, {
      uploadId: announced.id,
      createdAt,
      member: ada.member,
      callId: "a-call",
      contentType: "audio/webm",
    });
  });
  expect((await rows()).parts).toBe(2);
  expect(await (await post(announced)).json()).toMatchObject({ received: [0, 1] });
  expect((await put(announced.id, 0, part(0))).status).toBe(204);
  expect((await remove(announced.id)).status).toBe(204);
  expect(await rows()).toEqual({ uploads: [announced.id], parts: 2 });
});

test("uploads are deleted with the account", async () => {
  await put(await createTestUpload(), 0, part(0));
  await write((tx) => tx.user.delete({ where: { id: ada.id } }));
  expect(await rows()).toEqual({ uploads: [], parts: 0 });
});

test("without a primary nothing is read or stored", async () => {
  const id = await createTestUpload();
  overrideEnv({ REPLICATION: "on" });
  const stuck = new ReadableStream({ pull: () => new Promise(() => {}) });
  // Each waits two seconds for a primary.
  const answers = await Promise.all([post(announce()), state(id), put(id, 0, stuck), remove(id)]);
  overrideEnv({ REPLICATION: undefined });
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
  expect(await rows()).toEqual({ uploads: [id], parts: 0 });
});
