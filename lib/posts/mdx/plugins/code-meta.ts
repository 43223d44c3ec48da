// Parses the info string after ```: language, lines to mark, file name, line numbers.

export interface CodeMeta {
  /** Lowercase; "" if not given. */
  readonly language: string;
  readonly filename: string | null;
  /** Number of the first line. */
  readonly start: number;
  /** False after `nonumber`. */
  readonly isNumbered: boolean;
  readonly isHighlighted: LinePredicate;
  readonly isAdded: LinePredicate;
  readonly isRemoved: LinePredicate;
  /** True if the language was `diff-xyz`, whose + and - become marks. */
  readonly isDiff: boolean;
  /** Parts that could not be parsed. */
  readonly problems: readonly string[];
}

/** Returns whether a line is marked. Lines count from 1, regardless of `start`. */
export type LinePredicate = (line: number) => boolean;

const matchNoLine: LinePredicate = () => false;

/** Parses `js`, `js:app.js`, `js[1,3]`, `js {1, 3-5}` and options. Never throws: see `problems`. */
export function parseCodeMeta(info: string): CodeMeta {
  const problems: string[] = [];
  // VitePress puts options where other engines put a file name.
  info = info.replace(
    /^([^\s:]*):(no-)?line-numbers(?:=(\d+))?(?=[\s[{]|$)/,
    (_, language: string, no?: string, first = "1") =>
      language + (no ? " nonumber" : ` start=${first}`),
  );
  const head = /^([^\s[{:=]*)(?::((?:[^\s[{]|\[[^\]\s]*\](?=[\]/.]))+))?(?=[\s[{]|$)/.exec(info);
  let language = (head?.[1] ?? "").toLowerCase();
  let filename = head?.[2]?.replace(/^title=/, "") ?? null;
  let rest = head ? info.slice(head[0].length) : info;
  // The number of the first line in rehype-pretty-code, not a line to highlight.
  rest = rest.replace(/\bshowLineNumbers\{(\d+)\}/i, "start=$1");
  const diff = /^diff-(.+)$/.exec(language);
  if (diff) language = diff[1]!;
  const ranges = { highlighted: [] as string[], added: [] as string[], removed: [] as string[] };
  let start = 1;
  let isNumbered = true;
  const token =
    /\s*(?:\[([^\]]*)\]|\{([^}]*)\}|([A-Za-z][\w-]*)=(?:"([^"]*)"|'([^']*)'|\{([^}]*)\}|\[([^\]]*)\]|(\d+(?:-\d+)?(?:,\s*\d+(?:-\d+)?)*(?![^\s])|[^\s]*))|([^\s[{]+)|(.))/y;
  while (rest.trim() !== "") {
    token.lastIndex = 0;
    const match = token.exec(rest);
    if (!match) break;
    rest = rest.slice(match[0].length);
    const [, square, curly, key, ...values] = match;
    const word = values[5];
    // In VitePress, this is the label of a tab.
    if (square !== undefined && /[^\d\s,.-]/.test(square)) {
      filename ??= square;
      continue;
    }
    if (square !== undefined || curly !== undefined) {
      ranges.highlighted.push((square ?? curly)!);
      continue;
    }
    if (key === undefined) {
      const flag = (word ?? values[6] ?? "").toLowerCase();
      if (/^nonumbers?$/.test(flag)) isNumbered = false;
      else if (!/^(showlinenumbers|numbers?)$/.test(flag))
        problems.push(`"${word ?? values[6]}" after \`\`\` is unknown`);
      continue;
    }
    const value = values.slice(0, 5).find((one) => one !== undefined) ?? "";
    switch (key.toLowerCase()) {
      case "lines":
      case "highlight":
        ranges.highlighted.push(value);
        break;
      case "add":
        ranges.added.push(value);
        break;
      case "remove":
        ranges.removed.push(value);
        break;
      case "filename":
      case "filepath":
      case "title":
        filename = value || filename;
        break;
      case "start":
        if (/^\d{1,6}$/.test(value)) start = Number(value);
        else problems.push(`start=${value} is not a line number`);
        break;
      case "nonumber":
        isNumbered = value === "false";
        break;
      case "showlinenumbers":
        isNumbered = value !== "false";
        break;
      default:
        problems.push(`"${key}=" after \`\`\` is unknown`);
    }
  }
  return {
    language,
    filename,
    start,
    isNumbered,
    isHighlighted: parseLineRanges(ranges.highlighted, problems),
    isAdded: parseLineRanges(ranges.added, problems),
    isRemoved: parseLineRanges(ranges.removed, problems),
    isDiff: diff !== null,
    problems,
  };
}

/** Returns a predicate for "1,3-5". The cost does not depend on the length of a range. */
function parseLineRanges(lists: string[], problems: string[]): LinePredicate {
  const ranges: [number, number][] = [];
  for (const part of lists
    .flatMap((list) => list.split(","))
    .map((one) => one.trim())
    .filter(Boolean)) {
    const match = /^(\d{1,6})(?:\s*(?:-|\.\.)\s*(\d{1,6}))?$/.exec(part);
    if (!match) problems.push(`"${part}" is not a line or a range of lines`);
    else ranges.push([Number(match[1]), Number(match[2] ?? match[1])]);
  }
  return ranges.length === 0
    ? matchNoLine
    : (line) => ranges.some(([from, to]) => line >= from && line <= to);
}
