// Renders the newsletter's issues as a table.

import type { listIssues } from "#lib/newsletter/issues.ts";
import { ScrollableTable } from "./scrollable-table.tsx";
import { Timestamp } from "./timestamp.tsx";

export const ISSUE_STATE_LABELS = {
  DRAFT: "Draft",
  SCHEDULED: "Scheduled",
  SENDING: "Sending",
  SENT: "Sent",
  CANCELED: "Canceled",
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

export function IssueTable({ issues }: { issues: readonly ListedIssue[] }) {
  return (
    <ScrollableTable label="Newsletter issues">
      <thead>
        <tr>
          <th scope="col">Subject</th>
          <th scope="col">State (UTC)</th>
          {["Recipients", "Sent", "Failed", "Uncertain"].map((name) => (
            <th key={name} scope="col" className="number">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {issues.map((issue) => (
          <tr key={issue.id}>
            <th scope="row">
              <a href={`/admin/newsletter/${issue.id}`}>{issue.subject}</a>
            </th>
            <td>
              <IssueState issue={issue} />
            </td>
            {[
              issue.recipientCount,
              issue.counts.sent,
              issue.counts.failed,
              issue.counts.uncertain,
            ].map((count, i) => (
              <td key={i} className="number">
                {issue.startedAt ? count.toLocaleString("en-US") : ""}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </ScrollableTable>
  );
}
