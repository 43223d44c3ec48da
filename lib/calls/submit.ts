// Submits a call: one transaction turns an uploaded recording or a typed question into a Call row.
// Idempotent by form id.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import type { Member } from "#lib/members/member.ts";
import { formatDuration } from "#lib/core/format.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { CALL_LIMITS } from "./audio/probe.ts";
import { probeUpload } from "./probe-upload.ts";
import { completeUpload, findUpload, removeUpload } from "./upload.ts";

/** Limits per member: calls in 24 hours, and calls without an answer. */
export const MAX_CALLS_PER_DAY = 10;
export const MAX_OPEN_CALLS = 20;
/** Maximum number of admins who are notified of a call. */
const MAX_NOTIFIED_ADMINS = 50;

// Each call emails the admins, so deleting calls must not allow more on the same day.
const submitLimiter = new RateLimiter(2 * MAX_CALLS_PER_DAY, DAY_MS);

/** The validated fields of a call: title 5–50, description 20–1,000, keywords 2–100 characters. */
export interface CallFields {
  /** Idempotency key, generated with the form. */
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
 * Returns the member's own upload as a recording, or null if it was already submitted. Throws like
 * probeUpload.
 */
export async function prepareRecording({
  uploadId,
  member,
}: {
  uploadId: string;
  member: Member;
}): Promise<PreparedRecording | null> {
  const upload = { id: uploadId, member };
  if (await read((tx) => findUpload(tx, upload)?.callId)) return null;
  const { contentType, durationMs } = await probeUpload(upload, CALL_LIMITS);
  return { uploadId, contentType, durationMs };
}

/**
 * Inserts a call, links its upload and adds the notifications to the outbox: call
 * triggerDeliveries() after the commit. Idempotent: the same form or upload returns the existing
 * call, with isNew false. Throws AppError: conflict for another member's id; not_found (field
 * "audio") for a missing upload; rate_limited above 10 calls in 24 hours or 20 without an answer.
 */
export function submitCall(
  tx: Tx,
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
  const existing = sqlOf(tx).get<{ userId: string }>(
    `SELECT "userId" FROM "Call" WHERE "id" = ?`,
    id,
  );
  if (existing && existing.userId !== member.id)
    throw new AppError(
      "conflict",
      "This form was sent by another member. Reload the page and try again.",
    );
  if (existing) {
    // The first response was lost and the member recorded again. The call exists, so this upload
    // isn't needed.
    if (uploadId) removeUpload(tx, { id: uploadId, member });
    return { id, isNew: false };
  }
  const upload = uploadId ? findUpload(tx, { id: uploadId, member }) : null;
  if (upload?.callId) {
    if (sqlOf(tx).get(`SELECT 1 FROM "Call" WHERE "id" = ?`, upload.callId))
      return { id: upload.callId, isNew: false };
    throw new AppError(
      "conflict",
      "This recording was already sent and its call deleted. Record it again.",
      { field: "audio" },
    );
  }
  if (uploadId && (!upload || recording?.uploadId !== uploadId))
    throw new AppError("not_found", "The recording is no longer on the server. Send it again.", {
      field: "audio",
    });
  const now = nowMs();
  assertCallQuota(tx, member, now);
  sqlOf(tx).run(
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
    sqlOf(tx).run(
      `UPDATE "CallReview" SET "durationMs" = ? WHERE "callId" = ?`,
      recording.durationMs,
      id,
    );
    completeUpload(tx, {
      id: recording.uploadId,
      member,
      callId: id,
      contentType: recording.contentType,
    });
  }
  notifyAdmins(tx, { id, title, description, member, durationMs: recording?.durationMs ?? null });
  return { id, isNew: true };
}

function assertCallQuota(tx: Tx, member: Member, now: number): void {
  const recent = sqlOf(tx).all<{ createdAt: number }>(
    `SELECT "createdAt" FROM "Call" WHERE "userId" = ? AND "createdAt" > ? ORDER BY "createdAt" DESC LIMIT ${MAX_CALLS_PER_DAY}`,
    member.id,
    now - DAY_MS,
  );
  if (recent.length >= MAX_CALLS_PER_DAY) {
    throw new AppError(
      "rate_limited",
      "Daily limit reached. Your draft is saved: send it tomorrow.",
      {
        retryAfterSeconds: Math.max(1, Math.ceil((recent.at(-1)!.createdAt + DAY_MS - now) / 1000)),
      },
    );
  }
  const open = sqlOf(tx).get<{ count: number }>(
    `SELECT COUNT(*) AS "count" FROM "Call" c JOIN "CallReview" r ON r."callId" = c."id" WHERE c."userId" = ? AND r."state" IN ('NEW', 'REVIEWING')`,
    member.id,
  )!;
  if (open.count >= MAX_OPEN_CALLS)
    throw new AppError(
      "rate_limited",
      `${MAX_OPEN_CALLS} of your calls are still open. Delete one or wait for an answer.`,
      { retryAfterSeconds: 3_600 },
    );
  consume([[submitLimiter, member.id]], now, "Daily limit reached. Try again tomorrow.");
}

function notifyAdmins(
  tx: Tx,
  {
    id,
    title,
    description,
    member,
    durationMs,
  }: { id: string; title: string; description: string; member: Member; durationMs: number | null },
): void {
  const link = `${env.SITE_URL}/admin/calls/${id}`;
  const action =
    durationMs === null
      ? "asked a question"
      : `recorded a question (${formatDuration(durationMs)})`;
  const concerns = { userId: member.id, about: `New call, to the admins: ${title}` };
  for (const { email } of sqlOf(tx).all<{ email: string }>(
    `SELECT "email" FROM "User" WHERE "role" = 'ADMIN' ORDER BY "createdAt", "id" LIMIT ${MAX_NOTIFIED_ADMINS}`,
  )) {
    enqueueDelivery(
      tx,
      {
        kind: "MAIL",
        mail: {
          to: email,
          subject: `New call: ${title}`,
          parts: [
            `${member.firstName} ${action}: ${title}`,
            description,
            { link, label: durationMs === null ? "Read and answer" : "Listen and answer" },
          ],
        },
      },
      concerns,
    );
  }
  enqueueDelivery(
    tx,
    { kind: "DISCORD", text: `New call: ${title} (${member.firstName} ${action})\n${link}` },
    concerns,
  );
}
