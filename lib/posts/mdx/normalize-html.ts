// Accepts two habits of HTML that MDX's parser refuses: comments, and tags such as <br> that are never closed.

const voidTags = "area|br|col|embed|hr|img|input|source|track|wbr";
const candidatePattern = new RegExp(`<!--|<(?:${voidTags})\\b`, "i");
const fencePattern = /^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*(`{3,}|~{3,})(.*)$/;
const fragmentPattern = new RegExp(
  // A code span, which may not cross an empty line; a comment; an unclosed tag with its attributes.
  "(?<!`)(`+)(?!`)(?:(?!\\n[ \\t]*\\n)[\\s\\S])*?(?<!`)\\1(?!`)" +
    "|<!--[\\s\\S]*?-->" +
    `|<(${voidTags})\\b((?:"[^"]*"|'[^']*'|\\{[^{}]*\\}|[^<>"'{}])*)>(?!\\s*</\\2\\s*>)`,
  "gi",
);

/** `source` with comments blanked out and void tags closed, outside code. Lines stay where they are. */
export function normalizeHtml(source: string): string {
  if (!candidatePattern.test(source)) return source;
  const out: string[] = [];
  let prose: string[] = [];
  let open: string | null = null;
  const flush = () => {
    if (prose.length > 0) out.push(normalizeProse(prose.join("\n")));
    prose = [];
  };
  let inComment = false;
  for (const line of source.split("\n")) {
    const marker = inComment ? null : fencePattern.exec(line);
    if (open === null && marker && !(marker[1]!.startsWith("`") && marker[2]!.includes("`"))) {
      flush();
      open = marker[1]!;
      out.push(line);
    } else if (open !== null) {
      out.push(line);
      if (marker && marker[1]!.startsWith(open) && marker[2]!.trim() === "") open = null;
    } else {
      prose.push(line);
      const bare = line.replace(/`[^`]*`/g, "");
      const start = bare.lastIndexOf("<!--");
      const end = bare.lastIndexOf("-->");
      if (start > end) inComment = true;
      else if (end >= 0) inComment = false;
    }
  }
  flush();
  return out.join("\n");
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
