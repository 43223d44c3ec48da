// Finds lone surrogates: half of a surrogate pair, which an escape such as "\uD800" can produce, and
// which UTF-8 and URLs can't contain.

/** Completes "title …" in an error. */
export const LONE_SURROGATE_RULE =
  "has an unpaired surrogate (\\uD800 to \\uDFFF): write the character itself, or both surrogates";

/** Returns the path of the first string or key in `value` with a lone surrogate, or null. */
export function findLoneSurrogate(value: unknown): PropertyKey[] | null {
  if (typeof value === "string") return value.isWellFormed() ? null : [];
  if (typeof value !== "object" || value === null) return null;
  for (const [key, item] of Object.entries(value)) {
    const path = key.isWellFormed() ? findLoneSurrogate(item) : [];
    if (path) return [Array.isArray(value) ? Number(key) : key.toWellFormed(), ...path];
  }
  return null;
}
