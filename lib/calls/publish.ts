// Publishes answered calls as episodes, and unpublishes them.

import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { recordAuditEvent } from "../db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { type EncodedAudio, sniffAudio } from "./audio/probe.ts";
import { findCallAudio } from "./recording.ts";
import { type ReviewDecision, getCaller, transitionCall } from "./review.ts";
import { publishedEmail } from "./review-emails.ts";
import { findAnswerAudio, getReviewedCall } from "./review-queue.ts";

const MAX_SLUG_CHARS = 60;

/**
 * Returns an episode's slug: its number, then its title in lowercase ASCII if any of it remains.
 */
export function episodeSlug(number: number, title: string): string {
  const words = title
    .normalize("NFKD")
    .replace(/[\u0300-\u036f'’]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_SLUG_CHARS)
    .replace(/^-+|-+$/g, "");
  return words ? `${number}-${words}` : String(number);
}

/** Returns the number of the next episode: the highest plus one. */
export function nextEpisodeNumber(tx: Tx): number {
  return (
    (sqlOf(tx).get<{ last: number | null }>(`SELECT MAX("number") AS "last" FROM "Episode"`)
      ?.last ?? 0) + 1
  );
}

/**
 * Returns the input of mergeAudio(), or null if publishing would fail. A recording in an unknown
 * format (from the source site) is left out. Throws AppError: forbidden for members, not_found.
 */
export function findMergeSource(
  tx: Tx,
  { callId, admin, expectedVersion }: ReviewDecision,
): { title: string; call: Uint8Array | null; answer: Uint8Array } | null {
  const { title, state, changedAt } = getReviewedCall(tx, { admin, callId });
  const answer = findAnswerAudio(tx, { admin, callId });
  if (state !== "ANSWERED" || changedAt !== expectedVersion || !answer) return null;
  const recording = findCallAudio(tx, callId);
  return {
    title,
    call: recording && sniffAudio(recording.bytes) ? recording.bytes : null,
    answer: answer.audio,
  };
}

/**
 * Publishes a call: ANSWERED → PUBLISHED. Inserts the episode and adds the email to the caller and
 * the Discord message to the outbox: call triggerDeliveries() after the commit. Throws like
 * transitionCall.
 */
export function publishCall(
  tx: Tx,
  {
    transcript,
    mergedAudio = null,
    ...decision
  }: ReviewDecision & { transcript: string; mergedAudio?: EncodedAudio | null },
): { number: number; slug: string } {
  transitionCall(tx, decision, ["ANSWERED"], "PUBLISHED");
  const { callId, admin } = decision;
  const caller = getCaller(tx, callId);
  const number = nextEpisodeNumber(tx);
  const slug = episodeSlug(number, caller.title);
  const now = nowMs();
  sqlOf(tx).run(
    `INSERT INTO "Episode" ("callId", "number", "slug", "publishedAt", "updatedAt", "title", "description", "keywords", "callerName", "transcript", "joinedType", "joinedDurationMs", "joinedAudio")
     SELECT "id", ?, ?, ?, ?, "title", "description", "keywords", ?, ?, ?, ?, ? FROM "Call" WHERE "id" = ?`,
    number,
    slug,
    now,
    now,
    caller.firstName,
    transcript,
    mergedAudio?.contentType ?? null,
    mergedAudio ? Math.round(mergedAudio.durationMs) : null,
    mergedAudio?.audio ?? null,
    callId,
  );
  enqueueDelivery(
    tx,
    { kind: "MAIL", mail: publishedEmail(caller, { number, slug }) },
    { userId: caller.userId, about: `Episode ${number} was published: ${caller.title}` },
  );
  enqueueDelivery(
    tx,
    { kind: "DISCORD", text: `Episode ${number}: ${caller.title}\n${env.SITE_URL}/calls/${slug}` },
    { userId: caller.userId, about: `Episode ${number} was published: ${caller.title}` },
  );
  recordAuditEvent(tx, {
    actorId: admin.id,
    action: "call.publish",
    subjectId: callId,
    detail: { number, isJoined: mergedAudio !== null },
  });
  return { number, slug };
}

/**
 * Unpublishes a call: PUBLISHED → ANSWERED. Deletes the episode; the caller isn't notified. Throws
 * like transitionCall.
 */
export function unpublishCall(tx: Tx, decision: ReviewDecision): void {
  transitionCall(tx, decision, ["PUBLISHED"], "ANSWERED");
  const episode = sqlOf(tx).get<{ number: number }>(
    `SELECT "number" FROM "Episode" WHERE "callId" = ?`,
    decision.callId,
  );
  sqlOf(tx).run(`DELETE FROM "Episode" WHERE "callId" = ?`, decision.callId);
  recordAuditEvent(tx, {
    actorId: decision.admin.id,
    action: "call.unpublish",
    subjectId: decision.callId,
    detail: { number: episode?.number ?? null },
  });
}
