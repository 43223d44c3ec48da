// Reads the comments that mark lines of code in other engines: `// [!code ++]` (Shiki) and
// `// highlight-next-line` (Docusaurus).

type Mark = "added" | "removed" | "highlighted";

interface MarkedCode extends Readonly<Record<Mark, ReadonlySet<number>>> {
  /** Without the comments. */
  readonly code: string;
}

const COMMENT_START = String.raw`(?:\/\/|\{?\/\*|<!--|--|\(\*|["#%';]{1,2}|REM\b)\s*`;
const COMMENT_END = String.raw`\s*(?:(?:\*\/\}?|-->|\*\))\s*)?$`;
const NOTATION = String.raw`\[!code (\+\+|--|hl|highlight|focus|error|warning|info|word:(?:\\.|[^\]\\:])+)(?::(\d{1,6}))?\]`;
const SHIKI = new RegExp(
  String.raw`(?<!\s)\s*${COMMENT_START}((?:${NOTATION}\s*)*${NOTATION})${COMMENT_END}`,
);
const EACH_NOTATION = new RegExp(NOTATION, "g");
const DOCUSAURUS = new RegExp(
  String.raw`^\s*${COMMENT_START}highlight-(next-line|start|end)${COMMENT_END}`,
);

const markOf = (name: string): Mark =>
  name === "++" ? "added" : name === "--" ? "removed" : "highlighted";

/**
 * Removes the comments, and returns the lines that they mark. A comment on its own line applies to
 * the next line. Marks of words, focus, errors, warnings and infos become highlighted lines.
 */
export function readCodeNotation(source: string): MarkedCode {
  const marked = {
    added: new Set<number>(),
    removed: new Set<number>(),
    highlighted: new Set<number>(),
  };
  /** How many of the following lines still get each mark. */
  const remaining = { added: 0, removed: 0, highlighted: 0 };
  const words: { text: string; untilLine: number }[] = [];
  let isInRange = false;
  const lines: string[] = [];
  for (const line of source.split("\n")) {
    const command = line.includes("highlight-") && DOCUSAURUS.exec(line)?.[1];
    if (command === "next-line") remaining.highlighted ||= 1;
    else if (command) isInRange = command === "start";
    if (command) continue;
    const comment = line.includes("[!code ") ? SHIKI.exec(line) : null;
    for (const [, name = "", count] of comment?.[1]!.matchAll(EACH_NOTATION) ?? []) {
      const mark = markOf(name);
      if (name.startsWith("word:"))
        words.push({
          text: name.slice("word:".length).replace(/\\(.)/g, "$1"),
          untilLine: lines.length + Number(count ?? Infinity),
        });
      else remaining[mark] = Math.max(remaining[mark], Number(count ?? 1));
    }
    const text = comment ? line.slice(0, comment.index) : line;
    if (comment && text.trim() === "") continue;
    lines.push(text.replaceAll("[!!code ", "[!code ")); // VitePress's escape for the notation
    const number = lines.length;
    for (const mark of ["added", "removed", "highlighted"] as const)
      if (remaining[mark] > 0) {
        remaining[mark] -= 1;
        marked[mark].add(number);
      }
    if (isInRange || words.some((word) => number <= word.untilLine && text.includes(word.text)))
      marked.highlighted.add(number);
  }
  return { code: lines.join("\n"), ...marked };
}
