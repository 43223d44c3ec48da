// A recording on its way, in parts that a replay can carry. Own uploads only: of others nobody learns that they are there.

import { createHash } from "node:crypto";
import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import type { Member } from "#lib/members/member.ts";
import type { Sql } from "../db/connection.ts";
import { ANSWER_LIMITS, type AudioLimits, CALL_LIMITS, assertAudioSize } from "./audio/probe.ts";

/** traps.md 24: above 1 MB nothing is replayed to the primary. */
export const PART_BYTES = 524_288;
/** Uploads of a member that are not sent yet, and the bytes they announced. */
export const MAX_OPEN_UPLOADS = 3;
export const MAX_OPEN_BYTES = 40_000_000;
/** How long an upload is kept, so how long sending may be interrupted. */
export const UPLOAD_TTL_MS = DAY_MS;
const MAX_UPLOADS_PER_DAY = 60;
/** 300 MB: seven times what may be on its way at once, with every part sent again. */
const MAX_PARTS_PER_HOUR = 600;
/** An open upload this old makes room for a new one of its member: a closed tab must not lock them out for a day. */
const EVICTABLE_AFTER_MS = 15 * MINUTE_MS;
/** Uploads that one sweep removes: nobody's own waits for a stranger's to go. */
const MAX_DELETED_PER_SWEEP = 5;

/** What the client gets; the contract with the recorder. */
export interface UploadState {
  readonly id: string;
  readonly size: number;
  readonly partBytes: number;
  /** How many parts make it whole; they are numbered from 0. */
  readonly parts: number;
  /** The numbers that are here, in order. */
  readonly received: readonly number[];
}

export interface Upload extends UploadState {
  readonly sha256: string;
  /** The call that it became; then it has no parts any more and counts as received. */
  readonly callId: string | null;
}

// Rows go when an upload is sent or given up, so the rows alone can't count a day.
const uploadLimiter = new RateLimiter(MAX_UPLOADS_PER_DAY, DAY_MS);
const partLimiter = new RateLimiter(MAX_PARTS_PER_HOUR, HOUR_MS);

export const audioLimitsFor = (member: Member): AudioLimits =>
  member.role === "ADMIN" ? ANSWER_LIMITS : CALL_LIMITS;

const partCount = (size: number) => Math.ceil(size / PART_BYTES);
const uploadNotFound = () =>
  new AppError(
    "not_found",
    "There is no such upload. It may have been given up after a day: send the recording again.",
  );

export function findUpload(
  sql: Sql,
  { id, member }: { id: string; member: Member },
): Upload | null {
  const row = sql.get<{ size: number; sha256: string; callId: string | null }>(
    `SELECT "size", "sha256", "callId" FROM "Upload" WHERE "id" = ? AND "userId" = ?`,
    id,
    member.id,
  );
  if (!row) return null;
  const parts = partCount(row.size);
  const received = row.callId
    ? Array.from({ length: parts }, (_, number) => number)
    : sql
        .all<{ number: number }>(
          `SELECT "number" FROM "UploadPart" WHERE "uploadId" = ? ORDER BY "number"`,
          id,
        )
        .map(({ number }) => number);
  return { id, ...row, partBytes: PART_BYTES, parts, received };
}

/** The member's own upload. Throws AppError(not_found) for any other. */
export function getUpload(sql: Sql, own: { id: string; member: Member }): Upload {
  const upload = findUpload(sql, own);
  if (!upload) throw uploadNotFound();
  return upload;
}

/**
 * Begins an upload, or gives the same one back when it was begun with the same size and hash. Call it inside the write.
 * Throws AppError: conflict for an id that stands for something else, too_large for more than a recording of this member may have,
 * rate_limited for more than 3 at once, 40 MB at once or 60 in a day.
 * Uploads of the member that are a quarter of an hour old make room.
 */
export function createUpload(
  sql: Sql,
  { id, size, sha256, member }: { id: string; size: number; sha256: string; member: Member },
): Upload {
  const known = sql.get<{ userId: string; size: number; sha256: string }>(
    `SELECT "userId", "size", "sha256" FROM "Upload" WHERE "id" = ?`,
    id,
  );
  if (known) {
    if (known.userId !== member.id || known.size !== size || known.sha256 !== sha256)
      throw new AppError("conflict", "This id stands for another upload. Take a new one.", {
        field: "id",
      });
    return getUpload(sql, { id, member });
  }
  assertAudioSize(size, audioLimitsFor(member));
  const now = nowMs();
  deleteExpiredUploads(sql, now);
  evictOldUploads(sql, member, size, now);
  consume(
    [[uploadLimiter, member.id]],
    now,
    "These are a lot of recordings for one day. Try again tomorrow.",
  );
  sql.run(
    `INSERT INTO "Upload" ("id", "userId", "createdAt", "size", "sha256") VALUES (?, ?, ?, ?, ?)`,
    id,
    member.id,
    now,
    size,
    sha256,
  );
  return getUpload(sql, { id, member });
}

/** Lets the member's oldest uploads go until there is room, if they are old enough for it. */
function evictOldUploads(sql: Sql, member: Member, size: number, now: number): void {
  const open = sql.all<{ id: string; size: number; createdAt: number }>(
    `SELECT "id", "size", "createdAt" FROM "Upload" WHERE "userId" = ? AND "callId" IS NULL ORDER BY "createdAt"`,
    member.id,
  );
  while (
    open.length >= MAX_OPEN_UPLOADS ||
    open.reduce((sum, each) => sum + each.size, size) > MAX_OPEN_BYTES
  ) {
    const oldest = open.shift()!;
    const waitMs = oldest.createdAt + EVICTABLE_AFTER_MS - now;
    if (waitMs > 0)
      throw new AppError(
        "rate_limited",
        "Other recordings of yours are on their way already. Send or discard them first, or wait a quarter of an hour.",
        { retryAfterSeconds: Math.ceil(waitMs / 1000) },
      );
    sql.run(`DELETE FROM "Upload" WHERE "id" = ?`, oldest.id);
  }
}

/** How many bytes part `number` has. Throws AppError(not_found) for a number that the upload doesn't have. */
export function expectedPartLength({ size, parts }: UploadState, number: number): number {
  if (!Number.isSafeInteger(number) || number < 0 || number >= parts)
    throw new AppError("not_found", `This upload has the parts 0 to ${parts - 1}.`);
  return number < parts - 1 ? PART_BYTES : size - number * PART_BYTES;
}

/** AppError(invalid) for bytes of another length than the part has. */
export function assertPartLength(upload: UploadState, number: number, length: number): void {
  const expected = expectedPartLength(upload, number);
  if (length !== expected)
    throw new AppError("invalid", `Part ${number} has ${expected} bytes; ${length} came.`, {
      field: "body",
    });
}

/**
 * Stores a part; the same again changes nothing. Call it inside the write. Throws AppError: not_found; invalid for the wrong number
 * of bytes; conflict for other bytes than are here, since a part that may be changed may be changed for ever; rate_limited for more
 * than 600 parts of a member in an hour.
 */
export function putPart(
  sql: Sql,
  { id, member, number, bytes }: { id: string; member: Member; number: number; bytes: Uint8Array },
): void {
  const upload = getUpload(sql, { id, member });
  assertPartLength(upload, number, bytes.length);
  if (upload.callId) return;
  consume(
    [[partLimiter, member.id]],
    nowMs(),
    "These are a lot of recordings for one hour. Try again later.",
  );
  const isNew =
    sql.run(
      `INSERT INTO "UploadPart" ("uploadId", "number", "bytes") VALUES (?, ?, ?) ON CONFLICT ("uploadId", "number") DO NOTHING`,
      id,
      number,
      bytes,
    ).changes === 1;
  if (
    isNew ||
    sql.get(
      `SELECT 1 FROM "UploadPart" WHERE "uploadId" = ? AND "number" = ? AND "bytes" = ?`,
      id,
      number,
      bytes,
    )
  )
    return;
  throw new AppError(
    "conflict",
    `Part ${number} is here already, with other bytes. Discard this upload and send the recording under a new id.`,
    { field: "body" },
  );
}

/**
 * The whole recording, in one copy. Throws AppError: not_found; conflict (field "audio") while parts are missing;
 * invalid (field "audio") when the parts don't come to the announced hash: remove the upload then and have it sent again.
 */
export function assembleUpload(sql: Sql, own: { id: string; member: Member }): Uint8Array {
  const upload = getUpload(sql, own);
  if (upload.callId)
    throw new AppError("conflict", "This recording was sent already.", { field: "audio" });
  const missing = upload.parts - upload.received.length;
  if (missing > 0) {
    throw new AppError(
      "conflict",
      `${missing} of ${upload.parts} parts of the recording are not here yet. Send the form again: what is here is kept, and the rest follows.`,
      { field: "audio" },
    );
  }
  const bytes = readUploadParts(sql, upload);
  if (createHash("sha256").update(bytes).digest("hex") !== upload.sha256)
    throw new AppError("invalid", "The recording was damaged in transit. Send it again.", {
      field: "audio",
    });
  return bytes;
}

/** Returns the parts of an upload in one buffer of its size; zeros stand in for missing bytes. */
export function readUploadParts(
  sql: Sql,
  { id, size }: { readonly id: string; readonly size: number },
): Uint8Array {
  const whole = Buffer.allocUnsafeSlow(size).fill(0);
  for (let number = 0; number < partCount(size); number++) {
    const part = sql.get<{ bytes: Uint8Array }>(
      `SELECT "bytes" FROM "UploadPart" WHERE "uploadId" = ? AND "number" = ?`,
      id,
      number,
    );
    if (part) whole.set(part.bytes, number * PART_BYTES);
  }
  return whole;
}

/** Gives the member's own upload up, with its parts; one that became a call stays remembered. Returns whether there was one. */
export function removeUpload(sql: Sql, { id, member }: { id: string; member: Member }): boolean {
  return (
    sql.run(
      `DELETE FROM "Upload" WHERE "id" = ? AND "userId" = ? AND "callId" IS NULL`,
      id,
      member.id,
    ).changes === 1
  );
}

/** Makes the parts of the member's own upload the recording of `callId`. Returns whether the upload was open until now. */
export function completeUpload(
  sql: Sql,
  {
    id,
    member,
    callId,
    contentType,
  }: { id: string; member: Member; callId: string; contentType: string },
): boolean {
  return (
    sql.run(
      `UPDATE "Upload" SET "callId" = ?, "contentType" = ? WHERE "id" = ? AND "userId" = ? AND "callId" IS NULL`,
      callId,
      contentType,
      id,
      member.id,
    ).changes === 1
  );
}

/** Deletes the oldest uploads that are older than a day and no call's recording, a few at a time. Returns how many. */
export function deleteExpiredUploads(sql: Sql, now: number): number {
  return sql.run(
    `DELETE FROM "Upload" WHERE "id" IN (SELECT "id" FROM "Upload" WHERE "contentType" IS NULL AND "createdAt" <= ? ORDER BY "createdAt" LIMIT ${MAX_DELETED_PER_SWEEP})`,
    now - UPLOAD_TTL_MS,
  ).changes;
}
