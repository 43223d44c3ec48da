// Splits a post into front matter and body, and decodes YAML (---) and TOML (+++).

import { parse as parseToml, TomlDate, TomlError } from "smol-toml";
import {
  LineCounter,
  type YAMLError,
  type YAMLMap,
  isMap,
  isNode,
  isPair,
  isScalar,
  parseDocument,
} from "yaml";

/** A position in the file, counted from 1. */
export interface FilePosition {
  readonly line: number;
  readonly column?: number;
}

export interface FrontMatterBlock {
  readonly format: "yaml" | "toml";
  /** The text between the two fences. */
  readonly text: string;
  /** 1-based line of the file on which `text` starts. */
  readonly textLine: number;
  readonly body: string;
  /** 1-based line of the file on which `body` starts. */
  readonly bodyLine: number;
}

export interface DecodedFrontMatter {
  readonly values: Readonly<Record<string, unknown>>;
  /** "line N: reason". */
  readonly warnings: string[];
  /** Returns the position of the deepest part of `keys` that exists. */
  readonly positionOf: (keys: readonly PropertyKey[]) => FilePosition;
}

/** Thrown with the position of the mistake in the file. */
export class FrontMatterSyntaxError extends Error {
  readonly position: FilePosition;

  constructor(position: FilePosition, message: string) {
    super(message);
    this.position = position;
  }
}

/** Longer front matter is a mistake or an attack on the parser. */
const MAX_FRONT_MATTER_CHARS = 32 * 1024;

const OPENING = /^(?:[ \t]*\r?\n)*(---|\+\+\+)[ \t]*\r?\n/;
const CLOSING = {
  "---": /^---[ \t]*(?:\r?\n|$)/m,
  "+++": /^\+\+\+[ \t]*(?:\r?\n|$)/m,
} as const;

const countLines = (text: string) => text.split("\n").length - 1;

/** Returns null without front matter. Throws FrontMatterSyntaxError if it has no end. */
export function splitFrontMatter(source: string): FrontMatterBlock | null {
  const opening = OPENING.exec(source);
  if (!opening) return null;
  const fence = opening[1] as keyof typeof CLOSING;
  const textLine = countLines(opening[0]) + 1;
  const rest = source.slice(opening[0].length);
  const closing = CLOSING[fence].exec(rest);
  if (!closing)
    throw new FrontMatterSyntaxError(
      { line: textLine - 1 },
      `The front matter is not closed: add a line with only ${fence}.`,
    );
  const text = rest.slice(0, closing.index);
  if (text.length > MAX_FRONT_MATTER_CHARS)
    throw new FrontMatterSyntaxError(
      { line: textLine },
      `The front matter is longer than ${MAX_FRONT_MATTER_CHARS} characters.`,
    );
  return {
    format: fence === "---" ? "yaml" : "toml",
    text,
    textLine,
    body: rest.slice(closing.index + closing[0].length),
    bodyLine: textLine + countLines(text) + 1,
  };
}

/** Decodes the block. Throws FrontMatterSyntaxError with the line and column of a mistake. */
export function decodeFrontMatter(block: FrontMatterBlock): DecodedFrontMatter {
  return block.format === "yaml" ? decodeYaml(block) : decodeToml(block);
}

function decodeYaml({ text, textLine }: FrontMatterBlock): DecodedFrontMatter {
  const lines = new LineCounter();
  const doc = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // A number stays text, because 3.10 in a title or tag isn't 3.1.
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === "string" || !/:(?:int|float)$/.test(tag.tag)),
  });
  const positionAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1) + textLine - 1, column: Math.max(col, 1) };
  };
  const [error] = doc.errors;
  if (error)
    throw new FrontMatterSyntaxError(positionAt(error.pos[0]), describeYamlError(error, text));
  const root: unknown = doc.contents;
  const isEmpty = root === null || (isScalar(root) && root.value === null);
  if (!isEmpty && !isMap(root))
    throw new FrontMatterSyntaxError(
      { line: textLine },
      "The front matter must be lines of the form `name: value`.",
    );
  let values: Record<string, unknown>;
  try {
    values = (doc.toJS({ maxAliasCount: 100 }) ?? {}) as Record<string, unknown>;
  } catch (cause) {
    throw new FrontMatterSyntaxError(
      { line: textLine },
      `The front matter can't be read: ${(cause as Error).message}`,
    );
  }
  return {
    values,
    warnings: doc.warnings.map(
      (warning) => `line ${positionAt(warning.pos[0]).line}: ${firstLine(warning.message)}`,
    ),
    positionOf: (keys) => positionAt(offsetOf(root as YAMLMap | null, keys)),
  };
}

const firstLine = (message: string) => message.split("\n")[0]!;

/** Returns how to fix the most common mistakes. */
function describeYamlError({ code, message, pos }: YAMLError, text: string): string {
  const rest = text.slice(pos[0]);
  if (code === "DUPLICATE_KEY") {
    const name = /^["']?([^"':\s]+)/.exec(rest)?.[1] ?? "A field";
    return `${name} is set twice: keep one. Names must be unique.`;
  }
  if (code === "TAB_AS_INDENT" || rest.startsWith("\t"))
    return "The front matter is not valid YAML: indent with spaces instead of a tab.";
  if (code === "BLOCK_AS_IMPLICIT_KEY" || code === "MULTILINE_IMPLICIT_KEY")
    return `The front matter is not valid YAML: put quotes around a value that contains ": ".`;
  const hint =
    code === "BAD_SCALAR_START" || message.includes("at node end")
      ? ". Put quotes around the whole value."
      : "";
  return `The front matter is not valid YAML: ${firstLine(message)}${hint}`;
}

function decodeToml({ text, textLine }: FrontMatterBlock): DecodedFrontMatter {
  let values: Record<string, unknown>;
  try {
    values = writeTomlDates(parseToml(text.replaceAll("\r\n", "\n"))) as typeof values;
  } catch (error) {
    // Too many nested tables overflow the stack.
    if (error instanceof RangeError)
      throw new FrontMatterSyntaxError(
        { line: textLine },
        "The front matter is nested too deeply.",
      );
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    throw new FrontMatterSyntaxError(
      { line: line + textLine - 1, column },
      `The front matter is not valid TOML: ${firstLine(error.message).replace(/^Invalid TOML document: /, "")}.`,
    );
  }
  const lines = text.split("\n");
  return {
    values,
    warnings: [],
    positionOf: ([key]) => {
      const index = lines.findIndex(
        (line) => /^\s*\[*\s*["']?([^"'\s=.\]]+)/.exec(line)?.[1] === key,
      );
      return { line: Math.max(index, 0) + textLine };
    },
  };
}

/** Returns `value` with dates as written, because a Date loses the calendar day and the zone. */
function writeTomlDates(value: unknown): unknown {
  if (value instanceof TomlDate) return value.toISOString();
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map(writeTomlDates);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, writeTomlDates(each)]),
  );
}

/** Returns the offset in the YAML of the deepest existing part of `keys`. */
function offsetOf(map: YAMLMap | null, keys: readonly PropertyKey[]): number {
  let node: unknown = map;
  let offset = 0;
  for (const key of keys) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
      );
      if (!pair) break;
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
      next = pair.value;
    } else {
      next = isNode(node) && "items" in node ? (node.items as unknown[])[Number(key)] : undefined;
      if (isNode(next) && next.range) offset = next.range[0];
    }
    if (!next) break;
    node = next;
  }
  return offset;
}
