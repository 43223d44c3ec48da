"use client";
// The last look before everybody can: what was said in words, and the page as it will be.

import { useState } from "react";
import { publish } from "../actions.ts";
import { type EpisodeContent, EpisodeView } from "#components/call/episode-view.tsx";
import { FocusMessage } from "#components/member/focus-message.tsx";
import { ActionForm, Submit, TextField, useForm } from "#components/ui/action-form.tsx";

interface Props {
  readonly id: string;
  readonly seen: number;
  readonly loginNext: string;
  readonly number: number;
  readonly title: string;
  /** The two will be one file. */
  readonly isJoined: boolean;
  /** With an empty transcript. null: it can't be published (yet), and only the form's message is shown. */
  readonly content: EpisodeContent | null;
}

export function PublishForm({ id, seen, loginNext, number, title, isJoined, content }: Props) {
  const [transcript, setTranscript] = useState("");
  return (
    <ActionForm action={publish} className="form" loginNext={loginNext}>
      {content && (
        <>
          <input type="hidden" name="id" value={id} />
          <input type="hidden" name="seen" value={seen} />
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
              {isJoined && <p className="muted">On its page question and answer are one player.</p>}
              <EpisodeView
                content={{ ...content, transcript }}
                ids="preview"
                level={3}
                soundsFirst={isJoined}
              />
            </div>
          </details>
          <Send />
        </>
      )}
      <FocusMessage />
    </ActionForm>
  );
}

function Send() {
  const { pending } = useForm();
  return (
    <div className="form-actions">
      <Submit>{pending ? "Publishing…" : "Publish"}</Submit>
      <span className="muted">The caller is told by mail.</span>
    </div>
  );
}
