// Builds SQL that finds user input in text, literally and ignoring case. LIKE is ten times as fast as
// GLOB, but ignores case for ASCII only.

interface TextMatch {
  /** Returns the operator that compares a column with `pattern`, an SQL expression. */
  readonly compareTo: (pattern: string) => string;
  /** One per text: it matches values that contain the text. */
  readonly patterns: readonly string[];
}

/** Returns one operator for all of `texts`. */
export function matchText(texts: readonly string[]): TextMatch {
  return texts.every((text) => /^[\u0000-\u007f]*$/.test(text))
    ? {
        compareTo: (pattern) => `LIKE ${pattern} ESCAPE '\\'`,
        patterns: texts.map((text) => `%${text.replace(/[\\%_]/g, "\\$&")}%`),
      }
    : {
        compareTo: (pattern) => `GLOB ${pattern}`,
        patterns: texts.map((text) => `*${Array.from(text, globCharacter).join("")}*`),
      };
}

/** Returns a pattern that matches a letter in both cases, and a wildcard literally. */
function globCharacter(character: string): string {
  const forms = [character, character.toLowerCase(), character.toUpperCase()];
  // One case may have more characters than the other, such as "SS" for "ß".
  const set = [...new Set(forms)].filter((form) => [...form].length === 1);
  return set.length > 1 || /[*?[]/.test(character) ? `[${set.join("")}]` : character;
}
