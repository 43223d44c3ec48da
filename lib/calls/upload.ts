// Stores chunked uploads (≤ 512 kB, so that fly-replay can carry a chunk). Another member's upload
// is always `not_found`.

import { createHash } from "node:crypto";
import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import type { Member } from "#lib/members/member.ts";
import type { Tx } from "#lib/db/database.ts";
import { ANSWER_LIMITS, type AudioLimits, CALL_LIMITS, assertAudioSize } from "./audio/probe.ts";
import { findPartBytes, insertPart } from "./upload.sql.ts";

/** Size of every part but the last. fly-replay carries request bodies up to 1 MB. */
export const PART_BYTES = 524_288;
/** Limits per member: open uploads, and the sum of their declared sizes in bytes. */
export const MAX_OPEN_UPLOADS = 3;
export const MAX_OPEN_BYTES = 40_000_000;
/** How long after its creation an unfinished upload is deleted. */
export const UPLOAD_TTL_MS = DAY_MS;
const MAX_UPLOADS_PER_DAY = 60;
/** 600 parts are 300 MB, over seven times MAX_OPEN_BYTES. */
const MAX_PARTS_PER_HOUR = 600;
/**
 * An open upload of this age is evicted for a new one: a closed tab must not lock the member out
 * for a day.
 */
const EVICTABLE_AFTER_MS = 15 * MINUTE_MS;
/** Uploads deleted per sweep, so that a request doesn't wait for the uploads of other members. */
const MAX_DELETED_PER_SWEEP = 5;

/** The JSON response to the recorder's uploader. */
export interface UploadState {
  readonly id: string;
  readonly size: number;
  readonly partBytes: number;
  /** The number of parts, which are numbered from 0. */
  readonly parts: number;
  /** The numbers of the stored parts, in ascending order. */
  readonly received: readonly number[];
}

export interface Upload extends UploadState {
  readonly sha256: string;
  /** The call that uses the upload, whose parts all count as received; null while it is open. */
  readonly callId: string | null;
}

// Rows are deleted with the upload, so they can't be counted per day.
const uploadLimiter = new RateLimiter(MAX_UPLOADS_PER_DAY, DAY_MS);
const partLimiter = new RateLimiter(MAX_PARTS_PER_HOUR, HOUR_MS);

/** Returns the limits of the member's uploads: those of answers for admins. */
export const audioLimitsFor = (member: Member): AudioLimits =>
  member.role === "ADMIN" ? ANSWER_LIMITS : CALL_LIMITS;

const partCount = (size: number) => Math.ceil(size / PART_BYTES);
const uploadNotFound = () =>
  new AppError(
    "not_found",
    "This upload doesn’t exist. Uploads expire after a day: send the recording again.",
  );

/** Returns the member's own upload, or null. */
export async function findUpload(
  tx: Tx,
  { id, member }: { id: string; member: Member },
): Promise<Upload | null> {
  const upload = await tx.upload.findUnique({
    where: { id, userId: member.id },
    select: {
      size: true,
      sha256: true,
      callId: true,
      parts: { select: { number: true }, orderBy: { number: "asc" } },
    },
  });
  if (!upload) return null;
  const { size, sha256, callId } = upload;
  const parts = partCount(size);
  const received =
    callId === null
      ? upload.parts.map(({ number }) => number)
      : Array.from({ length: parts }, (_, number) => number);
  return { id, size, sha256, callId, partBytes: PART_BYTES, parts, received };
}

/** Returns the member's own upload. Throws AppError(not_found) for any other. */
export async function getUpload(tx: Tx, query: { id: string; member: Member }): Promise<Upload> {
  const upload = await findUpload(tx, query);
  if (!upload) throw uploadNotFound();
  return upload;
}

/**
 * Creates an upload. Idempotent by `id`: the same size and hash return the existing upload. Evicts
 * open uploads of the member after 15 minutes if there is no room. Throws AppError: conflict for an
 * id with another size, hash or member; too_large; rate_limited above 3 open uploads, 40 MB open,
 * or 60 uploads a day.
 */
export async function createUpload(
  tx: Tx,
  { id, size, sha256, member }: { id: string; size: number; sha256: string; member: Member },
): Promise<Upload> {
  const existing = await tx.upload.findUnique({
    where: { id },
    select: { userId: true, size: true, sha256: true },
  });
  if (existing) {
    if (existing.userId !== member.id || existing.size !== size || existing.sha256 !== sha256)
      throw new AppError("conflict", "This id belongs to another upload. Use a new one.", {
        field: "id",
      });
    return getUpload(tx, { id, member });
  }
  assertAudioSize(size, audioLimitsFor(member));
  const now = nowMs();
  await deleteExpiredUploads(tx, now);
  await evictOldUploads(tx, member, size, now);
  consume([[uploadLimiter, member.id]], now, "Daily upload limit reached. Try again tomorrow.");
  await tx.upload.create({
    data: { id, userId: member.id, createdAt: new Date(now), size, sha256 },
    select: { id: true },
  });
  return getUpload(tx, { id, member });
}

/**
 * Evicts the member's oldest uploads until there is room. Throws AppError(rate_limited) if they are
 * too recent.
 */
async function evictOldUploads(tx: Tx, member: Member, size: number, now: number): Promise<void> {
  const open = await tx.upload.findMany({
    where: { userId: member.id, callId: null },
    select: { id: true, size: true, createdAt: true },
    orderBy: { createdAt: "asc" },
  });
  while (
    open.length >= MAX_OPEN_UPLOADS ||
    open.reduce((sum, each) => sum + each.size, size) > MAX_OPEN_BYTES
  ) {
    const oldest = open.shift()!;
    const waitMs = oldest.createdAt.getTime() + EVICTABLE_AFTER_MS - now;
    if (waitMs > 0)
      throw new AppError(
        "rate_limited",
        "You have other uploads in progress. Send or discard them first, or wait 15 minutes.",
        { retryAfterSeconds: Math.ceil(waitMs / 1000) },
      );
    await tx.upload.delete({ where: { id: oldest.id }, select: { id: true } });
  }
}

/**
 * Returns the size of part `number` in bytes. Throws AppError(not_found) for a part number out of
 * range.
 */
export function expectedPartLength({ size, parts }: UploadState, number: number): number {
  if (!Number.isSafeInteger(number) || number < 0 || number >= parts)
    throw new AppError("not_found", `This upload has the parts 0 to ${parts - 1}.`);
  return number < parts - 1 ? PART_BYTES : size - number * PART_BYTES;
}

/** Throws AppError(invalid) unless `length` is the size of the part. */
export function assertPartLength(upload: UploadState, number: number, length: number): void {
  const expected = expectedPartLength(upload, number);
  if (length !== expected)
    throw new AppError(
      "invalid",
      `Part ${number} must have ${expected} bytes; received ${length}.`,
      {
        field: "body",
      },
    );
}

/**
 * Stores a part. Idempotent: the same bytes again change nothing. Throws AppError: not_found;
 * invalid for a wrong size; conflict if different bytes are stored; rate_limited above 600 parts of
 * a member in an hour.
 */
export async function putPart(
  tx: Tx,
  { id, member, number, bytes }: { id: string; member: Member; number: number; bytes: Uint8Array },
): Promise<void> {
  const upload = await getUpload(tx, { id, member });
  assertPartLength(upload, number, bytes.length);
  if (upload.callId) return;
  consume([[partLimiter, member.id]], nowMs(), "Hourly upload limit reached. Try again later.");
  const stored = findPartBytes(tx, { uploadId: id, number });
  if (!stored) insertPart(tx, { uploadId: id, number, bytes });
  else if (Buffer.compare(stored, bytes) !== 0)
    throw new AppError(
      "conflict",
      `Part ${number} was already stored with other bytes. Discard this upload and use a new id.`,
      { field: "body" },
    );
}

/**
 * Returns the assembled recording. Throws AppError: not_found; with field "audio", conflict if
 * parts are missing or it was already submitted, invalid if the hash doesn't match. In that case
 * the upload can only be deleted.
 */
export async function assembleUpload(
  tx: Tx,
  query: { id: string; member: Member },
): Promise<Uint8Array> {
  const upload = await getUpload(tx, query);
  if (upload.callId)
    throw new AppError("conflict", "This recording was already sent.", { field: "audio" });
  const missing = upload.parts - upload.received.length;
  if (missing > 0) {
    throw new AppError(
      "conflict",
      `${missing} of ${upload.parts} parts of the recording are missing. Send the form again to upload the rest.`,
      { field: "audio" },
    );
  }
  const bytes = readUploadParts(tx, upload);
  if (createHash("sha256").update(bytes).digest("hex") !== upload.sha256)
    throw new AppError("invalid", "The recording was damaged in transit. Send it again.", {
      field: "audio",
    });
  return bytes;
}

/** Returns the parts of an upload in one buffer of its size; missing bytes are zeros. */
export function readUploadParts(
  tx: Tx,
  { id, size }: { readonly id: string; readonly size: number },
): Uint8Array {
  const whole = Buffer.allocUnsafeSlow(size).fill(0);
  for (let number = 0; number < partCount(size); number++) {
    const bytes = findPartBytes(tx, { uploadId: id, number });
    if (bytes) whole.set(bytes, number * PART_BYTES);
  }
  return whole;
}

/** Deletes the member's own open upload with its parts. Returns whether there was one. */
export async function removeUpload(
  tx: Tx,
  { id, member }: { id: string; member: Member },
): Promise<boolean> {
  const { count } = await tx.upload.deleteMany({ where: { id, userId: member.id, callId: null } });
  return count === 1;
}

/**
 * Makes the parts of the member's own upload the recording of `callId`. Throws AppError(conflict),
 * field "audio", unless it is open and the one that was created at `createdAt`.
 */
export async function completeUpload(
  tx: Tx,
  {
    uploadId,
    createdAt,
    member,
    callId,
    contentType,
  }: { uploadId: string; createdAt: Date; member: Member; callId: string; contentType: string },
): Promise<void> {
  const { count } = await tx.upload.updateMany({
    where: { id: uploadId, userId: member.id, callId: null, createdAt },
    data: { callId, contentType },
  });
  if (count === 0)
    throw new AppError(
      "conflict",
      "The recording has changed since it was checked. Send it again.",
      {
        field: "audio",
      },
    );
}

/**
 * Deletes the oldest uploads that are over a day old and not a call's recording, a few at a time.
 * Returns how many.
 */
export async function deleteExpiredUploads(tx: Tx, now: number): Promise<number> {
  const expired = await tx.upload.findMany({
    where: { contentType: null, createdAt: { lte: new Date(now - UPLOAD_TTL_MS) } },
    select: { id: true },
    orderBy: { createdAt: "asc" },
    take: MAX_DELETED_PER_SWEEP,
  });
  if (expired.length === 0) return 0;
  const { count } = await tx.upload.deleteMany({
    where: { id: { in: expired.map(({ id }) => id) } },
  });
  return count;
}
