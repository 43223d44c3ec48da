// Lists audit events with the names of actors and subjects.

import { type Member, assertAdmin } from "#lib/members/member.ts";
import { type AuditEvent, listAuditEvents } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";

export interface AuditLogEntry extends AuditEvent {
  /** null for the command line, the site itself, or a deleted member. */
  readonly actorName: string | null;
  /** The member's name or the call's title; null for other or deleted subjects. */
  readonly subjectName: string | null;
}

export const EVENTS_PER_PAGE = 100;

/**
 * Returns a page of EVENTS_PER_PAGE events, newest first, of one subject or of all. `before` is the
 * previous page's `next`. Throws AppError(forbidden) unless `admin` is an admin.
 */
export async function listAuditLog(
  tx: Tx,
  admin: Member,
  { subjectId = null, before = null }: { subjectId?: string | null; before?: number | null } = {},
): Promise<{ events: AuditLogEntry[]; next: number | null }> {
  assertAdmin(admin);
  const found = await listAuditEvents(tx, { subjectId, before, limit: EVENTS_PER_PAGE + 1 });
  const page = found.slice(0, EVENTS_PER_PAGE);
  const subjectIds = page.map((event) => event.subjectId);
  const actorIds = page.flatMap(({ actorId }) => actorId ?? []);
  // Events outlive the rows that they name, so these are no relations.
  const users = await tx.user.findMany({
    where: { id: { in: [...new Set([...subjectIds, ...actorIds])] } },
    select: { id: true, firstName: true },
  });
  const calls = await tx.call.findMany({
    where: { id: { in: [...new Set(subjectIds)] } },
    select: { id: true, title: true },
  });
  const firstNames = new Map(users.map(({ id, firstName }) => [id, firstName]));
  const titles = new Map(calls.map(({ id, title }) => [id, title]));
  return {
    events: page.map((event) => ({
      ...event,
      actorName: event.actorId === null ? null : (firstNames.get(event.actorId) ?? null),
      subjectName: firstNames.get(event.subjectId) ?? titles.get(event.subjectId) ?? null,
    })),
    next: found.length > EVENTS_PER_PAGE ? page.at(-1)!.id : null,
  };
}
