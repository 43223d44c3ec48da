// Rewrites HTML that the MDX parser rejects: comments, and void tags such as <br> without a slash.

const voidTags = "area|br|col|embed|hr|img|input|source|track|wbr";
const candidatePattern = new RegExp(`<!--|<(?:${voidTags})\\b`, "i");
const fencePattern = /^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*(`{3,}|~{3,})(.*)$/;
const fragmentPattern = new RegExp(
  // Matches a code span, which cannot cross an empty line; a comment; or a void tag with its
  // attributes.
  "(?<!`)(`+)(?!`)(?:(?!\\n[ \\t]*\\n)[\\s\\S])*?(?<!`)\\1(?!`)" +
    "|<!--[\\s\\S]*?-->" +
    `|<(${voidTags})\\b((?:"[^"]*"|'[^']*'|\\{[^{}]*\\}|[^<>"'{}])*)>(?!\\s*</\\2\\s*>)`,
  "gi",
);

/**
 * Returns `source` with comments blanked and void tags closed, except in code. Line numbers do not
 * change.
 */
export function normalizeHtml(source: string): string {
  if (!candidatePattern.test(source)) return source;
  const output: string[] = [];
  let prose: string[] = [];
  let openFence: string | null = null;
  const flush = () => {
    if (prose.length > 0) output.push(normalizeProse(prose.join("\n")));
    prose = [];
  };
  let inComment = false;
  for (const line of source.split("\n")) {
    const marker = inComment ? null : fencePattern.exec(line);
    if (openFence === null && marker && !(marker[1]!.startsWith("`") && marker[2]!.includes("`"))) {
      flush();
      openFence = marker[1]!;
      output.push(line);
    } else if (openFence !== null) {
      output.push(line);
      if (marker && marker[1]!.startsWith(openFence) && marker[2]!.trim() === "") openFence = null;
    } else {
      prose.push(line);
      const withoutCode = line.replace(/`[^`]*`/g, "");
      const start = withoutCode.lastIndexOf("<!--");
      const end = withoutCode.lastIndexOf("-->");
      if (start > end) inComment = true;
      else if (end >= 0) inComment = false;
    }
  }
  flush();
  return output.join("\n");
}

function normalizeProse(prose: string): string {
  return prose.replace(
    fragmentPattern,
    (
      whole,
      ticks: string | undefined,
      name: string | undefined,
      attributes: string | undefined,
    ) => {
      if (ticks) return whole;
      if (name === undefined) return whole.replace(/[^\n]/g, " ");
      return /\/\s*$/.test(attributes!) ? whole : `<${name.toLowerCase()}${attributes} />`;
    },
  );
}
