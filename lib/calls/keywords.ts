// The keywords of a call: one line, with commas.

/** The words of a list with commas: trimmed, without empty ones; of those that differ only in case the first. */
export function parseKeywords(keywords: string): string[] {
  const words = new Map<string, string>();
  for (const word of keywords.split(",").map((word) => word.trim().replace(/\s+/g, " "))) {
    const key = word.toLowerCase();
    if (word && !words.has(key)) words.set(key, word);
  }
  return [...words.values()];
}

/** The list as it is stored and counted: " a ,b,, A" → "a, b"; "" when there is no word in it. */
export function normalizeKeywords(keywords: string): string {
  return parseKeywords(keywords).join(", ");
}
