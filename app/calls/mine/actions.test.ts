import { randomUUID } from "node:crypto";
import { beforeEach, expect, test, vi } from "vitest";
import { GET, HEAD } from "#app/calls/recording/[id]/route.ts";
import { deleteCall } from "./actions.ts";
import { toDataUrl, readAudioFixture } from "#tests/support/audio.ts";
import { insertAnswer, insertCall, insertEpisode } from "#tests/support/factories.ts";
import { type LoggedInMember, logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { type FormState, INITIAL_FORM_STATE } from "#lib/http/form-state.ts";
import { listOwnCalls } from "#lib/calls/own-calls.ts";
import { read, write } from "#lib/db/database.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));
vi.mock("next/cache", () => ({ refresh: () => {} }));

const WEBM = readAudioFixture("tone-recorder.webm");
const OGG = readAudioFixture("tone-opus.ogg");
let ada: LoggedInMember;
let eve: LoggedInMember;
let grace: LoggedInMember;
beforeEach(async () => {
  [ada, eve, grace] = [
    await logInMember(),
    await logInMember(),
    await logInMember({ role: "ADMIN" }),
  ];
  currentRequest.headers = {
    host: "localhost:3000",
    origin: "http://localhost:3000",
    "sec-fetch-site": "same-origin",
  };
});

const leave = (options: Partial<Parameters<typeof insertCall>[1]> = {}) =>
  write(
    (tx) =>
      insertCall(tx, {
        userId: ada.id,
        base64: toDataUrl("audio/webm", WEBM),
        ...options,
      }).id,
  );
const setState = (id: string, state: string, declineReason = "") =>
  write((tx) =>
    tx.callReview.update({
      where: { callId: id },
      data: { state, declineReason, note: "between us" },
    }),
  );
const publish = (id: string, slug = "an-episode") =>
  write(async (tx) => {
    await tx.callReview.update({ where: { callId: id }, data: { state: "PUBLISHED" } });
    insertAnswer(tx, { callId: id, contentType: "audio/webm", durationMs: 2_000, audio: WEBM });
    insertEpisode(tx, { callId: id, slug });
  });
const mine = (who: LoggedInMember) => read((tx) => listOwnCalls(tx, who.member));
const hear = (
  id: string,
  who: LoggedInMember | null = ada,
  headers: Record<string, string> = {},
  method: "GET" | "HEAD" = "GET",
) => {
  currentRequest.cookie = who?.cookie ?? "";
  return (method === "GET" ? GET : HEAD)(
    new Request(`http://localhost:3000/calls/recording/${id}`, { method, headers }),
    { params: Promise.resolve({ id }) },
  );
};
async function remove(id: string, who: LoggedInMember | null = ada): Promise<FormState> {
  currentRequest.cookie = who?.cookie ?? "";
  const form = new FormData();
  form.append("id", id);
  return deleteCall(INITIAL_FORM_STATE, form);
}
const counts = () =>
  read((tx) =>
    Promise.all([
      tx.call.count(),
      tx.callReview.count(),
      tx.callAnswer.count(),
      tx.episode.count(),
    ]),
  );

test("members see their own calls with state, newest first", async () => {
  const [first, second, third, fourth] = [
    await leave({ createdAt: 1_000 }),
    await leave({ createdAt: 2_000, base64: "" }),
    await leave({ createdAt: 3_000 }),
    await leave({ createdAt: 4_000 }),
  ];
  await leave({ userId: eve.id });
  await setState(second, "DECLINED", "This was asked before.");
  await publish(third);
  await setState(fourth, "REVIEWING", "not yet told");
  await write((tx) =>
    tx.callReview.update({ where: { callId: first }, data: { durationMs: 1_980 } }),
  );
  expect(
    (await mine(ada)).map(({ id, state, isRecorded, durationMs, declineReason, slug }) => [
      id,
      state,
      isRecorded,
      durationMs,
      declineReason,
      slug,
    ]),
  ).toEqual([
    [fourth, "REVIEWING", true, null, "", null],
    [third, "PUBLISHED", true, null, "", "an-episode"],
    [second, "DECLINED", false, null, "This was asked before.", null],
    [first, "NEW", true, 1_980, "", null],
  ]);
  expect(await mine(grace)).toEqual([]);
});

test("owners don't see admins' notes", async () => {
  await setState(await leave(), "REVIEWING");
  expect(JSON.stringify(await mine(ada))).not.toContain("between us");
});

test("owner and admins get a recording with its type, not cacheable", async () => {
  const id = await leave({
    title: "Où est-ce?",
    base64: toDataUrl("audio/mp3", OGG),
  });
  for (const who of [ada, grace]) {
    const response = await hear(id, who);
    expect([
      response.status,
      ...[
        "content-type",
        "cache-control",
        "x-content-type-options",
        "content-disposition",
        "accept-ranges",
      ].map((name) => response.headers.get(name)),
    ]).toEqual([
      200,
      "audio/ogg",
      "private, no-store",
      "nosniff",
      `inline; filename="Ou est-ce.ogg"; filename*=UTF-8''O%C3%B9%20est-ce.ogg`,
      "bytes",
    ]);
    expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(OGG))).toBe(true);
  }
});

test("a recording is not found for other members", async () => {
  const id = await leave();
  await hear(id, ada); // now it is decoded and at hand
  const [theirs, none] = await Promise.all([hear(id, eve), hear(randomUUID(), eve)]);
  expect([theirs.status, await theirs.text()]).toEqual([404, await none.text()]);
  for (const who of [null, { ...ada, cookie: "session=forged" }])
    expect((await hear(id, who)).status).toBe(401);
  expect((await hear(id, eve, {}, "HEAD")).status).toBe(404);
});

test("a former admin can't get recordings", async () => {
  const id = await leave();
  expect((await hear(id, grace)).status).toBe(200);
  await write((tx) => tx.user.update({ where: { id: grace.id }, data: { role: "MEMBER" } }));
  expect((await hear(id, grace)).status).toBe(404);
});

test("typed questions, empty recordings and unknown ids are not found", async () => {
  for (const id of [
    await leave({ base64: "" }),
    await leave({ base64: "data:audio/webm;base64," }),
    "",
    "../..",
    "' OR 1=1",
  ])
    expect([id, (await hear(id)).status]).toEqual([id, 404]);
});

test("an unknown format is sent as application/octet-stream", async () => {
  const id = await leave({
    base64: `data:text/html;base64,${Buffer.from("<script>alert(1)</script>").toString("base64")}`,
  });
  const response = await hear(id);
  expect([
    response.headers.get("content-type"),
    response.headers.get("x-content-type-options"),
    response.headers.get("content-security-policy"),
  ]).toEqual(["application/octet-stream", "nosniff", expect.stringContaining("sandbox")]);
});

test("recordings support byte ranges", async () => {
  const id = await leave();
  const part = await hear(id, ada, { range: "bytes=10-19" });
  expect([
    part.status,
    part.headers.get("content-range"),
    Buffer.from(await part.arrayBuffer()).equals(Buffer.from(WEBM.subarray(10, 20))),
  ]).toEqual([206, `bytes 10-19/${WEBM.length}`, true]);
  expect((await hear(id, ada, { range: `bytes=${WEBM.length}-` })).status).toBe(416);
  const head = await hear(id, ada, {}, "HEAD");
  expect([
    head.status,
    head.headers.get("content-length"),
    (await head.arrayBuffer()).byteLength,
  ]).toEqual([200, String(WEBM.length), 0]);
  expect((await hear(id, ada, { "if-none-match": head.headers.get("etag")! })).status).toBe(304);
});

test("the recording of a deleted call is not found immediately", async () => {
  const id = await leave();
  expect((await hear(id)).status).toBe(200);
  expect(await remove(id)).toMatchObject({ status: "done", message: "Call deleted." });
  expect((await hear(id)).status).toBe(404);
});

test("review, answer and episode are deleted with the call", async () => {
  const id = await leave();
  await publish(id);
  expect(await counts()).toEqual([1, 1, 1, 1]);
  await remove(id);
  expect(await counts()).toEqual([0, 0, 0, 0]);
});

test("only the owner can delete a call, not even an admin", async () => {
  const id = await leave();
  for (const who of [eve, grace])
    expect(await remove(id, who)).toMatchObject({ status: "refused", code: "not_found" });
  expect(await remove(id, null)).toMatchObject({ status: "refused", code: "unauthorized" });
  currentRequest.headers["sec-fetch-site"] = "cross-site";
  expect(await remove(id)).toMatchObject({ status: "refused", code: "forbidden" });
  expect((await counts())[0]).toBe(1);
});

test("the owner deletes a call whose id from the source site is not a UUID", async () => {
  const id = await leave({ id: "Call 7/ckx" });
  expect(await remove(id)).toMatchObject({ status: "done", message: "Call deleted." });
  expect((await counts())[0]).toBe(0);
});

test("deleting a call twice is not found", async () => {
  const id = await leave();
  const states = await Promise.all([remove(id), remove(id)]);
  expect(states.map(({ status }) => status).sort()).toEqual(["done", "refused"]);
});
