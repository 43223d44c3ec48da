// Parses and normalizes the keywords of a call, a comma-separated line.

/**
 * Returns the trimmed words of a comma-separated list, without empty words and duplicates (ignoring
 * case).
 */
export function parseKeywords(keywords: string): string[] {
  const words = new Map<string, string>();
  for (const word of keywords.split(",").map((word) => word.trim().replace(/\s+/g, " "))) {
    const key = word.toLowerCase();
    if (word && !words.has(key)) words.set(key, word);
  }
  return [...words.values()];
}

/** Returns the list as it is stored: " a ,b,, A" → "a, b". */
export function normalizeKeywords(keywords: string): string {
  return parseKeywords(keywords).join(", ");
}
