// Renders the newsletter's issues as a table.

import type { listIssues } from "#lib/newsletter/issues.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { Timestamp } from "./timestamp.tsx";

export const ISSUE_STATE_LABELS = {
  DRAFT: "Draft",
  SCHEDULED: "Scheduled",
  SENDING: "Sending",
  SENT: "Sent",
  CANCELED: "Stopped",
} as const;

type ListedIssue = Awaited<ReturnType<typeof listIssues>>[number];

function IssueState({ issue }: { issue: ListedIssue }) {
  const { state, sendAt, finishedAt, problem } = issue;
  const date = state === "SCHEDULED" ? sendAt : finishedAt;
  return (
    <>
      {ISSUE_STATE_LABELS[state]}
      {date && (
        <small>
          <Timestamp ms={date.getTime()} />
        </small>
      )}
      {problem && <small className="form-error">{problem}</small>}
    </>
  );
}

const countColumn = (
  label: string,
  count: (issue: ListedIssue) => number,
): Column<ListedIssue> => ({
  label,
  kind: "number",
  render: (issue) => (issue.startedAt ? count(issue).toLocaleString("en-US") : ""),
});

export function IssueTable({ issues }: { issues: readonly ListedIssue[] }) {
  return (
    <DataTable
      label="Newsletter issues"
      rows={issues}
      keyOf={(issue) => issue.id}
      columns={[
        {
          label: "Subject",
          render: (issue) => <a href={`/admin/newsletter/${issue.id}`}>{issue.subject}</a>,
        },
        { label: "State (UTC)", render: (issue) => <IssueState issue={issue} /> },
        countColumn("Recipients", (issue) => issue.recipientCount),
        countColumn("Sent", (issue) => issue.counts.sent),
        countColumn("Failed", (issue) => issue.counts.failed),
        countColumn("Uncertain", (issue) => issue.counts.uncertain),
      ]}
    />
  );
}
