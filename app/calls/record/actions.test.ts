import { createHash, randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { draftOwnerId } from "#lib/calls/draft-owner-id.ts";
import { submitCall } from "./actions.ts";
import { readAudioFixture, makeOpusWebm, makeToneWav, toDataUrl } from "#tests/support/audio.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type LoggedInMember, logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { type FormState, INITIAL_FORM_STATE } from "#lib/http/form-state.ts";
import { DAY_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { findCallAudio } from "#lib/calls/recording.ts";
import { prepareRecording, submitCall as storeCall } from "#lib/calls/submit.ts";
import { PART_BYTES, deleteExpiredUploads } from "#lib/calls/upload.ts";
import { read, write } from "#lib/db/database.ts";
import { listLocalMailbox } from "#lib/outbound/mail/local-mailbox.ts";
import { runDueDeliveries, listDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { exportAccount } from "#lib/members/export-account.ts";
import type { Member } from "#lib/members/member.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

let ada: LoggedInMember;
let eve: LoggedInMember;
beforeEach(async () => {
  ada = await logInMember({ firstName: "Ada" });
  eve = await logInMember();
  await logInMember({ role: "ADMIN", email: "grace@example.test", createdAt: 1 });
  await logInMember({ role: "ADMIN", email: "linus@example.test", createdAt: 2 });
  currentRequest.headers = {
    host: "localhost:3000",
    origin: "http://localhost:3000",
    "sec-fetch-site": "same-origin",
  };
});

// Deliveries finish before the database of the test is deleted.
afterEach(() => runDueDeliveries());

const fields = (overrides: Record<string, string> = {}) => ({
  id: randomUUID(),
  title: "How do I begin?",
  description: "I want to begin, but I never know where.",
  keywords: "beginning, courage",
  ...overrides,
});

/** Submits the form. Returns the target of the redirect, or the form state. */
async function submit(
  overrides: Record<string, string> = {},
  member: LoggedInMember | null = ada,
): Promise<string | FormState> {
  currentRequest.cookie = member?.cookie ?? "";
  const form = new FormData();
  for (const [name, value] of Object.entries(fields(overrides))) form.append(name, value);
  try {
    return await submitCall(INITIAL_FORM_STATE, form);
  } catch (error) {
    const digest = (error as { digest?: string }).digest ?? "";
    if (!digest.startsWith("NEXT_REDIRECT;")) throw error;
    return digest.split(";")[2]!;
  }
}

async function upload(
  bytes: Uint8Array,
  {
    member = ada,
    skip = -1,
    sha256 = createHash("sha256").update(bytes).digest("hex"),
  }: { member?: LoggedInMember; skip?: number; sha256?: string } = {},
): Promise<string> {
  const id = randomUUID();
  await write(async (tx) => {
    await tx.upload.create({
      data: { id, userId: member.id, createdAt: new Date(nowMs()), size: bytes.length, sha256 },
    });
    for (let number = 0; number * PART_BYTES < bytes.length; number++) {
      if (number !== skip)
        await tx.uploadPart.create({
          data: {
            uploadId: id,
            number,
            bytes: bytes.slice(number * PART_BYTES, (number + 1) * PART_BYTES),
          },
        });
    }
  });
  return id;
}

const stored = () =>
  read(async (tx) => {
    const uploads = await tx.upload.findMany({
      select: { id: true, callId: true, contentType: true },
    });
    const calls = await tx.call.findMany({
      orderBy: { createdAt: "asc" },
      include: { review: true },
    });
    return {
      calls: calls.map(({ review, ...call }) => {
        const upload = uploads.find(({ callId }) => callId === call.id);
        return {
          ...call,
          contentType: upload?.contentType ?? null,
          uploadId: upload?.id ?? null,
          state: review!.state,
          durationMs: review!.durationMs,
        };
      }),
      parts: await tx.uploadPart.count(),
      uploads: uploads.map(({ id, callId }) => ({ id, callId })),
      deliveries: (await listDeliveries(tx)).map(({ about }) => about),
    };
  });
const refusal = (state: string | FormState) =>
  typeof state === "string" ? state : [state.status, state.code, state.errors];

test("the parts of an upload become the recording of a call", async () => {
  const bytes = makeOpusWebm({ seconds: 90 });
  const uploadId = await upload(bytes);
  const id = randomUUID();
  expect(
    await submit({
      id,
      uploadId,
      title: "  How  do I begin? ",
      description: "One line.\r\nAnother one, which is longer.",
    }),
  ).toBe(`/calls/mine?sent=${id}`);
  const { calls, parts, uploads } = await stored();
  expect(calls).toMatchObject([
    {
      id,
      title: "How do I begin?",
      description: "One line.\nAnother one, which is longer.",
      keywords: "beginning, courage",
      userId: ada.id,
      state: "NEW",
      durationMs: 90_000,
    },
  ]);
  expect(calls[0]).toMatchObject({ contentType: "audio/webm", uploadId });
  const recording = await read((tx) => findCallAudio(tx, id));
  expect(Buffer.from(recording!.bytes).equals(Buffer.from(bytes))).toBe(true);
  expect([parts, uploads]).toEqual([2, [{ id: uploadId, callId: id }]]);
});

test("a recording outlives the expiry of uploads, is exported, and is deleted with its call", async () => {
  const bytes = makeOpusWebm({ seconds: 90 });
  const id = randomUUID();
  await submit({ id, uploadId: await upload(bytes) });
  await write((tx) => deleteExpiredUploads(tx, nowMs() + 2 * DAY_MS));
  expect((await stored()).parts).toBe(2);

  const pieces: string[] = [];
  for await (const piece of exportAccount(ada.id)) pieces.push(piece);
  const { calls } = JSON.parse(pieces.join("")) as { calls: { audio: string }[] };
  expect(calls.map(({ audio }) => audio)).toEqual([toDataUrl("audio/webm", bytes)]);

  await write((tx) => tx.call.delete({ where: { id } }));
  expect(await stored()).toMatchObject({ parts: 0, uploads: [{ callId: id }] });
  await write((tx) => deleteExpiredUploads(tx, nowMs() + 2 * DAY_MS));
  expect((await stored()).uploads).toEqual([]);
});

test("the caller gets a receipt and every admin an email with a link; the webhook is called if there is one", async () => {
  overrideEnv({ DISCORD_WEBHOOK_URL: "http://127.0.0.1:9/hook" });
  const id = randomUUID();
  // Not through the action, which triggers the deliveries.
  const member: Member = {
    id: ada.id,
    firstName: "Ada",
    team: "RED",
    role: "MEMBER",
    sessionKey: "",
    loggedInAtMs: nowMs(),
  };
  const payloads = await write(async (tx) => {
    await storeCall(tx, {
      ...fields(),
      id,
      title: "A <b>bold</b> question",
      uploadId: null,
      recording: null,
      member,
    });
    return tx.delivery.findMany({
      select: { payload: true, userId: true },
      orderBy: { id: "asc" },
    });
  });
  overrideEnv({ DISCORD_WEBHOOK_URL: undefined });
  const deliveries = payloads.map(
    ({ payload }) =>
      JSON.parse(payload) as {
        kind: string;
        mail?: { to: string; subject: string; parts: unknown[] };
        text?: string;
      },
  );
  expect(deliveries.map(({ kind, mail }) => [kind, mail?.to])).toEqual([
    ["MAIL", `${ada.id}@example.test`],
    ["MAIL", "grace@example.test"],
    ["MAIL", "linus@example.test"],
    ["DISCORD", undefined],
  ]);
  expect(deliveries[0]!.mail).toMatchObject({
    subject: "We received your call “A <b>bold</b> question”",
    parts: [
      "Hi Ada,",
      expect.stringContaining("read it"),
      expect.any(String),
      { link: "http://localhost:3000/calls/mine", label: "Your calls" },
    ],
  });
  expect(deliveries[1]!.mail).toEqual({
    to: "grace@example.test",
    subject: "New call: A <b>bold</b> question",
    parts: [
      "Ada asked a question: A <b>bold</b> question",
      "I want to begin, but I never know where.",
      { link: `http://localhost:3000/admin/calls/${id}`, label: "Read and answer" },
    ],
  });
  // Nothing about the caller, who agreed to nothing there.
  expect(deliveries[3]!.text).toBe(`New call\nhttp://localhost:3000/admin/calls/${id}`);
  expect(payloads.every(({ userId }) => userId === ada.id)).toBe(true);
});

test("emails are sent after the commit, without blocking the response", async () => {
  await submit();
  await vi.waitFor(
    async () =>
      expect(
        listLocalMailbox(5)
          .map(({ to, subject }) => [to, subject])
          .sort(),
      ).toEqual(
        [
          [`${ada.id}@example.test`, "We received your call “How do I begin?”"],
          ["grace@example.test", "New call: How do I begin?"],
          ["linus@example.test", "New call: How do I begin?"],
        ].sort(),
      ),
    { timeout: 5_000 },
  );
});

test("empty and duplicate keywords are removed before the length is checked", async () => {
  await submit({ keywords: ` Redis,, redis , REDIS,SQLite,${", ".repeat(60)}` });
  expect((await stored()).calls).toMatchObject([{ keywords: "Redis, SQLite" }]);
});

test("a question can be typed", async () => {
  for (const uploadId of [undefined, ""])
    expect(await submit(uploadId === undefined ? {} : { uploadId })).toMatch(
      /^\/calls\/mine\?sent=/,
    );
  expect((await stored()).calls).toMatchObject([
    { contentType: null, durationMs: null, state: "NEW" },
    { contentType: null },
  ]);
});

test("the content type is detected from the bytes", async () => {
  await submit({ uploadId: await upload(readAudioFixture("tone.m4a")) });
  await submit({ uploadId: await upload(readAudioFixture("tone.mp3")) });
  expect((await stored()).calls.map(({ contentType }) => contentType)).toEqual([
    "audio/mp4",
    "audio/mpeg",
  ]);
});

test("the same form submitted repeatedly and concurrently makes one call", async () => {
  const id = randomUUID();
  const uploadId = await upload(makeOpusWebm({ seconds: 2 }));
  const answers = await Promise.all([
    submit({ id, uploadId }),
    submit({ id, uploadId }),
    submit({ id, uploadId }),
  ]);
  expect([...answers, await submit({ id, uploadId })]).toEqual(
    Array(4).fill(`/calls/mine?sent=${id}`),
  );
  const { calls, uploads } = await stored();
  expect([calls.length, uploads]).toEqual([1, [{ id: uploadId, callId: id }]]);
});

test("a recording that is sent by another form redirects to its existing call", async () => {
  const uploadId = await upload(makeOpusWebm({ seconds: 2 }));
  const first = await submit({ uploadId });
  const others = await Promise.all([submit({ uploadId }), submit({ uploadId })]);
  expect(others).toEqual([first, first]);
  expect((await stored()).calls).toHaveLength(1);
});

test("two concurrent forms with the same recording make one call", async () => {
  const uploadId = await upload(makeOpusWebm({ seconds: 2 }));
  const [first, second] = await Promise.all([submit({ uploadId }), submit({ uploadId })]);
  expect(first).toBe(second);
  expect((await stored()).calls).toHaveLength(1);
});

test("a second recording from the same form is dropped, and the call stays", async () => {
  const id = randomUUID();
  await submit({ id, uploadId: await upload(makeOpusWebm({ seconds: 2 })) });
  const secondUploadId = await upload(makeOpusWebm({ seconds: 3 }));
  expect(await submit({ id, uploadId: secondUploadId })).toBe(`/calls/mine?sent=${id}`);
  const { calls, uploads, parts } = await stored();
  expect([calls.length, calls[0]!.durationMs, uploads.length, parts]).toEqual([1, 2_000, 1, 1]);
});

test("only a member can leave a call", async () => {
  for (const member of [null, { ...ada, cookie: "session=forged" }])
    expect(refusal(await submit({}, member))).toEqual(["refused", "unauthorized", {}]);
  currentRequest.headers["sec-fetch-site"] = "cross-site";
  expect(refusal(await submit())).toEqual(["refused", "forbidden", {}]);
  expect((await stored()).calls).toEqual([]);
});

test("another member's upload is not found, and another member's form is refused", async () => {
  const uploadId = await upload(makeOpusWebm({ seconds: 2 }), { member: eve });
  expect(refusal(await submit({ uploadId }))).toEqual([
    "refused",
    "not_found",
    { audio: expect.any(String) },
  ]);
  expect((await stored()).parts).toBe(1);
  const id = randomUUID();
  await submit({ id }, eve);
  expect(refusal(await submit({ id }))).toEqual(["refused", "conflict", {}]);
  expect((await stored()).calls).toMatchObject([{ userId: eve.id }]);
});

const invalidFields: [string, Record<string, string>, string][] = [
  ["a title of 4", { title: "Why?" }, "title"],
  ["a title of 51", { title: "x".repeat(51) }, "title"],
  ["a title of spaces", { title: "        " }, "title"],
  ["a title with a control character", { title: "Hello\u0007 there" }, "title"],
  ["a description of 19", { description: "x".repeat(19) }, "description"],
  ["a description of 1,001", { description: "x".repeat(1_001) }, "description"],
  ["a keyword of 1", { keywords: "x" }, "keywords"],
  ["keywords of 101", { keywords: "x".repeat(101) }, "keywords"],
  ["no keywords", { keywords: "" }, "keywords"],
  ["keywords of commas only", { keywords: ", ,," }, "keywords"],
  ["an id that is no UUID", { id: "call-1" }, "id"],
  ["an upload id that is no UUID", { uploadId: "'; DROP TABLE" }, "uploadId"],
];
for (const [label, overrides, field] of invalidFields) {
  test(`${label} is an error of its field, and all input is kept`, async () => {
    const state = (await submit(overrides)) as FormState;
    expect([state.status, Object.keys(state.errors)]).toEqual(["refused", [field]]);
    expect(state.values).toMatchObject({ keywords: "beginning, courage", ...overrides });
    expect((await stored()).calls).toEqual([]);
  });
}

test("a page that another member opened is refused after a switch of accounts", async () => {
  const before = await stored();
  expect(await submit({ owner: draftOwnerId({ id: "another-member" }) })).toMatchObject({
    status: "refused",
    code: "conflict",
  });
  expect(await stored()).toEqual(before);
  expect(await submit({ owner: draftOwnerId(ada) })).toMatch(/^\/calls\/mine/);
});

test("the shortest and longest allowed values are accepted", async () => {
  const fitting: Record<string, string>[] = [
    { title: "x".repeat(5), description: "x".repeat(20), keywords: "xx" },
    { title: "x".repeat(50), description: "x".repeat(1_000), keywords: "x".repeat(100) },
    { title: "😀".repeat(50) },
  ];
  for (const overrides of fitting) expect(await submit(overrides)).toMatch(/^\/calls\/mine/);
});

test("invalid fields keep the upload", async () => {
  const uploadId = await upload(makeOpusWebm({ seconds: 2 }));
  expect(refusal(await submit({ uploadId, title: "x" }))).toEqual([
    "refused",
    "invalid",
    { title: expect.any(String) },
  ]);
  expect(await submit({ uploadId })).toMatch(/^\/calls\/mine/);
});

test("an incomplete upload is refused and kept", async () => {
  const uploadId = await upload(makeOpusWebm({ seconds: 90 }), { skip: 0 });
  expect(refusal(await submit({ uploadId }))).toEqual([
    "refused",
    "conflict",
    { audio: expect.any(String) },
  ]);
  expect((await stored()).parts).toBe(1);
});

const invalidRecordings: [string, () => Uint8Array, string][] = [
  ["a video", () => readAudioFixture("film.webm"), "invalid"],
  [
    "a text called .webm",
    () => new TextEncoder().encode("I am a recording, believe me."),
    "invalid",
  ],
  ["a recording of 121.5 seconds", () => makeOpusWebm({ seconds: 121.5 }), "invalid"],
  ["a truncated recording", () => readAudioFixture("tone.m4a").subarray(0, 3_000), "invalid"],
  [
    "a recording as large as an answer",
    () => makeToneWav({ seconds: 60, rate: 96_000 }),
    "too_large",
  ],
];
for (const [label, bytes, code] of invalidRecordings) {
  test(`${label} makes no call, and the upload is deleted`, async () => {
    expect(refusal(await submit({ uploadId: await upload(bytes()) }))).toEqual([
      "refused",
      code,
      { audio: expect.any(String) },
    ]);
    expect(await stored()).toEqual({ calls: [], parts: 0, uploads: [], deliveries: [] });
  });
}

test("a recording that does not match its hash makes no call, and is deleted", async () => {
  expect(
    refusal(
      await submit({
        uploadId: await upload(makeOpusWebm({ seconds: 2 }), { sha256: "0".repeat(64) }),
      }),
    ),
  ).toEqual(["refused", "invalid", { audio: expect.any(String) }]);
  expect((await stored()).uploads).toEqual([]);
});

test("an upload that was replaced after the check makes no call", async () => {
  const uploadId = await upload(makeOpusWebm({ seconds: 2 }));
  const { id, firstName, team, role } = await read((tx) =>
    tx.user.findUniqueOrThrow({ where: { id: ada.id } }),
  );
  const member = { id, firstName, team, role, sessionKey: "key", loggedInAtMs: nowMs() };
  const recording = await prepareRecording({ uploadId, member });
  await write(async (tx) => {
    const { sha256, size } = await tx.upload.delete({ where: { id: uploadId } });
    const createdAt = new Date(nowMs() + 1);
    await tx.upload.create({
      data: { id: uploadId, userId: id, createdAt, size, sha256 },
    });
  });
  await expect(
    write((tx) => storeCall(tx, { ...fields(), uploadId, recording, member })),
  ).rejects.toMatchObject({ code: "conflict", field: "audio" });
  expect((await stored()).calls).toEqual([]);
});

test("resending a deleted call does not restore it", async () => {
  const uploadId = await upload(makeOpusWebm({ seconds: 2 }));
  await submit({ uploadId });
  await write((tx) => tx.call.deleteMany());
  expect(refusal(await submit({ uploadId }))).toEqual([
    "refused",
    "conflict",
    { audio: expect.any(String) },
  ]);
});

test("a member can leave ten calls in 24 hours", async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => submit()));
  expect(answers.filter((answer) => typeof answer === "string")).toHaveLength(10);
  expect(refusal(await submit())).toEqual(["refused", "rate_limited", {}]);
  expect(await submit({}, eve)).toMatch(/^\/calls\/mine/);
  setClock(nowMs() + DAY_MS + 1_000);
  expect(await submit()).toMatch(/^\/calls\/mine/);
});

test("deleting calls does not raise the limit above twenty a day", async () => {
  for (let i = 0; i < 20; i++) {
    expect(await submit()).toMatch(/^\/calls\/mine/);
    await write((tx) => tx.call.deleteMany());
  }
  expect(refusal(await submit())).toEqual(["refused", "rate_limited", {}]);
});

test("a member can have twenty unanswered calls; an answered one makes room", async () => {
  for (let i = 0; i < 20; i++) {
    if (i === 10) setClock(nowMs() + DAY_MS + 1_000);
    expect(await submit()).toMatch(/^\/calls\/mine/);
  }
  setClock(nowMs() + DAY_MS + 1_000);
  expect(refusal(await submit())).toEqual(["refused", "rate_limited", {}]);
  await write(async (tx) => {
    const { callId } = await tx.callReview.findFirstOrThrow({ orderBy: { callId: "asc" } });
    await tx.callReview.update({ where: { callId }, data: { state: "ANSWERED" } });
  });
  expect(await submit()).toMatch(/^\/calls\/mine/);
});

test("without a primary nothing is stored and all input is kept", async () => {
  overrideEnv({ REPLICATION: "on" });
  const state = (await submit()) as FormState;
  overrideEnv({ REPLICATION: undefined });
  expect([state.code, state.values.title]).toEqual(["unavailable", "How do I begin?"]);
  expect((await stored()).calls).toEqual([]);
});
