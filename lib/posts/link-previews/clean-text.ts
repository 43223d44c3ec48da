// Cleans and truncates third-party text for a card.

import { truncateAtWord } from "#lib/core/truncate-at-word.ts";

/** Control, zero-width and bidirectional control characters. */
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u200b\u2060\ufeff]/gu;

/**
 * Returns one line of at most `max` characters, truncated at a word with "…"; undefined if empty.
 */
export function cleanLine(text: string | undefined, max: number): string | undefined {
  if (text === undefined) return undefined;
  const line = text
    .slice(0, max * 8)
    .toWellFormed()
    .replace(/\s+/g, " ")
    .replace(INVISIBLE, "")
    .trim();
  return line === "" ? undefined : truncateAtWord(line, max);
}

/** Like `cleanLine`, but keeps line breaks, with at most one empty line in a row. */
export function cleanLines(text: string | undefined, max: number): string | undefined {
  if (text === undefined) return undefined;
  const lines = text
    .slice(0, max * 8)
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(INVISIBLE, "")
    .split("\n")
    .map((line) => line.replace(/\s+/g, " ").trim())
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
  return lines === "" ? undefined : truncateAtWord(lines, max);
}
