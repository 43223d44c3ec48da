// Applies admins' decisions to calls. Optimistic locking: each is one UPDATE that requires the
// state and version that the admin saw. The second of two concurrent decisions fails with a
// conflict that names the first.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";
import { recordAuditEvent } from "../db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import type { EncodedAudio } from "./audio/probe.ts";
import { IS_RECORDED_SQL } from "./recording.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { type CallState, getReviewedCall } from "./review-queue.ts";
import { declinedEmail } from "./review-emails.ts";

export interface ReviewDecision {
  readonly callId: string;
  readonly admin: Member;
  /** Optimistic locking: the call's changedAt as the admin saw it. */
  readonly expectedVersion: number;
}

const TRANSITION_PHRASES: Record<CallState, string> = {
  NEW: "moved this call back to New",
  REVIEWING: "claimed this call or removed its answer",
  ANSWERED: "answered this call or unpublished its episode",
  PUBLISHED: "published this call",
  DECLINED: "declined this call",
};

const STATE_PHRASES: Record<CallState, string> = {
  NEW: "This call is new",
  REVIEWING: "This call is in review",
  ANSWERED: "This call is answered",
  PUBLISHED: "This call is published",
  DECLINED: "This call is declined",
};

/**
 * Moves the call from one of the states `from` to `to`. changedAt always increases, even within one
 * millisecond. Throws AppError: forbidden for members, not_found, conflict if the call is in
 * another state or has another version.
 */
export function transitionCall(
  tx: Tx,
  { callId, admin, expectedVersion }: ReviewDecision,
  from: readonly CallState[],
  to: CallState,
): void {
  assertAdmin(admin);
  const { changes } = sqlOf(tx).run(
    `UPDATE "CallReview" SET "state" = ?, "reviewerId" = ?, "changedAt" = max(?, "changedAt" + 1) WHERE "callId" = ? AND "changedAt" = ? AND "state" IN (${from.map(() => "?").join(", ")})`,
    to,
    admin.id,
    nowMs(),
    callId,
    expectedVersion,
    ...from,
  );
  if (changes === 1) return;
  const { state, changedAt, reviewerName } = getReviewedCall(tx, { admin, callId });
  const reason =
    changedAt === expectedVersion
      ? `${STATE_PHRASES[state]}, so this isn’t possible.`
      : `${reviewerName ?? "Another admin"} has ${TRANSITION_PHRASES[state]} in the meantime.`;
  throw new AppError("conflict", `Nothing was changed. ${reason}`);
}

/**
 * Claims a call: NEW → REVIEWING. Answering and declining don't require a claim. Throws like
 * transitionCall.
 */
export function claimCall(tx: Tx, decision: ReviewDecision): void {
  transitionCall(tx, decision, ["NEW"], "REVIEWING");
  recordAuditEvent(tx, {
    actorId: decision.admin.id,
    action: "call.take",
    subjectId: decision.callId,
    detail: {},
  });
}

/** Releases a claimed call: REVIEWING → NEW. Throws like transitionCall. */
export function unclaimCall(tx: Tx, decision: ReviewDecision): void {
  transitionCall(tx, decision, ["REVIEWING"], "NEW");
  recordAuditEvent(tx, {
    actorId: decision.admin.id,
    action: "call.put_back",
    subjectId: decision.callId,
    detail: {},
  });
}

/**
 * Saves or replaces the answer: NEW, REVIEWING or ANSWERED → ANSWERED. `answer` must have been
 * probed. Throws like transitionCall.
 */
export function saveAnswer(
  tx: Tx,
  { answer, ...decision }: ReviewDecision & { answer: EncodedAudio },
): void {
  transitionCall(tx, decision, ["NEW", "REVIEWING", "ANSWERED"], "ANSWERED");
  sqlOf(tx).run(
    `INSERT OR REPLACE INTO "CallAnswer" ("callId", "createdAt", "contentType", "durationMs", "audio") VALUES (?, ?, ?, ?, ?)`,
    decision.callId,
    nowMs(),
    answer.contentType,
    Math.round(answer.durationMs),
    answer.audio,
  );
  recordAuditEvent(tx, {
    actorId: decision.admin.id,
    action: "call.answer",
    subjectId: decision.callId,
    detail: { durationMs: Math.round(answer.durationMs), bytes: answer.audio.length },
  });
}

/** Deletes the answer: ANSWERED → REVIEWING. Throws like transitionCall. */
export function removeAnswer(tx: Tx, decision: ReviewDecision): void {
  transitionCall(tx, decision, ["ANSWERED"], "REVIEWING");
  sqlOf(tx).run(`DELETE FROM "CallAnswer" WHERE "callId" = ?`, decision.callId);
  recordAuditEvent(tx, {
    actorId: decision.admin.id,
    action: "call.answer_removed",
    subjectId: decision.callId,
    detail: {},
  });
}

/**
 * Declines a call: NEW, REVIEWING or ANSWERED → DECLINED. Adds an email with the reason to the
 * outbox: call triggerDeliveries() after the commit. Throws like transitionCall.
 */
export function declineCall(
  tx: Tx,
  { reason, ...decision }: ReviewDecision & { reason: string },
): void {
  transitionCall(tx, decision, ["NEW", "REVIEWING", "ANSWERED"], "DECLINED");
  sqlOf(tx).run(
    `UPDATE "CallReview" SET "declineReason" = ? WHERE "callId" = ?`,
    reason,
    decision.callId,
  );
  const caller = getCaller(tx, decision.callId);
  enqueueDelivery(
    tx,
    { kind: "MAIL", mail: declinedEmail(caller, reason) },
    { userId: caller.userId, about: `A call was declined: ${caller.title}` },
  );
  recordAuditEvent(tx, {
    actorId: decision.admin.id,
    action: "call.decline",
    subjectId: decision.callId,
    detail: {},
  });
}

/**
 * Reopens a call: DECLINED → ANSWERED if it has an answer, else NEW. The caller isn't notified.
 * Throws like transitionCall.
 */
export function reopenCall(tx: Tx, decision: ReviewDecision): void {
  assertAdmin(decision.admin);
  const isAnswered =
    sqlOf(tx).get(`SELECT 1 FROM "CallAnswer" WHERE "callId" = ?`, decision.callId) !== undefined;
  transitionCall(tx, decision, ["DECLINED"], isAnswered ? "ANSWERED" : "NEW");
  sqlOf(tx).run(`UPDATE "CallReview" SET "declineReason" = '' WHERE "callId" = ?`, decision.callId);
  recordAuditEvent(tx, {
    actorId: decision.admin.id,
    action: "call.reopen",
    subjectId: decision.callId,
    detail: {},
  });
}

export interface CallTexts {
  readonly title: string;
  readonly description: string;
  readonly keywords: string;
  /** Shown to admins only. */
  readonly note: string;
}

/**
 * Edits the texts of a call and its episode, which keeps its slug. `expectedVersion` is the call's
 * updatedAt as the admin saw it. Throws AppError: forbidden, not_found, conflict if another admin
 * has edited the call.
 */
export function editCall(
  tx: Tx,
  {
    callId,
    admin,
    expectedVersion,
    title,
    description,
    keywords,
    note,
    transcript,
  }: ReviewDecision & CallTexts & { transcript?: string },
): void {
  assertAdmin(admin);
  const now = nowMs();
  const { changes } = sqlOf(tx).run(
    `UPDATE "Call" SET "title" = ?, "description" = ?, "keywords" = ?, "updatedAt" = max(?, "updatedAt" + 1) WHERE "id" = ? AND "updatedAt" = ?`,
    title,
    description,
    keywords,
    now,
    callId,
    expectedVersion,
  );
  if (changes === 0) {
    getReviewedCall(tx, { admin, callId });
    throw new AppError(
      "conflict",
      "Another admin has changed this call. Reload to see the latest version.",
    );
  }
  sqlOf(tx).run(`UPDATE "CallReview" SET "note" = ? WHERE "callId" = ?`, note, callId);
  const isPublished =
    sqlOf(tx).run(
      `UPDATE "Episode" SET "title" = ?, "description" = ?, "keywords" = ?, "updatedAt" = max(?, "updatedAt" + 1) WHERE "callId" = ?`,
      title,
      description,
      keywords,
      now,
      callId,
    ).changes === 1;
  if (isPublished && transcript !== undefined)
    sqlOf(tx).run(`UPDATE "Episode" SET "transcript" = ? WHERE "callId" = ?`, transcript, callId);
  recordAuditEvent(tx, {
    actorId: admin.id,
    action: isPublished ? "episode.edit" : "call.edit",
    subjectId: callId,
    detail: {},
  });
}

export interface Caller {
  readonly userId: string;
  readonly email: string;
  readonly firstName: string;
  /** The call's title. */
  readonly title: string;
  /** True if the description is the question and there is no recording. */
  readonly isTyped: boolean;
}

/**
 * Returns the caller of a call with their email address, which pages must not show. Throws
 * AppError(not_found).
 */
export function getCaller(tx: Tx, callId: string): Caller {
  const caller = sqlOf(tx).get<Omit<Caller, "isTyped"> & { isTyped: number }>(
    `SELECT u."id" AS "userId", u."email", u."firstName", c."title", NOT ${IS_RECORDED_SQL} AS "isTyped" FROM "Call" c JOIN "User" u ON u."id" = c."userId" WHERE c."id" = ?`,
    callId,
  );
  if (!caller)
    throw new AppError("not_found", "This call doesn’t exist. Its caller may have deleted it.");
  return { ...caller, isTyped: caller.isTyped === 1 };
}
