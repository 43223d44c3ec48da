"use client";
// Renders the form that publishes a call, with the transcript and a preview of the episode.

import { useState } from "react";
import { publishCallAction } from "../actions.ts";
import { TranscriptFields } from "./transcript-fields.tsx";
import { type EpisodeContent, EpisodeView } from "#components/call/episode-view.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { ActionForm, useActionForm } from "#components/ui/action-form.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";

interface Props {
  readonly id: string;
  readonly expectedVersion: number;
  readonly loginNext: string;
  readonly number: number;
  readonly title: string;
  /** Whether question and answer will be merged into one file. */
  readonly willMerge: boolean;
  /** Whether a missing transcript will be created. */
  readonly willTranscribe: boolean;
  /** Its transcript is empty. null if the call can't be published now: then only the form's message is shown. */
  readonly content: EpisodeContent | null;
}

export function PublishForm({ loginNext, content, ...rest }: Props) {
  return (
    <ActionForm action={publishCallAction} className="form" loginNext={loginNext}>
      {content && <PublishFields {...rest} content={content} />}
      <FocusOnSuccess />
    </ActionForm>
  );
}

/** Separate from the form, so that unpublishing also clears the transcript in the preview. */
function PublishFields({
  id,
  expectedVersion,
  number,
  title,
  willMerge,
  willTranscribe,
  content,
}: Omit<Props, "loginNext" | "content"> & { content: EpisodeContent }) {
  const [transcript, setTranscript] = useState("");
  return (
    <>
      <input type="hidden" name="id" value={id} />
      <input type="hidden" name="expectedVersion" value={expectedVersion} />
      <TranscriptFields
        hint={willTranscribe ? "If you leave it empty, we’ll create it for you." : "Optional."}
        onChange={setTranscript}
      />
      <details className="episode-apart">
        <summary>Preview episode {number}</summary>
        <div className="call-preview">
          <div>
            <p className="call-preview-title">{title}</p>
            <p className="episode-when figures">Episode {number}, dated the day you publish it</p>
          </div>
          {willMerge && <p className="muted">Question and answer will be in one player.</p>}
          <EpisodeView
            content={{ ...content, transcript }}
            idPrefix="preview"
            level={3}
            isAudioFirst={willMerge}
          />
        </div>
      </details>
      <PublishRow />
    </>
  );
}

function PublishRow() {
  const { pending } = useActionForm();
  return (
    <div className="form-actions">
      <SubmitButton>{pending ? "Publishing…" : "Publish"}</SubmitButton>
      <span className="muted">We’ll email the caller.</span>
    </div>
  );
}
