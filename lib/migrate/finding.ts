// One thing that a plan has to say, and how names, numbers and keys are written in it.

export interface Finding {
  /** `stop`: the source must be changed, or the disk; `choice`: a flag decides it; `note`: it is only to be known. */
  readonly level: "stop" | "choice" | "note";
  readonly about: "source" | "tables" | "rows" | "values" | "members" | "target";
  /** Whole sentences. Never a value of a row but a key; a session's as this site has it, hashed. */
  readonly text: string;
  /** What mends or decides it: a statement for Postgres, a flag, or a sentence. */
  readonly fix: string | null;
}

export const stop = (about: Finding["about"], text: string, fix: string | null): Finding => ({
  level: "stop",
  about,
  text,
  fix,
});
export const choice = (about: Finding["about"], text: string, fix: string): Finding => ({
  level: "choice",
  about,
  text,
  fix,
});
export const note = (
  about: Finding["about"],
  text: string,
  fix: string | null = null,
): Finding => ({ level: "note", about, text, fix });

/** "1 row", "20,000 rows". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** The text without what moves a terminal's cursor or reorders a line: control characters, marks of direction, halves of a character. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "?");
}

const LONGEST = 80;

/** A name or key of the source as a sentence may hold it: plain, 80 characters at most. */
export function shown(text: string): string {
  const short = plain(text);
  return short.length > LONGEST ? `${short.slice(0, LONGEST - 1)}…` : short;
}

const MOST_NAMED = 8;

/** "A, B and C"; of more than eight the first, and how many there are besides. */
export function listed(names: readonly string[]): string {
  if (names.length <= 1) return names.map(shown).join("");
  if (names.length > MOST_NAMED)
    return `${names.slice(0, MOST_NAMED).map(shown).join(", ")} and ${(names.length - MOST_NAMED).toLocaleString("en-US")} more`;
  return `${names.slice(0, -1).map(shown).join(", ")} and ${shown(names.at(-1)!)}`;
}
