"use client";
// Renders the form of a call: record or type, describe, send.

import { useState } from "react";
import { ActionForm, useActionForm } from "#components/ui/action-form.tsx";
import { Field, TextField } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { normalizeKeywords } from "#lib/calls/keywords.ts";
import { CharacterCounter } from "#components/call/character-counter.tsx";
import { Recorder } from "#components/call/recorder.tsx";
import { submitCall } from "./actions.ts";

const DRAFT_FIELDS = ["title", "description", "keywords"];

/**
 * `id` is the idempotency key without JavaScript; otherwise the recorder generates one. `maxMs` and
 * `maxBytes` limit the recording.
 */
export function CallForm({
  id,
  owner,
  maxMs,
  maxBytes,
}: {
  id: string;
  owner: string;
  maxMs: number;
  maxBytes: number;
}) {
  const [isTyped, setTyped] = useState(false);
  const [isSending, setSending] = useState(false);
  return (
    <ActionForm action={submitCall} className="form" loginNext="/calls/record">
      <input type="hidden" name="owner" value={owner} />
      <p className="form-message without-script">
        Recording needs JavaScript. You can type your question instead.
      </p>
      <fieldset className="ways needs-script">
        <legend className="form-legend">How do you want to ask?</legend>
        <div className="ways-choice">
          <label>
            <input
              type="radio"
              name="way"
              value="spoken"
              checked={!isTyped}
              onChange={() => setTyped(false)}
            />{" "}
            Record
          </label>
          <label>
            <input
              type="radio"
              name="way"
              value="typed"
              checked={isTyped}
              onChange={() => setTyped(true)}
            />{" "}
            Type
          </label>
        </div>
      </fieldset>
      <Recorder
        name="uploadId"
        draftKey="call"
        maxMs={maxMs}
        maxBytes={maxBytes}
        owner={owner}
        draftFields={DRAFT_FIELDS}
        formId={{ name: "id", value: id }}
        isEnabled={!isTyped}
        onSendingChange={setSending}
      />
      <Field
        name="title"
        label="Title"
        hint={
          <>
            A few words, 5–50 characters
            <CharacterCounter max={50} />
          </>
        }
        required
        minLength={5}
        autoComplete="off"
      />
      <TextField
        name="description"
        label={isTyped ? "Your question" : "Description"}
        hint={
          <>
            {isTyped
              ? "In your own words"
              : "Summarize your question. If you aren’t recording, write it here"}
            , 20–1,000 characters
            <CharacterCounter max={1_000} />
          </>
        }
        required
        minLength={20}
        rows={7}
      />
      <Field
        name="keywords"
        label="Keywords"
        hint={
          <>
            Comma-separated, 2–100 characters
            <CharacterCounter max={100} normalize={normalizeKeywords} />
          </>
        }
        required
        minLength={2}
        autoComplete="off"
      />
      <div data-recorder-status="" />
      <SubmitRow isTyped={isTyped} isSending={isSending} />
    </ActionForm>
  );
}

/** `isSending` is true while the recording is uploaded, before the form is sent. */
function SubmitRow({ isTyped, isSending }: { isTyped: boolean; isSending: boolean }) {
  const { pending } = useActionForm();
  return (
    <div className="form-actions">
      <SubmitButton>{pending || isSending ? "Sending…" : "Send"}</SubmitButton>
      <span className="muted">
        {isTyped ? "We’ll read, answer and publish it." : "We’ll listen, answer and publish it."}
      </span>
    </div>
  );
}
