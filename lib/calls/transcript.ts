// Reads and writes transcripts: WebVTT (w3.org/TR/webvtt1) with times, or plain paragraphs.

/** Maximum length of a transcript: about three hours of speech with times. */
export const MAX_TRANSCRIPT_CHARS = 200_000;
/** A paragraph ends at the first sentence that makes it longer than the first number. */
const PARAGRAPH_CHARS = [280, 1_000] as const;
const MAX_SPEAKER_CHARS = 60;

export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  /** Empty if unnamed. */
  readonly speaker: string;
  /** Plain text on one line. */
  readonly text: string;
}

/** What is stored: no text, paragraphs without times, or WebVTT. */
export type TranscriptKind = "none" | "plain" | "timed";

const TIMING =
  /^\s*(?:(\d{1,4}):)?(\d{2}):(\d{2})[.,](\d{1,3})\s*-->\s*(?:(\d{1,4}):)?(\d{2}):(\d{2})[.,](\d{1,3})(?:\s|$)/;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  nbsp: "\u00a0",
  lrm: "",
  rlm: "",
};

function toMs(parts: readonly (string | undefined)[]): number {
  const [hours = "0", minutes, seconds, fraction = ""] = parts;
  return (
    Number(hours) * 3_600_000 +
    Number(minutes) * 60_000 +
    Number(seconds) * 1_000 +
    Number(fraction.padEnd(3, "0"))
  );
}

/** Returns the lines of a cue as plain text, without tags, entities and SubRip's {\an8}. */
function toPlainText(markup: string): string {
  return markup
    .replace(/<[^<>]*>|\{\\[^{}]*\}/g, "")
    .replace(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name: string) => ENTITIES[name]!)
    .replace(/\s+/g, " ")
    .trim();
}

const NAME =
  /^((?:\p{Lu}|\p{Lo})[\p{L}\p{M}\p{N}.'’-]*(?: \p{Lu}[\p{L}\p{M}\p{N}.'’-]*){0,2}): (.+)$/u;

/** Returns the speaker of a cue: <v Ada>, or "Ada: " at its start. */
function splitSpeaker(markup: string): { speaker: string; text: string } {
  const voice = /<v(?:\.[^\s<>]*)?[ \t]([^<>]*)>/.exec(markup);
  const text = toPlainText(markup);
  if (voice) return { speaker: toPlainText(voice[1]!).slice(0, MAX_SPEAKER_CHARS), text };
  const named = NAME.exec(text);
  return named
    ? { speaker: named[1]!.slice(0, MAX_SPEAKER_CHARS), text: named[2]! }
    : { speaker: "", text };
}

function parseCue(block: string): Cue | null {
  const lines = block.split("\n");
  // A cue may begin with its number or name.
  const index = lines.findIndex((line, i) => i < 2 && TIMING.test(line));
  if (index < 0) return null;
  const times = TIMING.exec(lines[index]!)!.slice(1);
  const { speaker, text } = splitSpeaker(lines.slice(index + 1).join("\n"));
  const startMs = toMs(times.slice(0, 4));
  return { startMs, endMs: Math.max(startMs, toMs(times.slice(4))), speaker, text };
}

/** Returns the text with \n at the ends of lines, without a byte order mark. */
export const normalizeLines = (text: string) => text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
const isWebVtt = (text: string) => /^WEBVTT(?:[ \t\n]|$)/.test(text);

/** Returns the cues of WebVTT or SubRip, in their order in time; null for other text. */
export function parseCues(source: string): Cue[] | null {
  const blocks = normalizeLines(source)
    .trim()
    .split(/\n[ \t]*\n+/);
  if (!isWebVtt(blocks[0]!) && parseCue(blocks[0]!) === null) return null;
  return blocks
    .map(parseCue)
    .filter((cue) => cue !== null && cue.text !== "")
    .toSorted((a, b) => a!.startMs - b!.startMs) as Cue[];
}

function formatTime(ms: number): string {
  const pad = (value: number, length = 2) => String(value).padStart(length, "0");
  const seconds = Math.floor(ms / 1_000);
  return `${pad(Math.floor(seconds / 3_600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}.${pad(ms % 1_000, 3)}`;
}

const escapeCue = (text: string) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Returns the cues as a WebVTT file. */
export function formatWebVtt(cues: readonly Cue[]): string {
  return `WEBVTT\n${cues
    .map(
      ({ startMs, endMs, speaker, text }) =>
        `\n${formatTime(startMs)} --> ${formatTime(endMs)}\n${speaker ? `<v ${escapeCue(speaker)}>` : ""}${escapeCue(text)}\n`,
    )
    .join("")}`;
}

/** Returns the words of a stored transcript, with speakers and without times. */
export function transcriptText(stored: string): string {
  const cues = parseCues(stored);
  if (!cues) return stored;
  return groupCues(cues)
    .map(({ speaker, text }) => (speaker ? `${speaker}: ${text}` : text))
    .join("\n\n");
}

function isFull(paragraph: string): boolean {
  const [min, max] = PARAGRAPH_CHARS;
  const endsSentence = /[.!?…。？！]["”’)]?$/.test(paragraph.slice(-2));
  return paragraph.length > max || (paragraph.length > min && endsSentence);
}

/** Joins consecutive cues of a speaker to paragraphs that end with a sentence. */
export function groupCues(cues: readonly Cue[]): Cue[] {
  const paragraphs: Cue[] = [];
  for (const cue of cues) {
    const last = paragraphs.at(-1);
    if (!last || last.speaker !== cue.speaker || isFull(last.text)) paragraphs.push(cue);
    else
      paragraphs[paragraphs.length - 1] = {
        ...last,
        endMs: cue.endMs,
        text: `${last.text} ${cue.text}`,
      };
  }
  return paragraphs;
}

/** Returns the paragraphs of plain text, which blank lines separate. */
export const splitParagraphs = (text: string): string[] =>
  text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim());

/** Returns plain text with each paragraph on one line, and blank lines between paragraphs. */
export const unwrapParagraphs = (text: string): string =>
  splitParagraphs(text)
    .map((paragraph) => paragraph.replace(/\s+/g, " "))
    .join("\n\n");
