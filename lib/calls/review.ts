// Applies admins' decisions to calls, with optimistic locking: each is one update that requires the
// state and version that the admin saw. The second of two concurrent decisions fails with a
// conflict that names the first.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { CallState } from "#lib/db/column-values.ts";
import type { Tx } from "#lib/db/database.ts";
import type { EncodedAudio } from "./audio/probe.ts";
import { saveAnswerAudio } from "./audio-blobs.sql.ts";
import { findRecordedCallIds } from "./recording.sql.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { getReviewedCall } from "./review-queue.ts";
import { declinedEmail } from "./review-emails.ts";
import { requestTranscription } from "./transcribe.ts";

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

/** Returns the next version: the current time, but at least a millisecond after `version`. */
const nextVersion = (version: number) => new Date(Math.max(nowMs(), version + 1));

/**
 * Moves the call from one of the states `from` to `to`, and sets its declineReason if given. Throws
 * AppError: forbidden for members, not_found, conflict if the call is in another state or has
 * another version.
 */
export async function transitionCall(
  tx: Tx,
  { callId, admin, expectedVersion }: ReviewDecision,
  from: readonly CallState[],
  to: CallState,
  fields: { declineReason?: string } = {},
): Promise<void> {
  assertAdmin(admin);
  const { count } = await tx.callReview.updateMany({
    where: { callId, changedAt: new Date(expectedVersion), state: { in: [...from] } },
    data: {
      ...fields,
      state: to,
      reviewerId: admin.id,
      changedAt: nextVersion(expectedVersion),
    },
  });
  if (count === 1) return;
  const { state, changedAt, reviewerName } = await getReviewedCall(tx, { admin, callId });
  const reason =
    changedAt === expectedVersion
      ? `${STATE_PHRASES[state]}, so this isn’t possible.`
      : `${reviewerName ?? "Another admin"} has ${TRANSITION_PHRASES[state]} in the meantime.`;
  throw new AppError("conflict", `Nothing was changed. ${reason}`);
}

/** Records an admin's change to a call in the audit log. */
export const recordCallEvent = (
  tx: Tx,
  { callId, admin }: Pick<ReviewDecision, "callId" | "admin">,
  action: string,
  detail?: Record<string, unknown>,
): Promise<void> => recordAuditEvent(tx, { actorId: admin.id, action, subjectId: callId, detail });

/**
 * Claims a call: NEW → REVIEWING. Answering and declining don't require a claim. Throws like
 * transitionCall.
 */
export async function claimCall(tx: Tx, decision: ReviewDecision): Promise<void> {
  await transitionCall(tx, decision, ["NEW"], "REVIEWING");
  await recordCallEvent(tx, decision, "call.take");
}

/** Releases a claimed call: REVIEWING → NEW. Throws like transitionCall. */
export async function unclaimCall(tx: Tx, decision: ReviewDecision): Promise<void> {
  await transitionCall(tx, decision, ["REVIEWING"], "NEW");
  await recordCallEvent(tx, decision, "call.put_back");
}

/**
 * Saves or replaces the answer: NEW, REVIEWING or ANSWERED → ANSWERED. `answer` must have been
 * probed. Throws like transitionCall.
 */
export async function saveAnswer(
  tx: Tx,
  { answer, ...decision }: ReviewDecision & { answer: EncodedAudio },
): Promise<void> {
  await transitionCall(tx, decision, ["NEW", "REVIEWING", "ANSWERED"], "ANSWERED");
  saveAnswerAudio(tx, decision.callId, answer);
  await recordCallEvent(tx, decision, "call.answer", {
    durationMs: Math.round(answer.durationMs),
    bytes: answer.audio.length,
  });
}

/** Deletes the answer: ANSWERED → REVIEWING. Throws like transitionCall. */
export async function removeAnswer(tx: Tx, decision: ReviewDecision): Promise<void> {
  await transitionCall(tx, decision, ["ANSWERED"], "REVIEWING");
  await tx.callAnswer.deleteMany({ where: { callId: decision.callId } });
  await recordCallEvent(tx, decision, "call.answer_removed");
}

/**
 * Declines a call: NEW, REVIEWING or ANSWERED → DECLINED. Adds an email with the reason to the
 * outbox: call triggerDeliveries() after the commit. Throws like transitionCall.
 */
export async function declineCall(
  tx: Tx,
  { reason, ...decision }: ReviewDecision & { reason: string },
): Promise<void> {
  await transitionCall(tx, decision, ["NEW", "REVIEWING", "ANSWERED"], "DECLINED", {
    declineReason: reason,
  });
  const caller = await getCaller(tx, decision.callId);
  await enqueueDelivery(
    tx,
    { kind: "MAIL", mail: declinedEmail(caller, reason) },
    { userId: caller.userId, about: `A call was declined: ${caller.title}` },
  );
  await recordCallEvent(tx, decision, "call.decline");
}

/**
 * Reopens a call: DECLINED → ANSWERED if it has an answer, else NEW. The caller isn't notified.
 * Throws like transitionCall.
 */
export async function reopenCall(tx: Tx, decision: ReviewDecision): Promise<void> {
  assertAdmin(decision.admin);
  const answerCount = await tx.callAnswer.count({ where: { callId: decision.callId } });
  await transitionCall(tx, decision, ["DECLINED"], answerCount > 0 ? "ANSWERED" : "NEW", {
    declineReason: "",
  });
  await recordCallEvent(tx, decision, "call.reopen");
}

export interface CallTexts {
  readonly title: string;
  readonly description: string;
  readonly keywords: string;
  /** Shown to admins only. */
  readonly note: string;
}

/**
 * Edits the text of a call and its episode, which keeps its slug. An empty transcript requests one:
 * call triggerTranscriptions() after the commit. `expectedVersion` is the call's updatedAt as the
 * admin saw it. Throws AppError: forbidden, not_found, conflict if the call has changed since.
 */
export async function editCall(
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
): Promise<void> {
  assertAdmin(admin);
  const texts = { title, description, keywords };
  const { count } = await tx.call.updateMany({
    where: { id: callId, updatedAt: new Date(expectedVersion) },
    data: { ...texts, updatedAt: nextVersion(expectedVersion) },
  });
  if (count === 0) {
    await getReviewedCall(tx, { admin, callId });
    throw new AppError(
      "conflict",
      "This call has changed since you opened the page. Reload to see the latest version.",
    );
  }
  await tx.callReview.updateMany({ where: { callId }, data: { note } });
  const episode = await tx.episode.findUnique({ where: { callId }, select: { updatedAt: true } });
  if (episode)
    await tx.episode.update({
      where: { callId },
      data: {
        ...texts,
        updatedAt: nextVersion(episode.updatedAt.getTime()),
        ...(transcript !== undefined && { transcript }),
      },
      select: { callId: true },
    });
  if (episode && transcript === "") await requestTranscription(tx, callId);
  else if (episode && transcript) await tx.transcription.deleteMany({ where: { callId } });
  await recordCallEvent(tx, { callId, admin }, episode ? "episode.edit" : "call.edit");
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
export async function getCaller(tx: Tx, callId: string): Promise<Caller> {
  const call = await tx.call.findUnique({
    where: { id: callId },
    select: { userId: true, title: true, user: { select: { email: true, firstName: true } } },
  });
  if (!call)
    throw new AppError("not_found", "This call doesn’t exist. Its caller may have deleted it.");
  const { user, ...rest } = call;
  return { ...rest, ...user, isTyped: !findRecordedCallIds(tx, [callId]).has(callId) };
}
