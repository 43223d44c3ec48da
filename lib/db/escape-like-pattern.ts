// Builds LIKE patterns from user input.

/** Returns the pattern for values that contain `text` literally, for LIKE … ESCAPE '\'. */
export function escapeLikePattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, "\\$&")}%`;
}
