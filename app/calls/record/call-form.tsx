"use client";
// The form of a call: record or write, what it is about, send.

import { useState } from "react";
import {
  ActionForm,
  Field,
  SubmitButton,
  TextField,
  useActionForm,
} from "#components/ui/action-form.tsx";
import { normalizeKeywords } from "#lib/calls/keywords.ts";
import { CharacterCounter } from "#components/call/character-counter.tsx";
import { Recorder } from "#components/call/recorder.tsx";
import { submitCall } from "./actions.ts";

const DRAFT_FIELDS = ["title", "description", "keywords"];

/** `id`: what the call will be called where JavaScript does not run; where it does the recorder has its own. `maxMs` and `maxBytes`: of the recording. */
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
        Recording needs JavaScript, which is switched off in this browser. You can write your
        question instead; it gets the same answer.
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
            Speak
          </label>
          <label>
            <input
              type="radio"
              name="way"
              value="typed"
              checked={isTyped}
              onChange={() => setTyped(true)}
            />{" "}
            Write
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
            What it is about, in a few words: 5 to 50 characters
            <CharacterCounter min={5} max={50} />
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
              ? "As you would say it"
              : "The question in a few sentences, for those who read. If you don’t record, this is the question"}
            : 20 to 1,000 characters
            <CharacterCounter min={20} max={1000} />
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
            Separated by commas: 2 to 100 characters
            <CharacterCounter min={2} max={100} clean={normalizeKeywords} />
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

/** `isSending`: the recording is on its way, before the form. */
function SubmitRow({ isTyped, isSending }: { isTyped: boolean; isSending: boolean }) {
  const { pending } = useActionForm();
  return (
    <div className="form-actions">
      <SubmitButton>{pending || isSending ? "Sending…" : "Send your call"}</SubmitButton>
      <span className="muted">
        {isTyped
          ? "It is read, answered, then published."
          : "It is heard, answered, then published."}
      </span>
    </div>
  );
}
