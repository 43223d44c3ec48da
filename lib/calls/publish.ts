// Publishes answered calls as episodes, and unpublishes them.

import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import type { Tx } from "#lib/db/database.ts";
import { escapeDiscordMarkdown } from "#lib/outbound/outbox/discord-markdown.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { type EncodedAudio, sniffAudio } from "./audio/probe.ts";
import { saveMergedAudio } from "./audio-blobs.sql.ts";
import { findCallAudio } from "./recording.ts";
import { type ReviewDecision, getCaller, recordCallEvent, transitionCall } from "./review.ts";
import { publishedEmail } from "./review-emails.ts";
import { findAnswerAudio, getReviewedCall } from "./review-queue.ts";
import { requestTranscription } from "./transcribe.ts";

const MAX_SLUG_CHARS = 60;

/**
 * Returns an episode's slug: its number, then its title in lowercase ASCII, if any letters remain.
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
export async function nextEpisodeNumber(tx: Tx): Promise<number> {
  const { _max } = await tx.episode.aggregate({ _max: { number: true } });
  return (_max.number ?? 0) + 1;
}

/**
 * Returns the input of mergeAudio(), or null if publishing would fail. A recording in an unknown
 * format (from the source site) is left out. Throws AppError: forbidden for members, not_found.
 */
export async function findMergeSource(
  tx: Tx,
  { callId, admin, expectedVersion }: ReviewDecision,
): Promise<{ title: string; call: Uint8Array | null; answer: Uint8Array } | null> {
  const { title, state, changedAt } = await getReviewedCall(tx, { admin, callId });
  const answer = await findAnswerAudio(tx, { admin, callId });
  if (state !== "ANSWERED" || changedAt !== expectedVersion || !answer) return null;
  const recording = await findCallAudio(tx, callId);
  return {
    title,
    call: recording && sniffAudio(recording.bytes) ? recording.bytes : null,
    answer: answer.audio,
  };
}

/**
 * Publishes a call: ANSWERED → PUBLISHED. Inserts the episode and adds the email to the caller and
 * the Discord message to the outbox: call triggerDeliveries() after the commit. Without a
 * transcript, it requests one: call triggerTranscriptions(), too. Throws like transitionCall.
 */
export async function publishCall(
  tx: Tx,
  {
    transcript,
    mergedAudio = null,
    ...decision
  }: ReviewDecision & { transcript: string; mergedAudio?: EncodedAudio | null },
): Promise<{ number: number; slug: string }> {
  await transitionCall(tx, decision, ["ANSWERED"], "PUBLISHED");
  const { callId } = decision;
  const caller = await getCaller(tx, callId);
  const texts = await tx.call.findUniqueOrThrow({
    where: { id: callId },
    select: { title: true, description: true, keywords: true },
  });
  const number = await nextEpisodeNumber(tx);
  const slug = episodeSlug(number, caller.title);
  const now = new Date(nowMs());
  await tx.episode.create({
    data: {
      ...texts,
      callId,
      number,
      slug,
      publishedAt: now,
      updatedAt: now,
      callerName: caller.firstName,
      transcript,
    },
    select: { callId: true },
  });
  if (mergedAudio) saveMergedAudio(tx, callId, mergedAudio);
  if (transcript === "") await requestTranscription(tx, callId);
  await enqueueDelivery(
    tx,
    { kind: "MAIL", mail: publishedEmail(caller, { number, slug }) },
    { userId: caller.userId, about: `Episode ${number} was published: ${caller.title}` },
  );
  await enqueueDelivery(
    tx,
    {
      kind: "DISCORD",
      text: `Episode ${number}: ${escapeDiscordMarkdown(caller.title)}\n${env.SITE_URL}/calls/${slug}`,
    },
    { userId: caller.userId, about: `Episode ${number} was published: ${caller.title}` },
  );
  await recordCallEvent(tx, decision, "call.publish", { number, isJoined: mergedAudio !== null });
  return { number, slug };
}

/**
 * Unpublishes a call: PUBLISHED → ANSWERED. Deletes the episode; the caller isn't notified. Throws
 * like transitionCall.
 */
export async function unpublishCall(tx: Tx, decision: ReviewDecision): Promise<void> {
  await transitionCall(tx, decision, ["PUBLISHED"], "ANSWERED");
  const { callId } = decision;
  const episode = await tx.episode.findUnique({ where: { callId }, select: { number: true } });
  await tx.episode.deleteMany({ where: { callId } });
  await recordCallEvent(tx, decision, "call.unpublish", { number: episode?.number ?? null });
}
