// One thing that a plan has to say, and how names, numbers and keys are written in it.

export interface PlanIssue {
  /** `stop`: the source must be changed, or the disk; `choice`: a flag decides it; `note`: it is only to be known. */
  readonly level: "stop" | "choice" | "note";
  readonly about: "source" | "tables" | "rows" | "values" | "members" | "target";
  /** Whole sentences. Never a value of a row but a key; a session's as this site has it, hashed. */
  readonly text: string;
  /** What mends or decides it: a statement for Postgres, a flag, or a sentence. */
  readonly fix: string | null;
}

export const createBlocker = (
  about: PlanIssue["about"],
  text: string,
  fix: string | null,
): PlanIssue => ({
  level: "stop",
  about,
  text,
  fix,
});
export const createChoice = (about: PlanIssue["about"], text: string, fix: string): PlanIssue => ({
  level: "choice",
  about,
  text,
  fix,
});
export const createNote = (
  about: PlanIssue["about"],
  text: string,
  fix: string | null = null,
): PlanIssue => ({ level: "note", about, text, fix });

/** "1 row", "20,000 rows". */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** The text without what moves a terminal's cursor or reorders a line: control characters, marks of direction, halves of a character. */
export function stripControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "?");
}

const MAX_NAME_CHARS = 80;

/** A name or key of the source as a sentence may hold it: plain, 80 characters at most. */
export function quoteName(text: string): string {
  const short = stripControls(text);
  return short.length > MAX_NAME_CHARS ? `${short.slice(0, MAX_NAME_CHARS - 1)}…` : short;
}

const MAX_JOINED_NAMES = 8;

/** "A, B and C"; of more than eight the first, and how many there are besides. */
export function joinNames(names: readonly string[]): string {
  if (names.length <= 1) return names.map(quoteName).join("");
  if (names.length > MAX_JOINED_NAMES)
    return `${names.slice(0, MAX_JOINED_NAMES).map(quoteName).join(", ")} and ${(names.length - MAX_JOINED_NAMES).toLocaleString("en-US")} more`;
  return `${names.slice(0, -1).map(quoteName).join(", ")} and ${quoteName(names.at(-1)!)}`;
}
