"use client";
// The last look before everybody can: what was said in words, and the page as it will be.

import { useState } from "react";
import { publishCallAction } from "../actions.ts";
import { type EpisodeContent, EpisodeView } from "#components/call/episode-view.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { ActionForm, SubmitButton, TextField, useActionForm } from "#components/ui/action-form.tsx";

interface Props {
  readonly id: string;
  readonly expectedVersion: number;
  readonly loginNext: string;
  readonly number: number;
  readonly title: string;
  /** The two will be one file. */
  readonly willMerge: boolean;
  /** With an empty transcript. null: it can't be published (yet), and only the form's message is shown. */
  readonly content: EpisodeContent | null;
}

export function PublishForm({
  id,
  expectedVersion,
  loginNext,
  number,
  title,
  willMerge,
  content,
}: Props) {
  const [transcript, setTranscript] = useState("");
  return (
    <ActionForm action={publishCallAction} className="form" loginNext={loginNext}>
      {content && (
        <>
          <input type="hidden" name="id" value={id} />
          <input type="hidden" name="seen" value={expectedVersion} />
          <TextField
            name="transcript"
            label="Word by word"
            hint="For those who read, and for search. An empty line begins a paragraph. It can be added later."
            rows={8}
            onChange={({ currentTarget }) => setTranscript(currentTarget.value)}
          />
          <details className="episode-apart">
            <summary>See how episode {number} will look</summary>
            <div className="call-preview">
              <div>
                <p className="call-preview-title">{title}</p>
                <p className="episode-when figures">
                  Episode {number}, dated the day that you publish it
                </p>
              </div>
              {willMerge && (
                <p className="muted">On its page question and answer are one player.</p>
              )}
              <EpisodeView
                content={{ ...content, transcript }}
                ids="preview"
                level={3}
                soundsFirst={willMerge}
              />
            </div>
          </details>
          <PublishRow />
        </>
      )}
      <FocusOnSuccess />
    </ActionForm>
  );
}

function PublishRow() {
  const { pending } = useActionForm();
  return (
    <div className="form-actions">
      <SubmitButton>{pending ? "Publishing…" : "Publish"}</SubmitButton>
      <span className="muted">The caller is told by mail.</span>
    </div>
  );
}
