// Reads the review queue and the details of a call for admins.

import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";
import { type SqlValue, sqlOf } from "#lib/db/sql.ts";
import type { Tx } from "#lib/db/database.ts";
import { IS_RECORDED_SQL } from "./recording.ts";
import { escapeLikePattern } from "#lib/db/escape-like-pattern.ts";

export const CALL_STATES = ["NEW", "REVIEWING", "ANSWERED", "PUBLISHED", "DECLINED"] as const;
export type CallState = (typeof CALL_STATES)[number];

export interface QueuedCall {
  readonly id: string;
  readonly title: string;
  readonly createdAt: number;
  readonly state: CallState;
  /**
   * When the state or the answer last changed, in ms. Serves as the version for optimistic locking.
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

/**
 * Returns a page of the calls in `state` (null: all) that have every word of `query` in the title,
 * keywords, description or caller's first name. Open calls come oldest first, the others newest
 * first. Throws AppError(forbidden) for members.
 */
export function listReviewQueue(
  tx: Tx,
  {
    admin,
    state,
    query = "",
    page = 1,
  }: { admin: Member; state: CallState | null; query?: string; page?: number },
): ReviewQueue {
  assertAdmin(admin);
  const counts: Record<CallState, number> = {
    NEW: 0,
    REVIEWING: 0,
    ANSWERED: 0,
    PUBLISHED: 0,
    DECLINED: 0,
  };
  for (const row of sqlOf(tx).all<{ state: CallState; count: number }>(
    `SELECT "state", COUNT(*) AS "count" FROM "CallReview" GROUP BY "state"`,
  ))
    counts[row.state] = row.count;

  const words = query
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, MAX_SEARCH_WORDS)
    .map(escapeLikePattern);
  const where = [
    ...(state ? [`r."state" = ?`] : []),
    ...words.map(
      () =>
        `(c."title" LIKE ? ESCAPE '\\' OR c."keywords" LIKE ? ESCAPE '\\' OR c."description" LIKE ? ESCAPE '\\' OR u."firstName" LIKE ? ESCAPE '\\')`,
    ),
  ].join(" AND ");
  const values: SqlValue[] = [
    ...(state ? [state] : []),
    ...words.flatMap((word) => [word, word, word, word]),
  ];
  const from = `FROM "CallReview" r JOIN "Call" c ON c."id" = r."callId" JOIN "User" u ON u."id" = c."userId" ${where && `WHERE ${where}`}`;
  const total =
    sqlOf(tx).get<{ count: number }>(`SELECT COUNT(*) AS "count" ${from}`, ...values)?.count ?? 0;
  const pages = Math.max(1, Math.ceil(total / QUEUE_PAGE_SIZE));
  const shownPage = Math.min(Math.max(1, Math.floor(page) || 1), pages);
  const isOpenState = state === "NEW" || state === "REVIEWING" || state === "ANSWERED";
  const calls = sqlOf(tx).all<Omit<QueuedCall, "isTyped"> & { isTyped: number }>(
    `SELECT c."id", c."title", c."createdAt", r."state", r."changedAt", r."durationMs", NOT ${IS_RECORDED_SQL} AS "isTyped", u."firstName" AS "callerName",
            (SELECT a."firstName" FROM "User" a WHERE a."id" = r."reviewerId") AS "reviewerName"
     ${from} ORDER BY r."changedAt" ${isOpenState ? "ASC" : "DESC"}, c."id" LIMIT ${QUEUE_PAGE_SIZE} OFFSET ?`,
    ...values,
    (shownPage - 1) * QUEUE_PAGE_SIZE,
  );
  return {
    calls: calls.map((call) => ({ ...call, isTyped: call.isTyped === 1 })),
    counts,
    total,
    page: shownPage,
    pages,
  };
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
  } | null;
}

interface ReviewedCallRow extends Omit<ReviewedCall, "isTyped" | "answer" | "episode"> {
  readonly isTyped: number;
  readonly answerCreatedAt: number | null;
  readonly answerDurationMs: number;
  readonly answerType: string;
  readonly answerBytes: number;
  readonly number: number | null;
  readonly slug: string;
  readonly publishedAt: number;
  readonly transcript: string;
  readonly isMerged: number;
}

/**
 * Returns a call with its review, answer and episode, without audio. Throws AppError: forbidden for
 * members, not_found.
 */
export function getReviewedCall(
  tx: Tx,
  { admin, callId }: { admin: Member; callId: string },
): ReviewedCall {
  assertAdmin(admin);
  const row = sqlOf(tx).get<ReviewedCallRow>(
    `SELECT c."id", c."title", c."createdAt", c."updatedAt", c."description", c."keywords", c."userId", NOT ${IS_RECORDED_SQL} AS "isTyped", u."firstName" AS "callerName",
            r."state", r."changedAt", r."durationMs", r."note", r."declineReason", (SELECT a."firstName" FROM "User" a WHERE a."id" = r."reviewerId") AS "reviewerName",
            w."createdAt" AS "answerCreatedAt", w."durationMs" AS "answerDurationMs", w."contentType" AS "answerType", octet_length(w."audio") AS "answerBytes",
            e."number", e."slug", e."publishedAt", e."transcript", e."joinedType" IS NOT NULL AS "isMerged"
     FROM "Call" c JOIN "CallReview" r ON r."callId" = c."id" JOIN "User" u ON u."id" = c."userId"
     LEFT JOIN "CallAnswer" w ON w."callId" = c."id" LEFT JOIN "Episode" e ON e."callId" = c."id" WHERE c."id" = ?`,
    callId,
  );
  if (!row)
    throw new AppError("not_found", "This call doesn’t exist. Its caller may have deleted it.");
  const {
    answerCreatedAt,
    answerDurationMs,
    answerType,
    answerBytes,
    number,
    slug,
    publishedAt,
    transcript,
    isMerged,
    isTyped,
    ...call
  } = row;
  return {
    ...call,
    isTyped: isTyped === 1,
    answer:
      answerCreatedAt === null
        ? null
        : {
            createdAt: answerCreatedAt,
            durationMs: answerDurationMs,
            contentType: answerType,
            sizeBytes: answerBytes,
          },
    episode:
      number === null ? null : { number, slug, publishedAt, transcript, isMerged: isMerged === 1 },
  };
}

/**
 * Returns the answer's audio, or null without an answer. Throws AppError(forbidden) for members.
 */
export function findAnswerAudio(
  tx: Tx,
  { admin, callId }: { admin: Member; callId: string },
): { createdAt: number; contentType: string; audio: Uint8Array } | null {
  assertAdmin(admin);
  return (
    sqlOf(tx).get<{ createdAt: number; contentType: string; audio: Uint8Array }>(
      `SELECT "createdAt", "contentType", "audio" FROM "CallAnswer" WHERE "callId" = ?`,
      callId,
    ) ?? null
  );
}
