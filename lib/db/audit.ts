// Records audit events in the transaction that makes the change.

import { nowMs } from "#lib/core/clock.ts";
import type { Tx } from "./database.ts";
import { sqlOf } from "./sql.ts";

export interface AuditEvent {
  readonly id: number;
  readonly createdAt: number;
  /** null for the command line. */
  readonly actorId: string | null;
  readonly action: string;
  readonly subjectId: string;
  readonly detail: Record<string, unknown>;
}

/**
 * Records `action`, such as "user.role", on `subjectId`. Keep email addresses and content out of
 * `detail`.
 */
export function recordAuditEvent(
  tx: Tx,
  {
    actorId,
    action,
    subjectId,
    detail = {},
  }: {
    actorId: string | null;
    action: string;
    subjectId: string;
    detail?: Record<string, unknown>;
  },
): void {
  sqlOf(tx).run(
    `INSERT INTO "AuditEvent" ("createdAt", "actorId", "action", "subjectId", "detail") VALUES (?, ?, ?, ?, ?)`,
    nowMs(),
    actorId,
    action,
    subjectId,
    JSON.stringify(detail),
  );
}

/** Returns at most `limit` events, newest first, of one subject or of all. */
export function listAuditEvents(
  tx: Tx,
  { subjectId, limit = 100 }: { subjectId?: string; limit?: number } = {},
): AuditEvent[] {
  const rows = subjectId
    ? sqlOf(tx).all<AuditEvent & { detail: string }>(
        `SELECT * FROM "AuditEvent" WHERE "subjectId" = ? ORDER BY "id" DESC LIMIT ?`,
        subjectId,
        limit,
      )
    : sqlOf(tx).all<AuditEvent & { detail: string }>(
        `SELECT * FROM "AuditEvent" ORDER BY "id" DESC LIMIT ?`,
        limit,
      );
  return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }));
}
