"use client";
// Renders the fields for a transcript: its text, and a file that replaces it.

import { Field, TextField } from "#components/ui/form-fields.tsx";

export function TranscriptFields({
  hint,
  defaultValue,
  onChange,
}: {
  hint?: string;
  defaultValue?: string;
  onChange?: (text: string) => void;
}) {
  return (
    <>
      <TextField
        name="transcript"
        label="Transcript"
        hint={`${hint ? `${hint} ` : ""}WebVTT, SubRip, or text with a blank line between paragraphs.`}
        defaultValue={defaultValue}
        rows={10}
        onChange={({ currentTarget }) => onChange?.(currentTarget.value)}
      />
      <Field
        name="transcriptFile"
        label="Transcript file"
        hint="A .vtt, .srt or .txt file, which replaces the text above"
        type="file"
        accept=".vtt,.srt,.txt,text/vtt,text/plain"
      />
    </>
  );
}
