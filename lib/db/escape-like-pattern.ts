// Patterns for LIKE that mean what somebody typed.

/** `text` as a part of anything, for LIKE … ESCAPE '\': what it holds is looked for as it stands, % and _ too. */
export function escapeLikePattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, "\\$&")}%`;
}
