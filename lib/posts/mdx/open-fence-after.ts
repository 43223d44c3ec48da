// Tracks code fences, line by line.

/** The start of a code fence, also in a list or a quote. Ignores indented code, which MDX lacks. */
const OPENING_FENCE = /^([ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t>]+)*)(`{3,}(?!`)(?!.*`)|~{3,})/;
const CLOSING_FENCE = /^([ \t>]*)(`{3,}|~{3,})[ \t]*$/;

/**
 * Returns the code fence that is open after `line`, or null. `fence` is the one before `line`. A
 * fence in a quote starts with ">", and ends with the quote.
 */
export function openFenceAfter(line: string, fence: string | null): string | null {
  const isQuoted = fence?.startsWith(">") ?? false;
  if (isQuoted && !/^[ \t]*>/.test(line)) fence = null;
  const match = (fence === null ? OPENING_FENCE : CLOSING_FENCE).exec(line);
  if (!match) return fence;
  const quote = match[1]!.includes(">") ? ">" : "";
  if (fence === null) return quote + match[2]!;
  return (quote + match[2]!).startsWith(fence) ? null : fence;
}
