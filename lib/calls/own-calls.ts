// A member's own calls: what became of them, and taking them back.

import { AppError } from "#lib/core/errors.ts";
import type { Member } from "#lib/core/member.ts";
import type { Sql } from "../db/connection.ts";
import { IS_RECORDED_SQL } from "./recording.ts";

export interface OwnCall {
  readonly id: string;
  readonly createdAt: number;
  readonly title: string;
  readonly description: string;
  readonly state: "NEW" | "REVIEWING" | "ANSWERED" | "PUBLISHED" | "DECLINED";
  /** False for a question that was typed. */
  readonly isRecorded: boolean;
  /** null: typed, or moved in from elsewhere and never measured. */
  readonly durationMs: number | null;
  /** Why it was declined; empty unless it was. */
  readonly declineReason: string;
  /** Of the episode it became. */
  readonly slug: string | null;
}

/** More than a member can leave open; older ones than these are not shown. */
const MAX_LISTED = 200;

/** The member's calls, newest first, without their sound. What admins note about them is not part of it. */
export function listOwnCalls(sql: Sql, member: Member): OwnCall[] {
  const rows = sql.all<Omit<OwnCall, "isRecorded"> & { isRecorded: number }>(
    `SELECT c."id", c."createdAt", c."title", c."description", r."state", ${IS_RECORDED_SQL} AS "isRecorded", r."durationMs",
       CASE WHEN r."state" = 'DECLINED' THEN r."declineReason" ELSE '' END AS "declineReason",
       CASE WHEN r."state" = 'PUBLISHED' THEN e."slug" END AS "slug"
     FROM "Call" c JOIN "CallReview" r ON r."callId" = c."id" LEFT JOIN "Episode" e ON e."callId" = c."id"
     WHERE c."userId" = ? ORDER BY c."createdAt" DESC, c."id" LIMIT ${MAX_LISTED}`,
    member.id,
  );
  return rows.map((row) => ({ ...row, isRecorded: row.isRecorded === 1 }));
}

/** Deletes the member's own call with its answer and its episode. Throws AppError(not_found) for any other. */
export function deleteOwnCall(sql: Sql, { id, member }: { id: string; member: Member }): void {
  const { changes } = sql.run(`DELETE FROM "Call" WHERE "id" = ? AND "userId" = ?`, id, member.id);
  if (changes === 0)
    throw new AppError("not_found", "There is no such call. It may have been deleted already.");
}
