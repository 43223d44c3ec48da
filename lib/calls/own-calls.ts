// Lists and deletes a member's own calls.

import { AppError } from "#lib/core/errors.ts";
import type { Member } from "#lib/members/member.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { IS_RECORDED_SQL } from "./recording.ts";

export interface OwnCall {
  readonly id: string;
  readonly createdAt: number;
  readonly title: string;
  readonly description: string;
  readonly state: "NEW" | "REVIEWING" | "ANSWERED" | "PUBLISHED" | "DECLINED";
  /** False for a typed question. */
  readonly isRecorded: boolean;
  /** Null for a typed question, or a recording from the source site that was never probed. */
  readonly durationMs: number | null;
  /** Empty unless the call was declined. */
  readonly declineReason: string;
  /** The slug of the episode; null unless published. */
  readonly slug: string | null;
}

/** The newest calls that are listed. */
const MAX_LISTED = 200;

/** Returns the member's calls, newest first, without audio and without the admins' notes. */
export function listOwnCalls(tx: Tx, member: Member): OwnCall[] {
  const rows = sqlOf(tx).all<Omit<OwnCall, "isRecorded"> & { isRecorded: number }>(
    `SELECT c."id", c."createdAt", c."title", c."description", r."state", ${IS_RECORDED_SQL} AS "isRecorded", r."durationMs",
       CASE WHEN r."state" = 'DECLINED' THEN r."declineReason" ELSE '' END AS "declineReason",
       CASE WHEN r."state" = 'PUBLISHED' THEN e."slug" END AS "slug"
     FROM "Call" c JOIN "CallReview" r ON r."callId" = c."id" LEFT JOIN "Episode" e ON e."callId" = c."id"
     WHERE c."userId" = ? ORDER BY c."createdAt" DESC, c."id" LIMIT ${MAX_LISTED}`,
    member.id,
  );
  return rows.map((row) => ({ ...row, isRecorded: row.isRecorded === 1 }));
}

/**
 * Deletes the member's own call with recording, answer and episode. Throws AppError(not_found) for
 * any other.
 */
export function deleteOwnCall(tx: Tx, { id, member }: { id: string; member: Member }): void {
  const { changes } = sqlOf(tx).run(
    `DELETE FROM "Call" WHERE "id" = ? AND "userId" = ?`,
    id,
    member.id,
  );
  if (changes === 0)
    throw new AppError("not_found", "This call doesn’t exist. It may have been deleted already.");
}
