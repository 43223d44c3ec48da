// What an admin decides on a call. Each decision is one UPDATE that names the state it leaves and the moment the admin saw:
// of two admins who decide at once, one does, and the other is told what happened meanwhile.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/core/member.ts";
import { recordAuditEvent } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";
import { IS_RECORDED_SQL } from "./recording.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { type CallState, getReviewedCall } from "./review-queue.ts";
import { declinedEmail } from "./review-emails.ts";

export interface ReviewDecision {
  readonly callId: string;
  readonly by: Member;
  /** The call's changedAt as the admin saw it. */
  readonly expectedVersion: number;
}

const TRANSITION_PHRASES: Record<CallState, string> = {
  NEW: "put this call back to the new ones",
  REVIEWING: "taken this call, or removed its answer",
  ANSWERED: "answered this call, or taken its episode down",
  PUBLISHED: "published this call",
  DECLINED: "declined this call",
};

const STATE_PHRASES: Record<CallState, string> = {
  NEW: "This call is new",
  REVIEWING: "This call is being reviewed",
  ANSWERED: "This call is answered",
  PUBLISHED: "This call is published",
  DECLINED: "This call is declined",
};

/**
 * Has the call leave one of the states `from` for `to`. Throws AppError: forbidden for all but admins, not_found for a call that is
 * gone, conflict (and nothing is changed) where it is in another state, or has changed since the admin saw it.
 * changedAt always grows, so that two changes in one millisecond are two.
 */
export function transitionCall(
  sql: Sql,
  { callId, by, expectedVersion }: ReviewDecision,
  from: readonly CallState[],
  to: CallState,
): void {
  assertAdmin(by);
  const { changes } = sql.run(
    `UPDATE "CallReview" SET "state" = ?, "reviewerId" = ?, "changedAt" = max(?, "changedAt" + 1) WHERE "callId" = ? AND "changedAt" = ? AND "state" IN (${from.map(() => "?").join(", ")})`,
    to,
    by.id,
    nowMs(),
    callId,
    expectedVersion,
    ...from,
  );
  if (changes === 1) return;
  const { state, changedAt, reviewerName } = getReviewedCall(sql, { by, callId });
  const happened =
    changedAt === expectedVersion
      ? `${STATE_PHRASES[state]}: that can’t be done with it.`
      : `Meanwhile ${reviewerName ?? "somebody"} has ${TRANSITION_PHRASES[state]}.`;
  throw new AppError("conflict", `Nothing was changed. ${happened}`);
}

/** NEW → REVIEWING: others see who has it. An answer or a refusal needs no taking first. Throws as leave does. */
export function claimCall(sql: Sql, decision: ReviewDecision): void {
  transitionCall(sql, decision, ["NEW"], "REVIEWING");
  recordAuditEvent(sql, {
    actorId: decision.by.id,
    action: "call.take",
    subjectId: decision.callId,
    detail: {},
  });
}

/** REVIEWING → NEW. Throws as leave does. */
export function unclaimCall(sql: Sql, decision: ReviewDecision): void {
  transitionCall(sql, decision, ["REVIEWING"], "NEW");
  recordAuditEvent(sql, {
    actorId: decision.by.id,
    action: "call.put_back",
    subjectId: decision.callId,
    detail: {},
  });
}

export interface AnswerAudio {
  readonly contentType: string;
  readonly durationMs: number;
  readonly audio: Uint8Array;
}

/** NEW, REVIEWING or ANSWERED → ANSWERED, with this answer in place of any other. `answer` has been probed. Throws as leave does. */
export function saveAnswer(
  sql: Sql,
  { answer, ...decision }: ReviewDecision & { answer: AnswerAudio },
): void {
  transitionCall(sql, decision, ["NEW", "REVIEWING", "ANSWERED"], "ANSWERED");
  sql.run(
    `INSERT OR REPLACE INTO "CallAnswer" ("callId", "createdAt", "contentType", "durationMs", "audio") VALUES (?, ?, ?, ?, ?)`,
    decision.callId,
    nowMs(),
    answer.contentType,
    Math.round(answer.durationMs),
    answer.audio,
  );
  recordAuditEvent(sql, {
    actorId: decision.by.id,
    action: "call.answer",
    subjectId: decision.callId,
    detail: { durationMs: Math.round(answer.durationMs), bytes: answer.audio.length },
  });
}

/** ANSWERED → REVIEWING, without the answer. Throws as leave does. */
export function removeAnswer(sql: Sql, decision: ReviewDecision): void {
  transitionCall(sql, decision, ["ANSWERED"], "REVIEWING");
  sql.run(`DELETE FROM "CallAnswer" WHERE "callId" = ?`, decision.callId);
  recordAuditEvent(sql, {
    actorId: decision.by.id,
    action: "call.answer_removed",
    subjectId: decision.callId,
    detail: {},
  });
}

/** NEW, REVIEWING or ANSWERED → DECLINED; the caller gets the reason by mail (kickDeliveries after the commit). Throws as leave does. */
export function declineCall(
  sql: Sql,
  { reason, ...decision }: ReviewDecision & { reason: string },
): void {
  transitionCall(sql, decision, ["NEW", "REVIEWING", "ANSWERED"], "DECLINED");
  sql.run(
    `UPDATE "CallReview" SET "declineReason" = ? WHERE "callId" = ?`,
    reason,
    decision.callId,
  );
  const caller = getCaller(sql, decision.callId);
  enqueueDelivery(
    sql,
    { kind: "MAIL", mail: declinedEmail(caller, reason) },
    { userId: caller.userId, about: `A call was declined: ${caller.title}` },
  );
  recordAuditEvent(sql, {
    actorId: decision.by.id,
    action: "call.decline",
    subjectId: decision.callId,
    detail: {},
  });
}

/** DECLINED → ANSWERED where it has an answer, else NEW. The caller is not told. Throws as leave does. */
export function reopenCall(sql: Sql, decision: ReviewDecision): void {
  assertAdmin(decision.by);
  const isAnswered =
    sql.get(`SELECT 1 FROM "CallAnswer" WHERE "callId" = ?`, decision.callId) !== undefined;
  transitionCall(sql, decision, ["DECLINED"], isAnswered ? "ANSWERED" : "NEW");
  sql.run(`UPDATE "CallReview" SET "declineReason" = '' WHERE "callId" = ?`, decision.callId);
  recordAuditEvent(sql, {
    actorId: decision.by.id,
    action: "call.reopen",
    subjectId: decision.callId,
    detail: {},
  });
}

export interface CallTexts {
  readonly title: string;
  readonly description: string;
  readonly keywords: string;
  /** For admins only. */
  readonly note: string;
}

/**
 * Changes what is written about a call. `expectedVersion` is the call's updatedAt as the admin saw it; `transcript` is for a published one, whose
 * episode changes with it and keeps its address. Throws AppError: forbidden, not_found, conflict where another has changed it since.
 */
export function editCall(
  sql: Sql,
  {
    callId,
    by,
    expectedVersion,
    title,
    description,
    keywords,
    note,
    transcript,
  }: ReviewDecision & CallTexts & { transcript?: string },
): void {
  assertAdmin(by);
  const now = nowMs();
  const { changes } = sql.run(
    `UPDATE "Call" SET "title" = ?, "description" = ?, "keywords" = ?, "updatedAt" = max(?, "updatedAt" + 1) WHERE "id" = ? AND "updatedAt" = ?`,
    title,
    description,
    keywords,
    now,
    callId,
    expectedVersion,
  );
  if (changes === 0) {
    getReviewedCall(sql, { by, callId });
    throw new AppError(
      "conflict",
      "Nothing was changed: another admin has edited this call meanwhile. What they wrote is what the page shows when you load it again.",
    );
  }
  sql.run(`UPDATE "CallReview" SET "note" = ? WHERE "callId" = ?`, note, callId);
  const isPublished =
    sql.run(
      `UPDATE "Episode" SET "title" = ?, "description" = ?, "keywords" = ?, "updatedAt" = max(?, "updatedAt" + 1) WHERE "callId" = ?`,
      title,
      description,
      keywords,
      now,
      callId,
    ).changes === 1;
  if (isPublished && transcript !== undefined)
    sql.run(`UPDATE "Episode" SET "transcript" = ? WHERE "callId" = ?`, transcript, callId);
  recordAuditEvent(sql, {
    actorId: by.id,
    action: isPublished ? "episode.edit" : "call.edit",
    subjectId: callId,
    detail: {},
  });
}

export interface Caller {
  readonly userId: string;
  readonly email: string;
  readonly firstName: string;
  /** Of the call. */
  readonly title: string;
  /** Written, not spoken. */
  readonly isTyped: boolean;
}

/** Whose call it is. Throws AppError(not_found) for a call that is gone. Not for pages: it holds the address. */
export function getCaller(sql: Sql, callId: string): Caller {
  const caller = sql.get<Omit<Caller, "isTyped"> & { isTyped: number }>(
    `SELECT u."id" AS "userId", u."email", u."firstName", c."title", NOT ${IS_RECORDED_SQL} AS "isTyped" FROM "Call" c JOIN "User" u ON u."id" = c."userId" WHERE c."id" = ?`,
    callId,
  );
  if (!caller)
    throw new AppError("not_found", "There is no such call: its caller may have deleted it.");
  return { ...caller, isTyped: caller.isTyped === 1 };
}
