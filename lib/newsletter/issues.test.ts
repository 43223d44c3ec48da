import { afterEach, beforeEach, expect, test } from "vitest";
import { DAY_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import type { Member } from "#lib/members/member.ts";
import {
  exportSubscribers,
  listSubscribers,
  removeSubscriber,
} from "#lib/members/subscriber-list.ts";
import { subscribe, unsubscribe } from "#lib/members/subscribers.ts";
import { samplePost } from "#tests/support/sample-posts.ts";
import {
  cancelIssue,
  createIssue,
  deleteIssue,
  editIssue,
  getIssue,
  issueVersion,
  listIssues,
  resendIssue,
  scheduleIssue,
} from "./issues.ts";
import { buildIssueEmail, renderPostForEmail } from "./issue-email.ts";
import { listDueDeliveries, markSending, recordResult } from "./deliveries.ts";
import { startIssue } from "./start-due-issues.ts";
import { renderEmailHtml, renderEmailText } from "#lib/outbound/mail/email-message.ts";

const member: Member = {
  id: "m",
  firstName: "Mo",
  team: "RED",
  role: "MEMBER",
  sessionKey: "k",
  loggedInAtMs: 0,
};
const admin: Member = { ...member, id: "a", role: "ADMIN" };
const forbidden = expect.objectContaining({ code: "forbidden" }) as Error;
const conflict = expect.objectContaining({ code: "conflict" }) as Error;

beforeEach(() => setClock(Date.parse("2026-11-29T12:00:00Z")));
afterEach(() => setClock(null));

const create = () => write((tx) => createIssue(tx, admin, { postSlug: "a-post", subject: "News" }));
const edit = { subject: "Better", intro: "Hi", sendAt: null };
const inTx = <T>(fn: (tx: Tx) => Promise<T>) => write(fn);
const schedule = (id: number, sendAt: Date | null = null) =>
  inTx((tx) => scheduleIssue(tx, admin, { id, sendAt }));

test("only admins read, write or send an issue, or see subscribers", async () => {
  const id = await create();
  const calls: ((tx: Tx) => Promise<unknown>)[] = [
    (tx) => listIssues(tx, member),
    (tx) => getIssue(tx, member, id),
    (tx) => createIssue(tx, member, { postSlug: "a-post", subject: "Spam" }),
    (tx) => editIssue(tx, member, { id, ...edit, expectedVersion: "" }),
    (tx) => scheduleIssue(tx, member, { id, sendAt: new Date() }),
    (tx) => cancelIssue(tx, member, id),
    (tx) => deleteIssue(tx, member, id),
    (tx) => resendIssue(tx, member, { id, state: "FAILED" }),
    (tx) => listSubscribers(tx, member, ""),
    (tx) => removeSubscriber(tx, member, "x"),
  ];
  for (const call of calls) await expect(inTx(call)).rejects.toThrow(forbidden);
  expect(await read((tx) => getIssue(tx, admin, id))).toMatchObject({
    state: "DRAFT",
    subject: "News",
  });
});

test("a draft is edited, scheduled, canceled and deleted, and nothing happens twice", async () => {
  const id = await create();
  const expectedVersion = issueVersion(await read((tx) => getIssue(tx, admin, id)));
  const editAgain = () => inTx((tx) => editIssue(tx, admin, { id, ...edit, expectedVersion }));
  await editAgain();
  await expect(editAgain()).rejects.toThrow(conflict);
  const sendAt = new Date(nowMs() + DAY_MS);
  await schedule(id, sendAt);
  expect(await read((tx) => getIssue(tx, admin, id))).toMatchObject({
    state: "SCHEDULED",
    subject: "Better",
    sendAt,
  });
  for (const call of [
    () => schedule(id),
    editAgain,
    () => inTx((tx) => deleteIssue(tx, admin, id)),
    () => inTx((tx) => resendIssue(tx, admin, { id, state: "FAILED" })),
  ])
    await expect(call()).rejects.toThrow(conflict);
  await inTx((tx) => cancelIssue(tx, admin, id));
  expect(await read((tx) => getIssue(tx, admin, id))).toMatchObject({ state: "DRAFT", sendAt });
  await inTx((tx) => deleteIssue(tx, admin, id));
  await expect(read((tx) => getIssue(tx, admin, id))).rejects.toThrow(
    expect.objectContaining({ code: "not_found" }) as Error,
  );
});

test("an issue goes to those who chose one of the post's topics, or no topics, and starts once", async () => {
  await inTx(async (tx) => {
    await subscribe(tx, { email: "all@example.test" });
    await subscribe(tx, { email: "sqlite@example.test", topics: ["sqlite", "react"] });
    await subscribe(tx, { email: "mdx@example.test", topics: ["mdx"] });
  });
  const id = await create();
  await schedule(id);
  const post = samplePost({ categories: ["SQLite", "LiteFS"] });
  await startIssue(id, post);
  await startIssue(id, post);
  expect(await read((tx) => getIssue(tx, admin, id))).toMatchObject({
    state: "SENDING",
    recipientCount: 2,
    counts: { pending: 2, sent: 0, failed: 0, uncertain: 0, skipped: 0 },
  });
});

test("an issue without a later time can be canceled for a minute, and then be sent again", async () => {
  const id = await create();
  const find = () => read((tx) => getIssue(tx, admin, id));
  for (const sendAt of [null, new Date(nowMs() + 1_000)]) {
    await schedule(id, sendAt);
    const waitMs = Number((await find()).sendAt) - nowMs();
    expect(Math.abs(waitMs - MINUTE_MS)).toBeLessThan(10_000);
    await inTx((tx) => cancelIssue(tx, admin, id));
    expect(await find()).toMatchObject({ state: "DRAFT", sendAt: null });
  }
});

test("a stopped issue is sent to no one else until it is resumed", async () => {
  await inTx((tx) => subscribe(tx, { email: "ada@example.test" }));
  const id = await create();
  await schedule(id);
  await startIssue(id, samplePost({}));
  const [row] = await read((tx) => tx.newsletterDelivery.findMany());
  await inTx((tx) => cancelIssue(tx, admin, id));
  expect(await inTx((tx) => markSending(tx, { ...row!, email: "ada@example.test" }))).toBe(false);
  expect(await read((tx) => getIssue(tx, admin, id))).toMatchObject({
    state: "CANCELED",
    counts: { pending: 1, skipped: 0 },
  });
  expect(await read((tx) => listDueDeliveries(tx, id, 9))).toEqual([]);
  const resend = (state: "FAILED" | "PENDING") =>
    inTx((tx) => resendIssue(tx, admin, { id, state }));
  for (const call of [() => inTx((tx) => cancelIssue(tx, admin, id)), () => resend("FAILED")])
    await expect(call()).rejects.toThrow(conflict);
  await resend("PENDING");
  expect(await read((tx) => listDueDeliveries(tx, id, 9))).toHaveLength(1);
  expect(await read((tx) => getIssue(tx, admin, id))).toMatchObject({
    state: "SENDING",
    finishedAt: null,
  });
  await expect(resend("PENDING")).rejects.toThrow(conflict);
});

test("a stopped issue keeps the number of those who got it, and the deliveries of the others", async () => {
  for (const name of ["ada", "grace"])
    await inTx((tx) => subscribe(tx, { email: `${name}@example.test` }));
  const id = await create();
  await schedule(id);
  await startIssue(id, samplePost({}));
  const [row] = await read((tx) => tx.newsletterDelivery.findMany());
  const delivery = { ...row!, email: "ada@example.test" };
  await inTx((tx) => markSending(tx, delivery));
  await inTx((tx) => recordResult(tx, delivery, { outcome: "accepted" }));
  await inTx((tx) => cancelIssue(tx, admin, id));
  expect(await read((tx) => tx.newsletterDelivery.count())).toBe(1);
  expect((await read((tx) => getIssue(tx, admin, id))).counts).toMatchObject({
    sent: 1,
    pending: 1,
  });
});

test("an admin resends to uncertain recipients only", async () => {
  const id = await create();
  await inTx(async (tx) => {
    await tx.newsletterIssue.update({
      where: { id },
      data: { state: "SENT", startedAt: new Date(), recipientCount: 3, sentCount: 1 },
    });
    for (const [subscriberId, state] of [
      ["a", "UNCERTAIN"],
      ["b", "FAILED"],
    ] as const)
      await tx.newsletterDelivery.create({
        data: { issueId: id, subscriberId, state, nextTryAt: new Date() },
      });
  });
  await inTx((tx) => resendIssue(tx, admin, { id, state: "UNCERTAIN" }));
  expect(await read((tx) => getIssue(tx, admin, id))).toMatchObject({
    state: "SENDING",
    counts: { pending: 1, sent: 1, failed: 1, uncertain: 0 },
  });
});

test.each(["FAILED", "UNCERTAIN"] as const)(
  "%s deliveries are not sent again to a reader who has unsubscribed since, even if they subscribe again",
  async (state) => {
    const email = "ada@example.test";
    const id = await create();
    await inTx(async (tx) => {
      await subscribe(tx, { email });
      const { id: subscriberId } = await tx.subscriber.findFirstOrThrow();
      await tx.newsletterIssue.update({
        where: { id },
        data: { state: "SENT", startedAt: new Date(), recipientCount: 1 },
      });
      await tx.newsletterDelivery.create({
        data: { issueId: id, subscriberId, state, nextTryAt: new Date() },
      });
      await unsubscribe(tx, email);
      await subscribe(tx, { email });
    });
    await expect(inTx((tx) => resendIssue(tx, admin, { id, state }))).rejects.toThrow(conflict);
    expect(await read((tx) => getIssue(tx, admin, id))).toMatchObject({
      counts: { failed: 0, uncertain: 0, skipped: 1 },
    });
  },
);

test("a post's email has its title, its text and a link to unsubscribe, as HTML and text", () => {
  const post = samplePost({ title: "Names & <things>", description: "About “names”." });
  const content = { subject: "News", intro: "Hi.\n\nBye.", ...renderPostForEmail(post) };
  const email = buildIssueEmail(content, { email: "a@example.test", subscriberId: "s" });
  const html = renderEmailHtml(email);
  expect(html).toContain("Names &amp; &lt;things&gt;");
  expect(html).toContain('<p style="margin:0 0 20px">Bye.</p>');
  expect(html).toContain('name="color-scheme" content="light dark"');
  expect(renderEmailText(email)).toContain("Hi.\n\nBye.\n\nNames & <things>\n");
  for (const text of [html, renderEmailText(email)])
    expect(text).toContain("/unsubscribe?token=s.");
});

test("the subscribers' CSV is quoted, and spreadsheets run no formula in it", async () => {
  await inTx(async (tx) => {
    await subscribe(tx, { email: "=cmd|'/c calc'!a1@example.test", topics: ["a", 'b"'] });
    await subscribe(tx, { email: "ada@example.test" });
  });
  const csv = (await Array.fromAsync(exportSubscribers())).join("");
  const lines = csv.trimEnd().split("\r\n");
  expect(lines[0]).toBe('"email","topics","subscribed_at"');
  const rows = lines.slice(1).sort();
  expect(rows[0]).toMatch(/^"'=cmd\|'\/c calc'!a1@example\.test","a; b""","2026-11-29T12:00:/);
  expect(rows[1]).toMatch(/^"ada@example\.test","","2026-11-29T12:00:/);
});
