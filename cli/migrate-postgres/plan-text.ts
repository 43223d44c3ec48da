// Formats counts and names for messages.

import { stripControls } from "#cli/strip-controls.ts";

/** "1 row", "20,000 rows". */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

const MAX_NAME_CHARS = 80;

/** Returns a name or key of the source without control characters, at most 80 characters long. */
export function quoteName(text: string): string {
  const plain = stripControls(text);
  return plain.length > MAX_NAME_CHARS ? `${plain.slice(0, MAX_NAME_CHARS - 1)}…` : plain;
}

const MAX_JOINED_NAMES = 8;

/** "A, B and C"; beyond eight names, "A, … and 3 more". */
export function joinNames(names: readonly string[]): string {
  if (names.length <= 1) return names.map(quoteName).join("");
  if (names.length > MAX_JOINED_NAMES)
    return `${names.slice(0, MAX_JOINED_NAMES).map(quoteName).join(", ")} and ${(names.length - MAX_JOINED_NAMES).toLocaleString("en-US")} more`;
  return `${names.slice(0, -1).map(quoteName).join(", ")} and ${quoteName(names.at(-1)!)}`;
}
