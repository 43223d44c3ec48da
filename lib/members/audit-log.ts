// Lists audit events with the names of actors and subjects.

import { type Member, assertAdmin } from "#lib/members/member.ts";
import type { AuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

export interface AuditLogEntry extends AuditEvent {
  /** null for the command line or a deleted member. */
  readonly actorName: string | null;
  /** The member's name or the call's title; null for other or deleted subjects. */
  readonly subjectName: string | null;
}

export const EVENTS_PER_PAGE = 100;

/**
 * Returns a page of EVENTS_PER_PAGE events, newest first, of one subject or of all. `before` is the
 * previous page's `next`. Throws AppError(forbidden) unless `admin` is an admin.
 */
export function listAuditLog(
  tx: Tx,
  admin: Member,
  { subjectId = null, before = null }: { subjectId?: string | null; before?: number | null } = {},
): { events: AuditLogEntry[]; next: number | null } {
  assertAdmin(admin);
  const rows = sqlOf(tx).all<AuditLogEntry & { detail: string }>(
    `SELECT e.*, a."firstName" AS "actorName", COALESCE(u."firstName", c."title") AS "subjectName"
     FROM "AuditEvent" e LEFT JOIN "User" a ON a."id" = e."actorId" LEFT JOIN "User" u ON u."id" = e."subjectId" LEFT JOIN "Call" c ON c."id" = e."subjectId"
     WHERE ${subjectId === null ? "" : `e."subjectId" = ? AND `}e."id" < ? ORDER BY e."id" DESC LIMIT ${EVENTS_PER_PAGE + 1}`,
    ...(subjectId === null ? [] : [subjectId]),
    before ?? Number.MAX_SAFE_INTEGER,
  );
  const events = rows
    .slice(0, EVENTS_PER_PAGE)
    .map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }));
  return { events, next: rows.length > EVENTS_PER_PAGE ? events.at(-1)!.id : null };
}
