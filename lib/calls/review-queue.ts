// Reads the review queue and the details of a call for admins.

import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";
import { CALL_STATES, type CallState } from "#lib/db/column-values.ts";
import type { Prisma, Tx } from "#lib/db/database.ts";
import { findAudioSizes, readAnswerAudio } from "./audio-blobs.sql.ts";
import { findRecordedCallIds } from "./recording.sql.ts";
import { searchCallIds } from "./search-calls.sql.ts";

export type { CallState };

export interface QueuedCall {
  readonly id: string;
  readonly title: string;
  readonly createdAt: number;
  readonly state: CallState;
  /**
   * When the state or answer last changed, in ms since the Unix epoch. The version for optimistic
   * locking.
   */
  readonly changedAt: number;
  /** Null for a typed question, or a recording from the source site that was never probed. */
  readonly durationMs: number | null;
  readonly isTyped: boolean;
  readonly callerName: string;
  /**
   * First name of the admin who decided last; null before a decision or if the account was deleted.
   */
  readonly reviewerName: string | null;
}

export interface ReviewQueue {
  readonly calls: readonly QueuedCall[];
  /** Counts of all calls, not only the matching ones. */
  readonly counts: Readonly<Record<CallState, number>>;
  /** The number of matching calls. */
  readonly total: number;
  /** Starts at 1. */
  readonly page: number;
  readonly pages: number;
}

/** Calls per page of the queue. */
export const QUEUE_PAGE_SIZE = 25;
const MAX_SEARCH_WORDS = 8;

const QUEUED_CALL = {
  callId: true,
  state: true,
  changedAt: true,
  durationMs: true,
  reviewerId: true,
  call: { select: { title: true, createdAt: true, user: { select: { firstName: true } } } },
} satisfies Prisma.CallReviewSelect;

type QueuedCallRow = Prisma.CallReviewGetPayload<{ select: typeof QUEUED_CALL }> & {
  readonly state: CallState;
};

/** Adds the reviewers' names, and whether the calls have a recording. */
async function toQueuedCalls(tx: Tx, rows: readonly QueuedCallRow[]): Promise<QueuedCall[]> {
  const recordedIds = findRecordedCallIds(
    tx,
    rows.map(({ callId }) => callId),
  );
  const reviewers = await tx.user.findMany({
    where: { id: { in: rows.flatMap(({ reviewerId }) => reviewerId ?? []) } },
    select: { id: true, firstName: true },
  });
  const nameById = new Map(reviewers.map(({ id, firstName }) => [id, firstName]));
  return rows.map(({ callId, state, changedAt, durationMs, reviewerId, call }) => ({
    id: callId,
    title: call.title,
    createdAt: call.createdAt.getTime(),
    state,
    changedAt: changedAt.getTime(),
    durationMs,
    isTyped: !recordedIds.has(callId),
    callerName: call.user.firstName,
    reviewerName: nameById.get(reviewerId ?? "") ?? null,
  }));
}

/**
 * Returns a page of the calls in `state` (null: all) that have every word of `query` in the title,
 * keywords, description or caller's first name. Open calls come oldest first, the others newest
 * first. Throws AppError(forbidden) for members.
 */
export async function listReviewQueue(
  tx: Tx,
  {
    admin,
    state,
    query = "",
    page = 1,
  }: { admin: Member; state: CallState | null; query?: string; page?: number },
): Promise<ReviewQueue> {
  assertAdmin(admin);
  const counts = await countCallsByState(tx);
  const words = query.trim().split(/\s+/).filter(Boolean).slice(0, MAX_SEARCH_WORDS);
  const order = state === "NEW" || state === "REVIEWING" || state === "ANSWERED" ? "asc" : "desc";
  const matchingIds = words.length > 0 ? searchCallIds(tx, { state, words, order }) : null;
  const total =
    matchingIds?.length ??
    (state ? counts[state] : Object.values(counts).reduce((sum, count) => sum + count, 0));
  const pages = Math.max(1, Math.ceil(total / QUEUE_PAGE_SIZE));
  const shownPage = Math.min(Math.max(1, Math.floor(page) || 1), pages);
  const skip = (shownPage - 1) * QUEUE_PAGE_SIZE;
  const rows = await tx.callReview.findMany({
    ...(matchingIds
      ? { where: { callId: { in: matchingIds.slice(skip, skip + QUEUE_PAGE_SIZE) } } }
      : { where: state ? { state } : {}, skip, take: QUEUE_PAGE_SIZE }),
    orderBy: [{ changedAt: order }, { callId: "asc" }],
    select: QUEUED_CALL,
  });
  return { calls: await toQueuedCalls(tx, rows), counts, total, page: shownPage, pages };
}

async function countCallsByState(tx: Tx): Promise<Record<CallState, number>> {
  const rows = await tx.callReview.groupBy({ by: "state", _count: true });
  const countByState = new Map<string, number>(rows.map(({ state, _count }) => [state, _count]));
  return Object.fromEntries(
    CALL_STATES.map((state) => [state, countByState.get(state) ?? 0]),
  ) as Record<CallState, number>;
}

export interface ReviewedCall extends QueuedCall {
  readonly userId: string;
  readonly updatedAt: number;
  readonly description: string;
  readonly keywords: string;
  readonly note: string;
  readonly declineReason: string;
  readonly answer: {
    readonly createdAt: number;
    readonly durationMs: number;
    readonly contentType: string;
    readonly sizeBytes: number;
  } | null;
  readonly episode: {
    readonly number: number;
    readonly slug: string;
    readonly publishedAt: number;
    readonly transcript: string;
    /** True if question and answer are merged into one file. */
    readonly isMerged: boolean;
    /** What became of the requested transcript; null if none is requested. */
    readonly transcription: {
      readonly isGivenUp: boolean;
      readonly lastError: string | null;
    } | null;
  } | null;
}

/**
 * Returns a call with its review, answer and episode, without audio. Throws AppError: forbidden for
 * members, not_found.
 */
export async function getReviewedCall(
  tx: Tx,
  { admin, callId }: { admin: Member; callId: string },
): Promise<ReviewedCall> {
  assertAdmin(admin);
  const row = await tx.callReview.findUnique({
    where: { callId },
    select: {
      ...QUEUED_CALL,
      note: true,
      declineReason: true,
      call: {
        select: {
          ...QUEUED_CALL.call.select,
          userId: true,
          updatedAt: true,
          description: true,
          keywords: true,
          answer: { select: { createdAt: true, durationMs: true, contentType: true } },
          episode: {
            select: {
              number: true,
              slug: true,
              publishedAt: true,
              transcript: true,
              mergedType: true,
              transcription: { select: { nextTryAt: true, lastError: true } },
            },
          },
        },
      },
    },
  });
  const [queuedCall] = row ? await toQueuedCalls(tx, [row]) : [];
  if (!row || !queuedCall)
    throw new AppError("not_found", "This call doesn’t exist. Its caller may have deleted it.");
  const { note, declineReason, call } = row;
  const { userId, updatedAt, description, keywords, answer, episode } = call;
  return {
    ...queuedCall,
    userId,
    updatedAt: updatedAt.getTime(),
    description,
    keywords,
    note,
    declineReason,
    answer: answer && {
      ...answer,
      createdAt: answer.createdAt.getTime(),
      sizeBytes: findAudioSizes(tx, [callId]).get(callId)?.answerBytes ?? 0,
    },
    episode: episode && {
      number: episode.number,
      slug: episode.slug,
      publishedAt: episode.publishedAt.getTime(),
      transcript: episode.transcript,
      isMerged: episode.mergedType !== null,
      transcription: episode.transcription && {
        isGivenUp: episode.transcription.nextTryAt === null,
        lastError: episode.transcription.lastError,
      },
    },
  };
}

/**
 * Returns the answer's audio, or null without an answer. Throws AppError(forbidden) for members.
 */
export async function findAnswerAudio(
  tx: Tx,
  { admin, callId }: { admin: Member; callId: string },
): Promise<{ createdAt: number; contentType: string; audio: Uint8Array } | null> {
  assertAdmin(admin);
  const answer = await tx.callAnswer.findUnique({
    where: { callId },
    select: { createdAt: true, contentType: true },
  });
  const audio = answer && readAnswerAudio(tx, callId);
  return audio && { ...answer, createdAt: answer.createdAt.getTime(), audio };
}
