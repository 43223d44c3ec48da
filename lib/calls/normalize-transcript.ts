// Turns typed, uploaded and generated transcripts into what is stored.

import { AppError } from "#lib/core/errors.ts";
import { MAX_TRANSCRIPT_CHARS, formatWebVtt, normalizeLines, parseCues } from "./transcript.ts";

const invalid = (message: string) => new AppError("invalid", message, { field: "transcript" });

/**
 * Returns WebVTT for WebVTT and SubRip, otherwise plain text. Throws AppError(invalid) for a file
 * with the header of WebVTT but no cue, and above MAX_TRANSCRIPT_CHARS.
 */
export function normalizeTranscript(source: string): string {
  const text = normalizeLines(source).trim();
  const cues = parseCues(text);
  if (cues?.length === 0)
    throw invalid(
      "The transcript begins with WEBVTT but has no line such as 00:00:01.000 --> 00:00:04.000 with text below it.",
    );
  const stored = cues ? formatWebVtt(cues) : text;
  if (stored.length > MAX_TRANSCRIPT_CHARS)
    throw invalid(
      `The transcript has ${stored.length.toLocaleString("en")} characters. The limit is ${MAX_TRANSCRIPT_CHARS.toLocaleString("en")}.`,
    );
  return stored;
}

/**
 * Returns what a command printed as it is stored. whisper.cpp prints the times of WebVTT in
 * brackets before each text.
 */
export function normalizeCommandOutput(output: string): string {
  return normalizeTranscript(
    normalizeLines(output)
      .trim()
      .replace(/^\[(\d[\d:.]* --> \d[\d:.]*)\][ \t]*(.*)$/gm, "$1\n$2\n"),
  );
}
