import { expect, test } from "vitest";
import { insertCall, insertUser, type CallRow } from "#tests/support/factories.ts";
import { nowMs, setClock } from "#lib/core/clock.ts";
import type { Member } from "#lib/members/member.ts";
import { listAuditEvents } from "../db/audit.ts";
import { CALL_STATES, type CallState, type Role } from "#lib/db/column-values.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { listDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { publishCall, unpublishCall } from "./publish.ts";
import {
  type ReviewDecision,
  declineCall,
  editCall,
  unclaimCall,
  removeAnswer,
  reopenCall,
  saveAnswer,
  claimCall,
} from "./review.ts";
import {
  QUEUE_PAGE_SIZE,
  findAnswerAudio,
  getReviewedCall,
  listReviewQueue,
} from "./review-queue.ts";

function person(tx: Tx, role: Role, firstName = "Grace"): Member {
  const { id, team } = insertUser(tx, { role, firstName });
  return { id, firstName, team, role, sessionKey: "key", loggedInAtMs: nowMs() };
}

const people = () =>
  write((tx) => ({
    admin: person(tx, "ADMIN"),
    other: person(tx, "ADMIN", "Hedy"),
    caller: person(tx, "MEMBER", "Ada"),
  }));
const answer = { contentType: "audio/mpeg", durationMs: 4_000.4, audio: new Uint8Array([1, 2, 3]) };

async function callIn(state: CallState, options: Partial<CallRow> = {}) {
  const all = await people();
  const call = await write((tx) => insertCall(tx, { userId: all.caller.id, ...options }));
  const step = (fn: (tx: Tx, decision: ReviewDecision) => Promise<unknown>) =>
    write(async (tx) => {
      const { changedAt } = await getReviewedCall(tx, { admin: all.admin, callId: call.id });
      await fn(tx, { callId: call.id, admin: all.admin, expectedVersion: changedAt });
    });
  if (state === "REVIEWING") await step(claimCall);
  if (state === "ANSWERED" || state === "PUBLISHED")
    await step((tx, decision) => saveAnswer(tx, { ...decision, answer }));
  if (state === "PUBLISHED")
    await step((tx, decision) => publishCall(tx, { ...decision, transcript: "Said." }));
  if (state === "DECLINED")
    await step((tx, decision) => declineCall(tx, { ...decision, reason: "It was asked before." }));
  const seen = () => read((tx) => getReviewedCall(tx, { admin: all.admin, callId: call.id }));
  return { ...all, call, seen };
}

const DECISIONS: Record<
  string,
  {
    from: CallState[];
    to: (from: CallState) => CallState;
    run: (tx: Tx, decision: ReviewDecision) => Promise<unknown>;
  }
> = {
  take: { from: ["NEW"], to: () => "REVIEWING", run: claimCall },
  "put back": { from: ["REVIEWING"], to: () => "NEW", run: unclaimCall },
  answer: {
    from: ["NEW", "REVIEWING", "ANSWERED"],
    to: () => "ANSWERED",
    run: (tx, decision) => saveAnswer(tx, { ...decision, answer }),
  },
  "remove the answer of": { from: ["ANSWERED"], to: () => "REVIEWING", run: removeAnswer },
  decline: {
    from: ["NEW", "REVIEWING", "ANSWERED"],
    to: () => "DECLINED",
    run: (tx, decision) => declineCall(tx, { ...decision, reason: "It was asked before." }),
  },
  reopen: { from: ["DECLINED"], to: () => "NEW", run: reopenCall },
  publish: {
    from: ["ANSWERED"],
    to: () => "PUBLISHED",
    run: (tx, decision) => publishCall(tx, { ...decision, transcript: "" }),
  },
  "take down": { from: ["PUBLISHED"], to: () => "ANSWERED", run: unpublishCall },
};

for (const [name, { from, to, run }] of Object.entries(DECISIONS)) {
  for (const state of CALL_STATES) {
    const allowed = from.includes(state);
    test(`an admin ${allowed ? "can" : "can’t"} ${name} a call that is ${state}`, async () => {
      const { admin, call, seen } = await callIn(state);
      const before = await seen();
      const decision = { callId: call.id, admin, expectedVersion: before.changedAt };
      if (allowed) {
        await write((tx) => run(tx, decision));
        const after = await seen();
        expect(after.state).toBe(to(state));
        expect(after.changedAt).toBeGreaterThan(before.changedAt);
        expect(after.reviewerName).toBe("Grace");
        expect(after.answer !== null).toBe(
          ["ANSWERED", "PUBLISHED"].includes(after.state) ||
            (state === "ANSWERED" && after.state === "DECLINED"),
        );
        expect(after.episode !== null).toBe(after.state === "PUBLISHED");
        const [event] = await read((tx) => listAuditEvents(tx, { subjectId: call.id }));
        expect(event).toMatchObject({
          actorId: admin.id,
          action: expect.stringMatching(/^call\./),
        });
      } else {
        await expect(write((tx) => run(tx, decision))).rejects.toMatchObject({
          code: "conflict",
        });
        expect(await seen()).toEqual(before);
      }
    });
  }

  test(`a member can’t ${name} a call, not even their own`, async () => {
    const { caller, call, seen } = await callIn(from[0]!);
    const before = await seen();
    await expect(
      write((tx) => run(tx, { callId: call.id, admin: caller, expectedVersion: before.changedAt })),
    ).rejects.toMatchObject({ code: "forbidden" });
    expect(await seen()).toEqual(before);
  });

  test(`of two admins who ${name} a call concurrently, one gets a conflict`, async () => {
    const { admin, other, call, seen } = await callIn(from[0]!);
    const { changedAt } = await seen();
    const results = await Promise.allSettled(
      [admin, other].map((admin) =>
        write((tx) => run(tx, { callId: call.id, admin, expectedVersion: changedAt })),
      ),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const lost = results.find((result) => result.status === "rejected");
    expect(lost?.reason).toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /^Nothing was changed\. (Grace|Hedy) has .* in the meantime\.$/,
      ),
    });
  });

  test(`an admin can’t ${name} a deleted call`, async () => {
    const { admin, call, seen } = await callIn(from[0]!);
    const { changedAt } = await seen();
    await write((tx) => tx.call.delete({ where: { id: call.id } }));
    await expect(
      write((tx) => run(tx, { callId: call.id, admin, expectedVersion: changedAt })),
    ).rejects.toMatchObject({ code: "not_found" });
  });
}

test("two decisions in the same millisecond conflict", async () => {
  setClock(Date.UTC(2026, 10, 23));
  const { admin, other, call, seen } = await callIn("ANSWERED");
  const { changedAt } = await seen();
  await write((tx) =>
    saveAnswer(tx, { callId: call.id, admin, expectedVersion: changedAt, answer }),
  );
  await expect(
    write((tx) =>
      publishCall(tx, {
        callId: call.id,
        admin: other,
        expectedVersion: changedAt,
        transcript: "",
      }),
    ),
  ).rejects.toMatchObject({
    code: "conflict",
    message:
      "Nothing was changed. Grace has answered this call or unpublished its episode in the meantime.",
  });
});

test("declining stores the reason and emails it to the caller", async () => {
  const { caller, seen, call } = await callIn("DECLINED");
  expect((await seen()).declineReason).toBe("It was asked before.");
  const rows = await read((tx) =>
    tx.delivery.findMany({ select: { userId: true, payload: true } }),
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]!.userId).toBe(caller.id);
  const { mail } = JSON.parse(rows[0]!.payload);
  expect(mail.to).toBe(`${caller.id}@example.test`);
  expect(mail.parts).toContain("It was asked before.");
  expect(mail.subject).toContain(call.title);
  expect(await read((tx) => listDeliveries(tx))).toMatchObject([
    { about: `A call was declined: ${call.title}` },
  ]);
});

test("a conflicting decline sends no email", async () => {
  const { admin, call, seen } = await callIn("PUBLISHED");
  const { changedAt } = await seen();
  const before = await read(async (tx) => (await listDeliveries(tx)).length);
  await expect(
    write((tx) =>
      declineCall(tx, { callId: call.id, admin, expectedVersion: changedAt, reason: "No." }),
    ),
  ).rejects.toMatchObject({ code: "conflict" });
  expect(await read(async (tx) => (await listDeliveries(tx)).length)).toBe(before);
});

test("reopening a declined call with an answer makes it answered, without the reason", async () => {
  const { admin, call, seen } = await callIn("ANSWERED");
  const decision = async () => ({
    callId: call.id,
    admin,
    expectedVersion: (await seen()).changedAt,
  });
  const decline = { ...(await decision()), reason: "Not this one, after all." };
  await write((tx) => declineCall(tx, decline));
  const reopen = await decision();
  await write((tx) => reopenCall(tx, reopen));
  expect(await seen()).toMatchObject({
    state: "ANSWERED",
    declineReason: "",
    answer: { durationMs: 4_000 },
  });
});

test("a new answer replaces the old one", async () => {
  const { admin, call, seen } = await callIn("ANSWERED");
  const { changedAt } = await seen();
  await write((tx) =>
    saveAnswer(tx, {
      callId: call.id,
      admin,
      expectedVersion: changedAt,
      answer: { ...answer, contentType: "audio/webm", audio: new Uint8Array([9]) },
    }),
  );
  const found = await read((tx) => findAnswerAudio(tx, { admin, callId: call.id }));
  expect(found).toMatchObject({ contentType: "audio/webm" });
  expect([...found!.audio]).toEqual([9]);
});

const texts = {
  title: "A better title",
  description: "A description of twenty characters and more.",
  keywords: "one, two",
  note: "Ask Hedy.",
};

test("an admin can edit the texts of a call", async () => {
  const { admin, call, seen } = await callIn("NEW");
  await write((tx) =>
    editCall(tx, { callId: call.id, admin, expectedVersion: call.updatedAt, ...texts }),
  );
  expect(await seen()).toMatchObject(texts);
});

test("of two admins who edit concurrently, one gets a conflict", async () => {
  const { admin, other, call, seen } = await callIn("NEW");
  await write((tx) =>
    editCall(tx, { callId: call.id, admin, expectedVersion: call.updatedAt, ...texts }),
  );
  await expect(
    write((tx) =>
      editCall(tx, {
        callId: call.id,
        admin: other,
        expectedVersion: call.updatedAt,
        ...texts,
        title: "Another title",
      }),
    ),
  ).rejects.toMatchObject({ code: "conflict" });
  expect((await seen()).title).toBe("A better title");
});

test("editing a published call edits its episode, which keeps its slug", async () => {
  const { admin, call, seen } = await callIn("PUBLISHED");
  const { slug } = (await seen()).episode!;
  await write((tx) =>
    editCall(tx, {
      callId: call.id,
      admin,
      expectedVersion: call.updatedAt,
      ...texts,
      transcript: "Better said.",
    }),
  );
  const row = await read((tx) =>
    tx.episode.findUnique({
      where: { callId: call.id },
      select: { title: true, description: true, keywords: true, transcript: true, slug: true },
    }),
  );
  expect(row).toEqual({
    title: texts.title,
    description: texts.description,
    keywords: texts.keywords,
    transcript: "Better said.",
    slug,
  });
});

test("a member can’t edit a call or read the queue, a call or an answer", async () => {
  const { caller, call, seen } = await callIn("ANSWERED");
  const before = await seen();
  const admin = caller;
  await expect(
    write((tx) =>
      editCall(tx, { callId: call.id, admin, expectedVersion: call.updatedAt, ...texts }),
    ),
  ).rejects.toMatchObject({ code: "forbidden" });
  for (const readAsMember of [
    () => read((tx) => listReviewQueue(tx, { admin, state: null })),
    () => read((tx) => getReviewedCall(tx, { admin, callId: call.id })),
    () => read((tx) => findAnswerAudio(tx, { admin, callId: call.id })),
  ])
    await expect(readAsMember()).rejects.toMatchObject({ code: "forbidden" });
  expect(await seen()).toEqual(before);
});

test("the queue counts all states, matches every word, and escapes wildcards", async () => {
  const { admin, caller } = await callIn("DECLINED", { title: "Something else" });
  await write((tx) => {
    insertCall(tx, { userId: caller.id, title: "100% of what?", keywords: "share_of, all" });
    insertCall(tx, {
      userId: caller.id,
      title: "1000 ways",
      keywords: "Überblick",
      description: "A back\\slash in twenty characters.",
      base64: "data:audio/webm;base64,AAAA",
    });
  });
  const titles = (query: string, state: CallState | null = null) =>
    read(async (tx) => {
      const { calls } = await listReviewQueue(tx, { admin, state, query });
      return calls.map(({ title }) => title).sort();
    });
  expect(await titles("100%")).toEqual(["100% of what?"]);
  expect(await titles("share_of what")).toEqual(["100% of what?"]);
  expect(await titles("back\\slash")).toEqual(["1000 ways"]);
  expect(await titles("überBLICK")).toEqual(["1000 ways"]);
  expect(await titles("ada")).toHaveLength(3);
  expect(await titles("ada", "NEW")).toEqual(["100% of what?", "1000 ways"]);
  expect(await titles("nothing of this")).toEqual([]);
  const { counts, total, calls } = await read((tx) => listReviewQueue(tx, { admin, state: "NEW" }));
  expect(counts).toEqual({ NEW: 2, REVIEWING: 0, ANSWERED: 0, PUBLISHED: 0, DECLINED: 1 });
  expect(total).toBe(2);
  expect(Object.fromEntries(calls.map(({ title, isTyped }) => [title, isTyped]))).toEqual({
    "100% of what?": true,
    "1000 ways": false,
  });
});

test("the queue is paginated, oldest first", async () => {
  const { admin, caller } = await people();
  await write((tx) => {
    for (let i = 0; i < QUEUE_PAGE_SIZE + 2; i++)
      insertCall(tx, { userId: caller.id, title: `Call ${i}`, createdAt: 1_000 + i });
  });
  const page = (number: number) =>
    read((tx) => listReviewQueue(tx, { admin, state: "NEW", page: number }));
  expect((await page(1)).calls[0]!.title).toBe("Call 0");
  expect((await page(2)).calls.map(({ title }) => title)).toEqual([
    `Call ${QUEUE_PAGE_SIZE}`,
    `Call ${QUEUE_PAGE_SIZE + 1}`,
  ]);
  expect(await page(99)).toMatchObject({ page: 2, pages: 2 });
  expect(await page(Number.NaN)).toMatchObject({ page: 1 });
});
