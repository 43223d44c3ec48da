// Reads the recording of a call, for its owner and for admins.

import { createHash } from "node:crypto";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Member } from "#lib/members/member.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { decodeRecording, sniffAudio } from "./audio/probe.ts";
import { AudioCache, type CachedAudio } from "./audio-cache.ts";
import { readUploadParts } from "./upload.ts";

export interface StoredRecording {
  readonly bytes: Uint8Array;
  /** Detected from the bytes; application/octet-stream for an unknown format. */
  readonly contentType: string;
  /** The call's title with the extension of the type. */
  readonly filename: string;
  readonly etag: string;
}

// A player requests many ranges of a recording. Each request is authorized before it uses the
// cache.
const recordingCache = new AudioCache(32_000_000, 2 * MINUTE_MS);

/**
 * Returns the recording of the member's own call, or of any call for an admin. Throws
 * AppError(not_found) otherwise, and for typed questions.
 */
export function getRecording(
  tx: Tx,
  { id, member }: { id: string; member: Member },
): StoredRecording {
  const call = sqlOf(tx).get<{ userId: string; title: string }>(
    `SELECT "userId", "title" FROM "Call" WHERE "id" = ?`,
    id,
  );
  const audio =
    call && (call.userId === member.id || member.role === "ADMIN") ? findCallAudio(tx, id) : null;
  if (!call || !audio) throw new AppError("not_found", "This recording doesn’t exist.");
  const sniffed = sniffAudio(audio.bytes);
  return {
    ...audio,
    contentType: sniffed?.contentType ?? "application/octet-stream",
    filename: `${call.title}.${sniffed?.extension ?? "bin"}`,
  };
}

/**
 * SQL condition: call `c` has a recording. octet_length() takes the size from the row header,
 * without reading the column. To be deleted: use findRecordedCallIds() of recording.sql.ts.
 */
export const IS_RECORDED_SQL = `(octet_length(c."base64") > 0 OR EXISTS (SELECT 1 FROM "Upload" WHERE "callId" = c."id" AND "contentType" IS NOT NULL))`;

/**
 * Returns the recording of a call, from its upload's parts or, for calls of the source site,
 * decoded from Call.base64. Null for a typed question or a missing call. The calling function must
 * authorize the listener.
 */
export function findCallAudio(tx: Tx, id: string): CachedAudio | null {
  const call = sqlOf(tx).get<{
    userId: string;
    createdAt: number;
    base64Chars: number;
    uploadId: string | null;
    size: number;
  }>(
    `SELECT c."userId", c."createdAt", octet_length(c."base64") AS "base64Chars", u."id" AS "uploadId", u."size"
     FROM "Call" c LEFT JOIN "Upload" u ON u."callId" = c."id" AND u."contentType" IS NOT NULL WHERE c."id" = ?`,
    id,
  );
  if (!call) return null;
  const { userId, createdAt, base64Chars, uploadId, size } = call;
  // Browsers choose the ids of calls. A reused id may be a different recording of the same length.
  return recordingCache.get([id, userId, createdAt, base64Chars, uploadId].join(" "), () => {
    const bytes = uploadId
      ? readUploadParts(tx, { id: uploadId, size })
      : decodeRecording(
          sqlOf(tx).get<{ base64: string }>(`SELECT "base64" FROM "Call" WHERE "id" = ?`, id)
            ?.base64 ?? "",
        );
    return (
      bytes && { bytes, etag: createHash("sha256").update(bytes).digest("base64url").slice(0, 27) }
    );
  });
}
