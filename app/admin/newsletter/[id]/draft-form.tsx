// Renders the form that edits, tests and sends a draft.

import { editIssueAction } from "../actions.ts";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field, TextField } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { pluralize } from "#lib/core/format.ts";
import { type Issue, issueVersion } from "#lib/newsletter/issues.ts";

/** `audience`: how many subscribers would get the issue now; null if the post is not published. */
export function DraftForm({ issue, audience }: { issue: Issue; audience: number | null }) {
  return (
    <section className="desk-section" aria-labelledby="send">
      <h2 id="send">Send</h2>
      <ActionForm
        action={editIssueAction}
        className="form"
        loginNext={`/admin/newsletter/${issue.id}`}
      >
        <input type="hidden" name="id" value={issue.id} />
        <input type="hidden" name="expectedVersion" value={issueVersion(issue)} />
        <Field
          name="subject"
          label="Subject"
          defaultValue={issue.subject}
          maxLength={150}
          required
        />
        <TextField
          name="intro"
          label="Note"
          hint="Optional. Appears above the post. Separate paragraphs with a blank line."
          defaultValue={issue.intro}
          maxLength={2_000}
        />
        <Field
          name="sendAt"
          label="Send at (UTC)"
          hint="Leave empty to send in a minute. If the post isn’t published by then, we’ll send it when it is."
          type="datetime-local"
          defaultValue={issue.sendAt?.toISOString().slice(0, 16)}
        />
        <p className="form-hint">
          {audience === null
            ? "Goes to the subscribers of its topics."
            : audience === 0
              ? "No one has subscribed to it yet."
              : `Goes to ${pluralize(audience, "subscriber")}.`}
        </p>
        <div className="form-actions">
          {/* The first button is the one that Enter in a field presses. */}
          <SubmitButton kind="plain" name="intent" value="save">
            Save
          </SubmitButton>
          <SubmitButton kind="plain" name="intent" value="test">
            Send me a test
          </SubmitButton>
          <SubmitButton name="intent" value="send">
            Send
          </SubmitButton>
        </div>
      </ActionForm>
    </section>
  );
}
