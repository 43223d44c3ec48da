// Accepts two habits of HTML that MDX's parser refuses: comments, and tags such as <br> that are never closed.

const voids = "area|br|col|embed|hr|img|input|source|track|wbr";
const needed = new RegExp(`<!--|<(?:${voids})\\b`, "i");
const fence = /^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*(`{3,}|~{3,})(.*)$/;
const piece = new RegExp(
  // A code span, which may not cross an empty line; a comment; an unclosed tag with its attributes.
  "(?<!`)(`+)(?!`)(?:(?!\\n[ \\t]*\\n)[\\s\\S])*?(?<!`)\\1(?!`)" +
    "|<!--[\\s\\S]*?-->" +
    `|<(${voids})\\b((?:"[^"]*"|'[^']*'|\\{[^{}]*\\}|[^<>"'{}])*)>(?!\\s*</\\2\\s*>)`,
  "gi",
);

/** `source` with comments blanked out and void tags closed, outside code. Lines stay where they are. */
export function prepareMdx(source: string): string {
  if (!needed.test(source)) return source;
  const out: string[] = [];
  let prose: string[] = [];
  let open: string | null = null;
  const flush = () => {
    if (prose.length > 0) out.push(fix(prose.join("\n")));
    prose = [];
  };
  let inComment = false;
  for (const line of source.split("\n")) {
    const marker = inComment ? null : fence.exec(line);
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

function fix(prose: string): string {
  return prose.replace(
    piece,
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
