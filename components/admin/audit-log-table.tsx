// What admins changed, as a table: when, who, what, about whom.

import { formatAuditDetail } from "./format-audit-detail.ts";
import { ScrollableTable } from "./scrollable-table.tsx";
import { Timestamp } from "./timestamp.tsx";
import type { AuditLogEntry } from "#lib/members/audit-log.ts";

const ACTION_LABELS: Record<string, string> = {
  "user.role": "Changed the role",
  "user.edit": "Edited a member",
  "user.sessions": "Logged a member out everywhere",
  "user.delete": "Deleted a member",
  "user.left": "Deleted their own account",
  "delivery.retry": "Had a delivery tried again",
  "delivery.give_up": "Gave a delivery up",
  "cache.delete": "Deleted a cache entry",
  "call.take": "Took a call",
  "call.put_back": "Put a call back",
  "call.edit": "Edited a call",
  "call.answer": "Answered a call",
  "call.answer_removed": "Removed an answer",
  "call.decline": "Declined a call",
  "call.reopen": "Reopened a call",
  "call.publish": "Published a call",
  "episode.edit": "Edited an episode",
  "call.unpublish": "Took a call back from the public",
};

function Subject({ action, subjectId, subjectName }: AuditLogEntry) {
  const room = action.split(".")[0];
  const href =
    room === "user"
      ? `/admin/users/${subjectId}`
      : room === "call" || room === "episode"
        ? `/admin/calls/${subjectId}`
        : null;
  if (subjectName && href) return <a href={href}>{subjectName}</a>;
  return <span className="key">{subjectId}</span>;
}

export function AuditLogTable({
  events,
  about = true,
}: {
  events: readonly AuditLogEntry[];
  about?: boolean;
}) {
  return (
    <ScrollableTable label="Log">
      <thead>
        <tr>
          <th scope="col">When, UTC</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          {about && <th scope="col">About</th>}
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={event.id}>
            <td>
              <Timestamp ms={event.createdAt} />
            </td>
            <td>
              {event.actorId === null ? (
                "Command line"
              ) : event.actorName ? (
                <a href={`/admin/users/${event.actorId}`}>{event.actorName}</a>
              ) : (
                <span className="muted">No member any more</span>
              )}
            </td>
            <td>
              {ACTION_LABELS[event.action] ?? event.action}
              <small>{formatAuditDetail(event.detail)}</small>
            </td>
            {about && (
              <td>
                <Subject {...event} />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </ScrollableTable>
  );
}
