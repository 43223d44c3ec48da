// Creates, edits, schedules and cancels issues of the newsletter, for admins.

import { createHash } from "node:crypto";
import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { IssueState } from "#lib/db/column-values.ts";
import type { Tx } from "#lib/db/database.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";
import { countSentDeliveries } from "./deliveries.ts";

export interface IssueCounts {
  readonly pending: number;
  readonly sent: number;
  readonly failed: number;
  /** Those whose connection broke before the mail server replied. */
  readonly uncertain: number;
  /** Those who unsubscribed before their turn. */
  readonly skipped: number;
}

/** How long an admin can cancel after they press Send (docs/decisions/068). */
const UNDO_MS = MINUTE_MS;

const LISTED = {
  id: true,
  postSlug: true,
  subject: true,
  state: true,
  sendAt: true,
  startedAt: true,
  finishedAt: true,
  recipientCount: true,
  sentCount: true,
  problem: true,
} as const;

/** Maximum number of issues listed, newest first. */
export const MAX_LISTED_ISSUES = 100;

/** Returns the newest issues with their counts. Throws AppError(forbidden) unless `admin` is one. */
export async function listIssues(tx: Tx, admin: Member) {
  assertAdmin(admin);
  const issues = await tx.newsletterIssue.findMany({
    select: LISTED,
    orderBy: { id: "desc" },
    take: MAX_LISTED_ISSUES,
  });
  return Promise.all(
    issues.map(async (issue) => ({ ...issue, counts: await countDeliveries(tx, issue) })),
  );
}

/** Returns an issue with its counts. Throws AppError(forbidden) and AppError(not_found). */
export async function getIssue(tx: Tx, admin: Member, id: number) {
  assertAdmin(admin);
  const issue = await tx.newsletterIssue.findUnique({
    where: { id },
    select: { ...LISTED, intro: true },
  });
  if (!issue) throw issueNotFound();
  return { ...issue, counts: await countDeliveries(tx, issue) };
}

/** Returns the ID in a route parameter; 0, which no issue has, for other text. */
export const parseIssueId = (param: string): number =>
  /^[1-9]\d{0,14}$/.test(param) ? Number(param) : 0;

export type Issue = Awaited<ReturnType<typeof getIssue>>;

async function countDeliveries(
  tx: Tx,
  { id, recipientCount, sentCount }: { id: number; recipientCount: number; sentCount: number },
): Promise<IssueCounts> {
  const groups = await tx.newsletterDelivery.groupBy({
    by: ["state"],
    where: { issueId: id },
    _count: true,
  });
  const count = (state: string) => groups.find((group) => group.state === state)?._count ?? 0;
  const pending = count("PENDING") + count("SENDING");
  const sent = sentCount + count("SENT");
  const failed = count("FAILED");
  const uncertain = count("UNCERTAIN");
  const skipped = recipientCount - pending - sent - failed - uncertain;
  return { pending, sent, failed, uncertain, skipped };
}

/** What an edit of a draft replaces. */
interface DraftContent {
  readonly subject: string;
  readonly intro: string;
  readonly sendAt: Date | null;
}

/** Returns the version of a draft for optimistic locking: a hash of what an edit replaces. */
export function issueVersion({ subject, intro, sendAt }: DraftContent): string {
  return createHash("sha256")
    .update(JSON.stringify([subject, intro, sendAt]))
    .digest("hex");
}

/** Returns the ID of a new draft. */
export async function createIssue(
  tx: Tx,
  admin: Member,
  { postSlug, subject }: { postSlug: string; subject: string },
): Promise<number> {
  assertAdmin(admin);
  const { id } = await tx.newsletterIssue.create({
    data: { createdAt: new Date(nowMs()), postSlug, subject },
    select: { id: true },
  });
  return id;
}

/**
 * Changes a draft. Its `sendAt` is a proposal until it is scheduled. Throws AppError(conflict) if it
 * is not a draft, or no longer the `expectedVersion`.
 */
export async function editIssue(
  tx: Tx,
  admin: Member,
  { id, expectedVersion, ...data }: DraftContent & { id: number; expectedVersion: string },
): Promise<void> {
  assertAdmin(admin);
  const issue = await getIssue(tx, admin, id);
  if (issue.state === "DRAFT" && issueVersion(issue) !== expectedVersion)
    throw new AppError(
      "conflict",
      "This draft has changed since you opened it. Copy your text and reload the page.",
    );
  await changeState(tx, id, ["DRAFT"], data);
}

/**
 * Schedules a draft for `sendAt`, or for UNDO_MS from now if that is later. Throws
 * AppError(conflict) if it is not a draft.
 */
export async function scheduleIssue(
  tx: Tx,
  admin: Member,
  { id, sendAt }: { id: number; sendAt: Date | null },
): Promise<void> {
  assertAdmin(admin);
  await changeState(tx, id, ["DRAFT"], {
    state: "SCHEDULED",
    sendAt: new Date(Math.max(sendAt?.getTime() ?? 0, nowMs() + UNDO_MS)),
    problem: null,
  });
  await record(tx, admin, "newsletter.schedule", id);
}

/**
 * Makes a scheduled issue a draft again, which keeps its time unless that is near or past. Stops one
 * that is being sent: no one else gets it until resendIssue(). Throws AppError(conflict) in another
 * state.
 */
export async function cancelIssue(tx: Tx, admin: Member, id: number): Promise<void> {
  assertAdmin(admin);
  const { state, sendAt } = await getIssue(tx, admin, id);
  if (state === "SCHEDULED")
    await changeState(tx, id, ["SCHEDULED"], {
      state: "DRAFT",
      sendAt: Number(sendAt) > nowMs() + UNDO_MS ? sendAt : null,
      problem: null,
    });
  else {
    await changeState(tx, id, ["SENDING"], {
      state: "CANCELED",
      finishedAt: new Date(nowMs()),
      problem: null,
    });
    await countSentDeliveries(tx, id);
  }
  await record(tx, admin, "newsletter.cancel", id);
}

/** Deletes a draft. Throws AppError(conflict) if it is not one. */
export async function deleteIssue(tx: Tx, admin: Member, id: number): Promise<void> {
  assertAdmin(admin);
  const { count } = await tx.newsletterIssue.deleteMany({ where: { id, state: "DRAFT" } });
  if (count === 0) throw stateConflict();
}

/**
 * Resends an issue to its uncertain or its failed recipients, or resumes a stopped one for its
 * pending recipients. Call triggerNewsletter() after the commit. Throws AppError(conflict) if there
 * are no such recipients, or in another state.
 */
export async function resendIssue(
  tx: Tx,
  admin: Member,
  { id, state }: { id: number; state: "UNCERTAIN" | "FAILED" | "PENDING" },
): Promise<void> {
  assertAdmin(admin);
  const { count } = await tx.newsletterDelivery.updateMany({
    where: { issueId: id, state },
    data: { state: "PENDING", tries: 0, error: null, nextTryAt: new Date(nowMs()) },
  });
  if (count === 0) throw stateConflict();
  const from = state === "PENDING" ? (["CANCELED"] as const) : (["SENDING", "SENT"] as const);
  await changeState(tx, id, from, { state: "SENDING", finishedAt: null });
  await record(tx, admin, "newsletter.resend", id, { state, count });
}

async function changeState(
  tx: Tx,
  id: number,
  from: readonly IssueState[],
  data: Parameters<Tx["newsletterIssue"]["updateMany"]>[0]["data"],
): Promise<void> {
  const { count } = await tx.newsletterIssue.updateMany({
    where: { id, state: { in: [...from] } },
    data,
  });
  if (count === 0) throw stateConflict();
}

const record = (tx: Tx, { id: actorId }: Member, action: string, issueId: number, detail = {}) =>
  recordAuditEvent(tx, { actorId, action, subjectId: `issue ${issueId}`, detail });

const issueNotFound = () => new AppError("not_found", "This issue doesn’t exist.");
const stateConflict = () =>
  new AppError("conflict", "This issue has changed in the meantime. Reload the page.");
