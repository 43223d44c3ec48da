// From an answered call to an episode, and back.

import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { recordAuditEvent } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { sniffAudio } from "./audio/probe.ts";
import type { MergedAudio } from "./merge-audio.ts";
import { findCallAudio } from "./recording.ts";
import { type ReviewDecision, getCaller, transitionCall } from "./review.ts";
import { publishedEmail } from "./review-emails.ts";
import { findAnswerAudio, getReviewedCall } from "./review-queue.ts";

const MAX_SLUG_CHARS = 60;

/** The address of an episode: its number, then its title in small letters without accents; only the number where nothing is left of the title. */
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

/** The number that the next episode gets. */
export function nextEpisodeNumber(sql: Sql): number {
  return (
    (sql.get<{ last: number | null }>(`SELECT MAX("number") AS "last" FROM "Episode"`)?.last ?? 0) +
    1
  );
}

/**
 * What joinAudio takes, of the call as the admin saw it, or null where publish would refuse anyway. A recording that was moved in
 * from elsewhere and is no sound we know counts as none. Throws AppError: forbidden for all but admins, not_found.
 */
export function findMergeSource(
  sql: Sql,
  { callId, by, expectedVersion }: ReviewDecision,
): { title: string; call: Uint8Array | null; answer: Uint8Array } | null {
  const { title, state, changedAt } = getReviewedCall(sql, { by, callId });
  const answer = findAnswerAudio(sql, { by, callId });
  if (state !== "ANSWERED" || changedAt !== expectedVersion || !answer) return null;
  const sound = findCallAudio(sql, callId);
  return {
    title,
    call: sound && sniffAudio(sound.bytes) ? sound.bytes : null,
    answer: answer.audio,
  };
}

/**
 * ANSWERED → PUBLISHED, the episode, the mail to the caller and the word to Discord, all or nothing; kickDeliveries() after the commit. `joined` is call and
 * answer in one file, made of what the admin saw (expectedVersion: an answer that was changed since is a conflict), or null.
 * Returns number and slug. The number is one more than the highest there is; one that was taken down leaves its number free.
 * Throws as leave does.
 */
export function publishCall(
  sql: Sql,
  {
    transcript,
    joined = null,
    ...decision
  }: ReviewDecision & { transcript: string; joined?: MergedAudio | null },
): { number: number; slug: string } {
  transitionCall(sql, decision, ["ANSWERED"], "PUBLISHED");
  const { callId, by } = decision;
  const caller = getCaller(sql, callId);
  const number = nextEpisodeNumber(sql);
  const slug = episodeSlug(number, caller.title);
  const now = nowMs();
  sql.run(
    `INSERT INTO "Episode" ("callId", "number", "slug", "publishedAt", "updatedAt", "title", "description", "keywords", "callerName", "transcript", "joinedType", "joinedDurationMs", "joinedAudio")
     SELECT "id", ?, ?, ?, ?, "title", "description", "keywords", ?, ?, ?, ?, ? FROM "Call" WHERE "id" = ?`,
    number,
    slug,
    now,
    now,
    caller.firstName,
    transcript,
    joined?.contentType ?? null,
    joined ? Math.round(joined.durationMs) : null,
    joined?.audio ?? null,
    callId,
  );
  enqueueDelivery(
    sql,
    { kind: "MAIL", mail: publishedEmail(caller, { number, slug }) },
    { userId: caller.userId, about: `Episode ${number} was published: ${caller.title}` },
  );
  enqueueDelivery(
    sql,
    { kind: "DISCORD", text: `Episode ${number}: ${caller.title}\n${env.SITE_URL}/calls/${slug}` },
    { userId: caller.userId, about: `Episode ${number} was published: ${caller.title}` },
  );
  recordAuditEvent(sql, {
    actorId: by.id,
    action: "call.publish",
    subjectId: callId,
    detail: { number, isJoined: joined !== null },
  });
  return { number, slug };
}

/** PUBLISHED → ANSWERED: the episode goes, its page, its sound and its place in the feed with it. The caller is not told. Throws as leave does. */
export function unpublishCall(sql: Sql, decision: ReviewDecision): void {
  transitionCall(sql, decision, ["PUBLISHED"], "ANSWERED");
  const episode = sql.get<{ number: number }>(
    `SELECT "number" FROM "Episode" WHERE "callId" = ?`,
    decision.callId,
  );
  sql.run(`DELETE FROM "Episode" WHERE "callId" = ?`, decision.callId);
  recordAuditEvent(sql, {
    actorId: decision.by.id,
    action: "call.unpublish",
    subjectId: decision.callId,
    detail: { number: episode?.number ?? null },
  });
}
