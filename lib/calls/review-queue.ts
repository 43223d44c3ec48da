// What waits for an admin, and all that they see of one call.

import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/core/member.ts";
import type { Sql, SqlValue } from "../db/connection.ts";
import { IS_RECORDED_SQL } from "./recording.ts";
import { escapeLikePattern } from "#lib/db/escape-like-pattern.ts";

export const CALL_STATES = ["NEW", "REVIEWING", "ANSWERED", "PUBLISHED", "DECLINED"] as const;
export type CallState = (typeof CALL_STATES)[number];

export interface QueuedCall {
  readonly id: string;
  readonly title: string;
  readonly createdAt: number;
  readonly state: CallState;
  /** When it came into this state, or its answer changed. */
  readonly changedAt: number;
  /** null: typed, or moved in from elsewhere and not probed. */
  readonly durationMs: number | null;
  readonly isTyped: boolean;
  readonly callerName: string;
  /** Who reviews it or decided on it last; null where nobody has, or they are gone. */
  readonly reviewerName: string | null;
}

export interface ReviewQueue {
  readonly calls: readonly QueuedCall[];
  /** Of all calls, whatever was searched for. */
  readonly counts: Readonly<Record<CallState, number>>;
  /** How many match. */
  readonly total: number;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
}

/** Calls on one page of the queue. */
export const QUEUE_PAGE_SIZE = 25;
const MAX_SEARCH_WORDS = 8;

/**
 * One page of the calls in `state` (all of them: null) that hold every word of `query` in title, keywords, description or the
 * caller's first name. What waits comes first that has waited longest; what is done, newest first. A page beyond the last is the last.
 * Throws AppError(forbidden) for all but admins.
 */
export function listReviewQueue(
  sql: Sql,
  {
    by,
    state,
    query = "",
    page = 1,
  }: { by: Member; state: CallState | null; query?: string; page?: number },
): ReviewQueue {
  assertAdmin(by);
  const counts: Record<CallState, number> = {
    NEW: 0,
    REVIEWING: 0,
    ANSWERED: 0,
    PUBLISHED: 0,
    DECLINED: 0,
  };
  for (const row of sql.all<{ state: CallState; count: number }>(
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
    sql.get<{ count: number }>(`SELECT COUNT(*) AS "count" ${from}`, ...values)?.count ?? 0;
  const pages = Math.max(1, Math.ceil(total / QUEUE_PAGE_SIZE));
  const shown = Math.min(Math.max(1, Math.floor(page) || 1), pages);
  const waits = state === "NEW" || state === "REVIEWING" || state === "ANSWERED";
  const calls = sql.all<Omit<QueuedCall, "isTyped"> & { isTyped: number }>(
    `SELECT c."id", c."title", c."createdAt", r."state", r."changedAt", r."durationMs", NOT ${IS_RECORDED_SQL} AS "isTyped", u."firstName" AS "callerName",
            (SELECT a."firstName" FROM "User" a WHERE a."id" = r."reviewerId") AS "reviewerName"
     ${from} ORDER BY r."changedAt" ${waits ? "ASC" : "DESC"}, c."id" LIMIT ${QUEUE_PAGE_SIZE} OFFSET ?`,
    ...values,
    (shown - 1) * QUEUE_PAGE_SIZE,
  );
  return {
    calls: calls.map((call) => ({ ...call, isTyped: call.isTyped === 1 })),
    counts,
    total,
    page: shown,
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
    readonly bytes: number;
  } | null;
  readonly episode: {
    readonly number: number;
    readonly slug: string;
    readonly publishedAt: number;
    readonly transcript: string;
    readonly isJoined: boolean;
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
  readonly isJoined: number;
}

/** All about one call but its sound. Throws AppError: forbidden for all but admins, not_found where there is none (any more). */
export function getReviewedCall(
  sql: Sql,
  { by, callId }: { by: Member; callId: string },
): ReviewedCall {
  assertAdmin(by);
  const row = sql.get<ReviewedCallRow>(
    `SELECT c."id", c."title", c."createdAt", c."updatedAt", c."description", c."keywords", c."userId", NOT ${IS_RECORDED_SQL} AS "isTyped", u."firstName" AS "callerName",
            r."state", r."changedAt", r."durationMs", r."note", r."declineReason", (SELECT a."firstName" FROM "User" a WHERE a."id" = r."reviewerId") AS "reviewerName",
            w."createdAt" AS "answerCreatedAt", w."durationMs" AS "answerDurationMs", w."contentType" AS "answerType", octet_length(w."audio") AS "answerBytes",
            e."number", e."slug", e."publishedAt", e."transcript", e."joinedType" IS NOT NULL AS "isJoined"
     FROM "Call" c JOIN "CallReview" r ON r."callId" = c."id" JOIN "User" u ON u."id" = c."userId"
     LEFT JOIN "CallAnswer" w ON w."callId" = c."id" LEFT JOIN "Episode" e ON e."callId" = c."id" WHERE c."id" = ?`,
    callId,
  );
  if (!row)
    throw new AppError("not_found", "There is no such call: its caller may have deleted it.");
  const {
    answerCreatedAt,
    answerDurationMs,
    answerType,
    answerBytes,
    number,
    slug,
    publishedAt,
    transcript,
    isJoined,
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
            bytes: answerBytes,
          },
    episode:
      number === null ? null : { number, slug, publishedAt, transcript, isJoined: isJoined === 1 },
  };
}

/** The answer's sound; null where there is none. Throws AppError(forbidden) for all but admins. */
export function findAnswerAudio(
  sql: Sql,
  { by, callId }: { by: Member; callId: string },
): { createdAt: number; contentType: string; audio: Uint8Array } | null {
  assertAdmin(by);
  return (
    sql.get<{ createdAt: number; contentType: string; audio: Uint8Array }>(
      `SELECT "createdAt", "contentType", "audio" FROM "CallAnswer" WHERE "callId" = ?`,
      callId,
    ) ?? null
  );
}
