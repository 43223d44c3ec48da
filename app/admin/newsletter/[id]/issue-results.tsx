// Renders the delivery results of an issue.

import { resendIssueAction } from "../actions.ts";
import { ActionButton } from "#components/ui/submit-button.tsx";
import { pluralize } from "#lib/core/format.ts";
import type { Issue } from "#lib/newsletter/issues.ts";

export function IssueResults({ issue }: { issue: Issue }) {
  const { pending, sent, failed, uncertain, skipped } = issue.counts;
  const figures = [
    ["Recipients", issue.recipientCount],
    ["Sent", sent],
    ["Pending", pending],
    ["Failed", failed],
    ["Uncertain", uncertain],
    ["Skipped", skipped],
  ] as const;
  const canResend = issue.state !== "CANCELED";
  return (
    <section className="desk-section" aria-labelledby="results">
      <h2 id="results">Recipients</h2>
      <dl className="total-row">
        {figures.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count.toLocaleString("en-US")}</dd>
          </div>
        ))}
      </dl>
      {skipped > 0 && <p className="muted">Skipped recipients unsubscribed before their turn.</p>}
      {uncertain > 0 && (
        <>
          <p>
            For {pluralize(uncertain, "recipient")}, the connection broke after the email was sent
            and before the mail server replied. It may have been delivered, so it isn’t resent
            automatically.
          </p>
          {canResend && <ResendButton issue={issue} state="UNCERTAIN" />}
        </>
      )}
      {failed > 0 && (
        <>
          <p>The mail server refused the email to {pluralize(failed, "recipient")}.</p>
          {canResend && <ResendButton issue={issue} state="FAILED" />}
        </>
      )}
    </section>
  );
}

const RESEND_LABELS = {
  UNCERTAIN: "Resend to uncertain recipients",
  FAILED: "Resend to failed recipients",
  PENDING: "Resume sending",
};

export function ResendButton({
  issue: { id },
  state,
}: {
  issue: Issue;
  state: keyof typeof RESEND_LABELS;
}) {
  return (
    <ActionButton
      action={resendIssueAction}
      fields={{ id: String(id), state }}
      loginNext={`/admin/newsletter/${id}`}
    >
      {RESEND_LABELS[state]}
    </ActionButton>
  );
}
