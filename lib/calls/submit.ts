// Submits a call: one transaction turns an uploaded recording or a typed question into a Call row.
// Idempotent by form ID.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import type { Member } from "#lib/members/member.ts";
import { listAdmins } from "#lib/members/roles.ts";
import { formatDuration } from "#lib/core/format.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { CALL_LIMITS } from "./audio/probe.ts";
import { probeUpload } from "./probe-upload.ts";
import { getCaller } from "./review.ts";
import { receivedEmail } from "./review-emails.ts";
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
  /** Creation time of the upload: another one with the same ID was not probed. */
  readonly createdAt: Date;
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
  const existing = await read((tx) =>
    tx.upload.findUnique({
      where: { id: uploadId, userId: member.id },
      select: { callId: true, createdAt: true },
    }),
  );
  if (existing?.callId) return null;
  const { contentType, durationMs } = await probeUpload(upload, CALL_LIMITS);
  // Without an upload, probeUpload has thrown.
  return { uploadId, createdAt: existing!.createdAt, contentType, durationMs };
}

/**
 * Inserts a call, links its upload and adds receipt and notifications to the outbox: call
 * triggerDeliveries() after the commit. Idempotent: the same form or upload returns the existing
 * call, with isNew false. Throws AppError: conflict for another member's id; not_found (field
 * "audio") for a missing upload; rate_limited above 10 calls in 24 hours or 20 without an answer.
 */
export async function submitCall(
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
): Promise<{ id: string; isNew: boolean }> {
  const submittedId = await findSubmittedCall(tx, { id, uploadId, member });
  if (submittedId !== null) return { id: submittedId, isNew: false };
  if (uploadId && recording?.uploadId !== uploadId) throw uploadMissingError();
  const now = nowMs();
  await assertCallQuota(tx, member, now);
  const createdAt = new Date(now);
  await tx.call.create({
    data: {
      id,
      createdAt,
      updatedAt: createdAt,
      title,
      description,
      keywords,
      userId: member.id,
      base64: "",
    },
    select: { id: true },
  });
  if (recording) {
    await tx.callReview.update({
      where: { callId: id },
      data: { durationMs: recording.durationMs },
      select: { callId: true },
    });
    await completeUpload(tx, { ...recording, member, callId: id });
  }
  await enqueueReceipt(tx, id);
  await notifyAdmins(tx, {
    id,
    title,
    description,
    member,
    durationMs: recording?.durationMs ?? null,
  });
  return { id, isNew: true };
}

/**
 * Returns the ID of the call that this form or its upload has already created, or null. Throws like
 * submitCall().
 */
async function findSubmittedCall(
  tx: Tx,
  { id, uploadId, member }: { id: string; uploadId: string | null; member: Member },
): Promise<string | null> {
  const existing = await tx.call.findUnique({ where: { id }, select: { userId: true } });
  if (existing && existing.userId !== member.id)
    throw new AppError(
      "conflict",
      "This form was sent by another member. Reload the page and try again.",
    );
  if (existing) {
    // The first response was lost and the member recorded again. The call exists, so this upload
    // isn't needed.
    if (uploadId) await removeUpload(tx, { id: uploadId, member });
    return id;
  }
  if (!uploadId) return null;
  const upload = await findUpload(tx, { id: uploadId, member });
  if (!upload) throw uploadMissingError();
  if (upload.callId && (await tx.call.count({ where: { id: upload.callId } })) === 0)
    throw new AppError(
      "conflict",
      "This recording was already sent and its call deleted. Record it again.",
      { field: "audio" },
    );
  return upload.callId;
}

const uploadMissingError = () =>
  new AppError("not_found", "The recording is no longer on the server. Send it again.", {
    field: "audio",
  });

async function assertCallQuota(tx: Tx, member: Member, now: number): Promise<void> {
  const recent = await tx.call.findMany({
    where: { userId: member.id, createdAt: { gt: new Date(now - DAY_MS) } },
    select: { createdAt: true },
    orderBy: { createdAt: "desc" },
    take: MAX_CALLS_PER_DAY,
  });
  if (recent.length >= MAX_CALLS_PER_DAY) {
    const freeAtMs = recent.at(-1)!.createdAt.getTime() + DAY_MS;
    throw new AppError(
      "rate_limited",
      "Daily limit reached. Your draft is saved: send it tomorrow.",
      {
        retryAfterSeconds: Math.max(1, Math.ceil((freeAtMs - now) / 1000)),
      },
    );
  }
  const openCount = await tx.call.count({
    where: { userId: member.id, review: { state: { in: ["NEW", "REVIEWING"] } } },
  });
  if (openCount >= MAX_OPEN_CALLS)
    throw new AppError(
      "rate_limited",
      `${MAX_OPEN_CALLS} of your calls are still open. Delete one or wait for an answer.`,
      { retryAfterSeconds: 3_600 },
    );
  consume([[submitLimiter, member.id]], now, "Daily limit reached. Try again tomorrow.");
}

/** Enqueues the caller's receipt. It is part of what they asked for, so it needs no consent. */
async function enqueueReceipt(tx: Tx, callId: string): Promise<void> {
  const caller = await getCaller(tx, callId);
  await enqueueDelivery(
    tx,
    { kind: "MAIL", mail: receivedEmail(caller) },
    { userId: caller.userId, about: `Receipt of a call: ${caller.title}` },
  );
}

async function notifyAdmins(
  tx: Tx,
  {
    id,
    title,
    description,
    member,
    durationMs,
  }: { id: string; title: string; description: string; member: Member; durationMs: number | null },
): Promise<void> {
  const link = `${env.SITE_URL}/admin/calls/${id}`;
  const action =
    durationMs === null
      ? "asked a question"
      : `recorded a question (${formatDuration(durationMs)})`;
  const concerns = { userId: member.id, about: `New call, to the admins: ${title}` };
  for (const { email } of (await listAdmins(tx)).slice(0, MAX_NOTIFIED_ADMINS)) {
    await enqueueDelivery(
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
  // Nothing about the caller, who agreed to nothing there.
  await enqueueDelivery(tx, { kind: "DISCORD", text: `New call\n${link}` }, concerns);
}
