// Records audit events in the transaction that makes the change.

import { nowMs } from "#lib/core/clock.ts";
import type { Tx } from "./database.ts";

export interface AuditEvent {
  readonly id: number;
  readonly createdAt: Date;
  /** null for the command line and the site itself. */
  readonly actorId: string | null;
  readonly action: string;
  readonly subjectId: string;
  readonly detail: Record<string, unknown>;
}

/**
 * Records `action`, such as "user.role", on `subjectId`. Keep email addresses and content out of
 * `detail`.
 */
export async function recordAuditEvent(
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
): Promise<void> {
  await tx.auditEvent.create({
    data: {
      createdAt: new Date(nowMs()),
      actorId,
      action,
      subjectId,
      detail: JSON.stringify(detail),
    },
    select: { id: true },
  });
}

/** Returns at most `limit` events older than `before`, newest first, of one subject or of all. */
export async function listAuditEvents(
  tx: Tx,
  {
    subjectId = null,
    before = null,
    limit = 100,
  }: { subjectId?: string | null; before?: number | null; limit?: number } = {},
): Promise<AuditEvent[]> {
  const rows = await tx.auditEvent.findMany({
    where: {
      ...(subjectId !== null && { subjectId }),
      ...(before !== null && { id: { lt: before } }),
    },
    orderBy: { id: "desc" },
    take: limit,
  });
  return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }));
}
