// Removes what could move the cursor or change the terminal from text that others wrote.

/**
 * Replaces control characters, bidirectional marks and lone surrogates, which could manipulate a
 * terminal.
 */
export function stripControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "?");
}
