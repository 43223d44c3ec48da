// Leaving a call: a recording that was uploaded, or a question that was typed, becomes a Call row in one transaction. Sent twice it is one.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import type { Member } from "#lib/core/member.ts";
import { formatDuration } from "#lib/core/format.ts";
import type { Sql } from "../db/connection.ts";
import { readSql, writeSql } from "../db/database.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { probeAudio } from "./audio/probe.ts";
import { assembleUpload, completeUpload, findUpload, removeUpload } from "./upload.ts";

/** Calls of a member in 24 hours, and those that nobody has answered yet. */
export const MAX_CALLS_PER_DAY = 10;
export const MAX_OPEN_CALLS = 20;
/** Admins that are told of a call. */
const MAX_NOTIFIED_ADMINS = 50;

// Each call tells admins by mail: calls that were deleted again must not make room for more in the same day.
const submitLimiter = new RateLimiter(2 * MAX_CALLS_PER_DAY, DAY_MS);

/** The fields of a call, already within reference.md's lengths (5–50, 20–1,000, 2–100). */
export interface CallFields {
  /** Made with the form. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly keywords: string;
}

export interface PreparedRecording {
  readonly uploadId: string;
  /** Detected from the bytes, such as "audio/webm". */
  readonly contentType: string;
  readonly durationMs: number;
}

/**
 * The member's own upload as a recording, put together, checked and measured, outside any write; null when it became a call already.
 * Throws AppError: not_found; conflict (field "audio") while parts are missing; invalid or too_large (field "audio") for what
 * is not a recording that a call may have. Such an upload is given up: nothing would ever make it one.
 */
export async function prepareRecording({
  uploadId,
  member,
}: {
  uploadId: string;
  member: Member;
}): Promise<PreparedRecording | null> {
  try {
    const bytes = await readSql((sql) =>
      findUpload(sql, { id: uploadId, member })?.callId
        ? null
        : assembleUpload(sql, { id: uploadId, member }),
    );
    if (!bytes) return null;
    const { contentType, durationMs } = await probeAudio(bytes);
    return { uploadId, contentType, durationMs };
  } catch (error) {
    if (isAppError(error, "invalid") || isAppError(error, "too_large"))
      await writeSql((sql) => removeUpload(sql, { id: uploadId, member }));
    if (isAppError(error, "not_found"))
      throw new AppError("not_found", error.message, { field: "audio" });
    throw error;
  }
}

/**
 * Stores a call inside the write, lets the parts of its upload go, and notes down who is to be told: kickDeliveries() after the commit.
 * Without `recording` the description is the question. Returns the id of the call, and whether it is new: the same form or the same
 * upload again is the call that it made. Throws AppError: conflict when the id is somebody else's; not_found (field "audio") when
 * the upload is gone; rate_limited above 10 calls in 24 hours or 20 that wait.
 */
export function submitCall(
  sql: Sql,
  {
    id,
    title,
    description,
    keywords,
    uploadId,
    recording,
    member,
  }: CallFields & { uploadId: string | null; recording: PreparedRecording | null; member: Member },
): { id: string; isNew: boolean } {
  const known = sql.get<{ userId: string }>(`SELECT "userId" FROM "Call" WHERE "id" = ?`, id);
  if (known && known.userId !== member.id)
    throw new AppError("conflict", "This form was sent by somebody else. Load the page again.");
  if (known) {
    // Recorded anew and sent from the same page after an answer that got lost: the call stands, this upload isn't needed.
    if (uploadId) removeUpload(sql, { id: uploadId, member });
    return { id, isNew: false };
  }
  const upload = uploadId ? findUpload(sql, { id: uploadId, member }) : null;
  if (upload?.callId) {
    if (sql.get(`SELECT 1 FROM "Call" WHERE "id" = ?`, upload.callId))
      return { id: upload.callId, isNew: false };
    throw new AppError(
      "conflict",
      "This recording was sent before, and the call was deleted. Record it again.",
      { field: "audio" },
    );
  }
  if (uploadId && (!upload || recording?.uploadId !== uploadId))
    throw new AppError("not_found", "The recording is not here any more. Send it again.", {
      field: "audio",
    });
  const now = nowMs();
  assertCallQuota(sql, member, now);
  sql.run(
    `INSERT INTO "Call" ("id", "createdAt", "updatedAt", "title", "description", "keywords", "userId", "base64") VALUES (?, ?, ?, ?, ?, ?, ?, '')`,
    id,
    now,
    now,
    title,
    description,
    keywords,
    member.id,
  );
  if (recording) {
    sql.run(
      `UPDATE "CallReview" SET "durationMs" = ? WHERE "callId" = ?`,
      recording.durationMs,
      id,
    );
    completeUpload(sql, {
      id: recording.uploadId,
      member,
      callId: id,
      contentType: recording.contentType,
    });
  }
  notifyAdmins(sql, { id, title, description, member, durationMs: recording?.durationMs ?? null });
  return { id, isNew: true };
}

function assertCallQuota(sql: Sql, member: Member, now: number): void {
  const recent = sql.all<{ createdAt: number }>(
    `SELECT "createdAt" FROM "Call" WHERE "userId" = ? AND "createdAt" > ? ORDER BY "createdAt" DESC LIMIT ${MAX_CALLS_PER_DAY}`,
    member.id,
    now - DAY_MS,
  );
  if (recent.length >= MAX_CALLS_PER_DAY) {
    throw new AppError(
      "rate_limited",
      `${MAX_CALLS_PER_DAY} calls a day are the most. Your text is kept: send it tomorrow.`,
      {
        retryAfterSeconds: Math.max(1, Math.ceil((recent.at(-1)!.createdAt + DAY_MS - now) / 1000)),
      },
    );
  }
  const open = sql.get<{ count: number }>(
    `SELECT COUNT(*) AS "count" FROM "Call" c JOIN "CallReview" r ON r."callId" = c."id" WHERE c."userId" = ? AND r."state" IN ('NEW', 'REVIEWING')`,
    member.id,
  )!;
  if (open.count >= MAX_OPEN_CALLS)
    throw new AppError(
      "rate_limited",
      `${MAX_OPEN_CALLS} of your calls are waiting for an answer already. Delete one, or wait for an answer.`,
      { retryAfterSeconds: 3_600 },
    );
  consume(
    [[submitLimiter, member.id]],
    now,
    "These are a lot of calls for one day. Try again tomorrow.",
  );
}

function notifyAdmins(
  sql: Sql,
  {
    id,
    title,
    description,
    member,
    durationMs,
  }: { id: string; title: string; description: string; member: Member; durationMs: number | null },
): void {
  const link = `${env.SITE_URL}/admin/calls/${id}`;
  const what =
    durationMs === null
      ? "wrote a question"
      : `left a call of ${formatDuration(durationMs)} minutes`;
  const concerns = { userId: member.id, about: `To admins, of a new call: ${title}` };
  for (const { email } of sql.all<{ email: string }>(
    `SELECT "email" FROM "User" WHERE "role" = 'ADMIN' ORDER BY "createdAt", "id" LIMIT ${MAX_NOTIFIED_ADMINS}`,
  )) {
    enqueueDelivery(
      sql,
      {
        kind: "MAIL",
        mail: {
          to: email,
          subject: `A new call: ${title}`,
          parts: [
            `${member.firstName} ${what}: ${title}`,
            description,
            { link, label: durationMs === null ? "Read and answer" : "Listen and answer" },
          ],
        },
      },
      concerns,
    );
  }
  enqueueDelivery(
    sql,
    { kind: "DISCORD", text: `A new call: ${title} (${member.firstName} ${what})\n${link}` },
    concerns,
  );
}
