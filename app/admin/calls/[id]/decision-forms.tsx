// Renders the forms that decide on a call. Each sends the version of the call that this page shows.

import { saveAnswerAction } from "../actions.ts";
import { TransitionMessage } from "./transition-message.tsx";
import { Recorder } from "#components/call/recorder.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { ConfirmedButton, SubmitButton } from "#components/ui/submit-button.tsx";
import { MAX_ANSWER_BYTES, MAX_ANSWER_MS } from "#lib/calls/audio/probe.ts";
import type { ReviewedCall } from "#lib/calls/review-queue.ts";
import type { FormState } from "#lib/http/form-state.ts";

/** The call's id and the version on this page, for the optimistic lock. */
export function ExpectedVersionFields({ call }: { call: ReviewedCall }) {
  return (
    <>
      <input type="hidden" name="id" value={call.id} />
      <input type="hidden" name="expectedVersion" value={call.changedAt} />
    </>
  );
}

interface DecisionFormProps {
  readonly call: ReviewedCall;
  readonly path: string;
  readonly action: (previous: FormState, form: FormData) => Promise<FormState>;
  readonly isEnabled: boolean;
  readonly label: string;
  readonly hint?: string;
  /** What a dangerous decision does. Its button is then behind a confirmation. */
  readonly consequences?: string;
}

export function DecisionForm({
  call,
  path,
  action,
  isEnabled,
  label,
  hint,
  consequences,
}: DecisionFormProps) {
  return (
    <ActionForm action={action} className="form-button" loginNext={path}>
      {isEnabled && (
        <>
          <ExpectedVersionFields call={call} />
          <ConfirmedButton kind="plain" consequences={consequences}>
            {label}
          </ConfirmedButton>
          {hint && <p className="form-hint">{hint}</p>}
        </>
      )}
      <FocusOnSuccess />
    </ActionForm>
  );
}

/** Stays mounted after an answer is saved, so that the recorder can clear its draft. */
export function AnswerForm({
  call,
  path,
  owner,
  isEnabled,
}: {
  call: ReviewedCall;
  path: string;
  owner: string;
  isEnabled: boolean;
}) {
  const isReplacing = call.answer !== null;
  return (
    <ActionForm action={saveAnswerAction} className="form" loginNext={path} ownMessage>
      {isEnabled && (
        <>
          <ExpectedVersionFields call={call} />
          <noscript>
            <p className="form-message">Turn on JavaScript to record or upload an answer.</p>
          </noscript>
          <details className="episode-apart needs-script" open={!isReplacing}>
            <summary>{isReplacing ? "Replace answer" : "Record or upload"}</summary>
            <div>
              <Recorder
                name="uploadId"
                draftKey={`answer-${call.id}`}
                maxMs={MAX_ANSWER_MS}
                maxBytes={MAX_ANSWER_BYTES}
                owner={owner}
              />
              <div>
                <SubmitButton kind={isReplacing ? "plain" : "main"}>
                  {isReplacing ? "Replace answer" : "Save answer"}
                </SubmitButton>
              </div>
            </div>
          </details>
        </>
      )}
      <TransitionMessage isCurrent={call.state === "ANSWERED"} loginNext={path} />
      <FocusOnSuccess />
    </ActionForm>
  );
}
