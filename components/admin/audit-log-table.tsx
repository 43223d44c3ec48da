// Renders the audit log as a table.

import { formatAuditDetail } from "./format-audit-detail.ts";
import { DataTable } from "./data-table.tsx";
import { Timestamp } from "./timestamp.tsx";
import type { AuditLogEntry } from "#lib/members/audit-log.ts";

const ACTION_LABELS: Record<string, string> = {
  "user.role": "Changed the role",
  "user.edit": "Edited a member",
  "user.sessions": "Logged a member out everywhere",
  "user.delete": "Deleted a member",
  "user.left": "Deleted their own account",
  "delivery.retry": "Retried a delivery",
  "delivery.give_up": "Canceled a delivery",
  "newsletter.schedule": "Scheduled a newsletter issue",
  "newsletter.cancel": "Canceled or stopped a newsletter issue",
  "newsletter.resend": "Resent or resumed a newsletter issue",
  "subscriber.remove": "Removed a subscriber",
  "subscriber.bounce": "Unsubscribed an address after a bounce",
  "subscriber.complaint": "Unsubscribed an address after a complaint",
  "preview.create": "Created a preview link",
  "preview.withdraw": "Withdrew a preview link",
  "cache.delete": "Deleted a cache entry",
  "backup.alert": "Emailed the admins about the backup",
  "call.take": "Claimed a call",
  "call.put_back": "Unassigned a call",
  "call.edit": "Edited a call",
  "call.answer": "Answered a call",
  "call.answer_removed": "Removed an answer",
  "call.decline": "Declined a call",
  "call.reopen": "Reopened a call",
  "call.publish": "Published a call",
  "episode.edit": "Edited an episode",
  "call.unpublish": "Unpublished an episode",
};

function Subject({ action, subjectId, subjectName }: AuditLogEntry) {
  const subject = action.split(".")[0];
  const id = encodeURIComponent(subjectId ?? "");
  const href =
    subject === "user"
      ? `/admin/users/${id}`
      : subject === "call" || subject === "episode"
        ? `/admin/calls/${id}`
        : null;
  if (subjectName && href) return <a href={href}>{subjectName}</a>;
  return <span className="key">{subjectId}</span>;
}

function Actor({ action, actorId, actorName }: AuditLogEntry) {
  if (actorId === null) return action === "user.role" ? "Command line" : "The site";
  if (actorName) return <a href={`/admin/users/${encodeURIComponent(actorId)}`}>{actorName}</a>;
  return <span className="muted">Deleted member</span>;
}

export function AuditLogTable({
  events,
  showSubject = true,
}: {
  events: readonly AuditLogEntry[];
  showSubject?: boolean;
}) {
  return (
    <DataTable
      label="Log"
      rows={events}
      keyOf={(event) => event.id}
      columns={[
        {
          label: "Time (UTC)",
          render: (event) => <Timestamp ms={event.createdAt.getTime()} />,
        },
        { label: "Who", render: (event) => <Actor {...event} /> },
        {
          label: "Action",
          render: (event) => (
            <>
              {ACTION_LABELS[event.action] ?? event.action}
              <small>{formatAuditDetail(event.detail)}</small>
            </>
          ),
        },
        ...(showSubject
          ? [{ label: "Subject", render: (event: AuditLogEntry) => <Subject {...event} /> }]
          : []),
      ]}
    />
  );
}
