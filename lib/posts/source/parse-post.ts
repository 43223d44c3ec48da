// Parses a post into front matter and body. Every error names the file, the line, the field and
// what is allowed.

import { LineCounter, type YAMLMap, isMap, isNode, isPair, isScalar, parseDocument } from "yaml";
import { LONE_SURROGATE_RULE, findLoneSurrogate } from "#lib/posts/lone-surrogate.ts";
import { PostError } from "#lib/posts/post-error.ts";
import {
  type FrontMatterField,
  type FrontMatter,
  parseCalendarDay,
  frontMatterDefaults,
  frontMatterFieldNames,
  frontMatterFields,
  requiredFields,
} from "./front-matter.ts";
import { findAddressProblem } from "#lib/posts/addresses/post-address.ts";
import { type PostKind, SLUG_RULE, isSlug, looseSlug, postPath } from "./post-path.ts";

export interface ParsedPostFile {
  readonly slug: string;
  readonly frontMatter: FrontMatter;
  /** "line N: reason". */
  readonly warnings: string[];
  readonly body: string;
  /** 1-based line of the file on which the body starts. */
  readonly bodyLine: number;
}

/** Longer front matter is a mistake or an attack on the YAML parser. */
const MAX_FRONT_MATTER_CHARS = 64 * 1024;

interface FrontMatterIssue {
  readonly line: number;
  readonly column?: number;
  readonly field?: string;
  readonly reason: string;
}

/**
 * Parses the post at `path` below the content root. Throws PostError with the line. `lenient` is
 * for other blogs: invalid fields become warnings and defaults, `summary` and `tags` count as
 * description and categories, any path has a slug. Invalid YAML still throws.
 */
export function parsePost(
  path: string,
  text: string,
  { lenient = false }: { lenient?: boolean } = {},
): ParsedPostFile {
  const fail = (problem: FrontMatterIssue): never => {
    throw new PostError({ file: path, ...problem });
  };
  const location = postPath(path);
  const fileSlug = location?.slug ?? looseSlug(path);
  if (!lenient && !location)
    fail({ line: 1, reason: "is not where a post lives: blog/SLUG.mdx or blog/SLUG/index.mdx" });

  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const parts = splitFrontMatter(source);
  if (parts === "unclosed")
    return fail({
      line: 1,
      reason: "The front matter has no end: add a line with only ---.",
    });
  if (parts === "none") {
    if (!lenient)
      fail({
        line: 1,
        reason:
          "The post must begin with front matter between two lines ---: title, date and description.",
      });
    return {
      slug: fileSlug,
      frontMatter: { ...frontMatterDefaults, title: titleFromSlug(fileSlug) },
      warnings: ["line 1: there is no front matter"],
      body: source,
      bodyLine: 1,
    };
  }
  if (parts.yaml.length > MAX_FRONT_MATTER_CHARS)
    fail({
      line: 1,
      reason: `The front matter is longer than ${MAX_FRONT_MATTER_CHARS} characters.`,
    });

  const { issues, warnings, values } = readFrontMatter(
    parts.yaml,
    location?.kind ?? "post",
    lenient,
    fail,
  );
  if (!lenient && issues.length > 0) {
    issues.sort((a, b) => a.line - b.line);
    const [first, ...rest] = issues;
    const more =
      rest.length > 0
        ? ` (and ${rest.length} more: ${rest.map(({ field, line }) => `${field} in line ${line}`).join(", ")})`
        : "";
    fail({ ...first!, reason: first!.reason + more });
  }
  for (const { line, reason } of issues) warnings.push(`line ${line}: ${reason}`);
  const frontMatter = {
    ...frontMatterDefaults,
    ...(lenient && { title: titleFromSlug(fileSlug) }),
    ...values,
  } as FrontMatter;
  const address = frontMatter.slug?.normalize("NFC") ?? fileSlug;
  if (!lenient) assertAddress(address, frontMatter, location!.kind, fail);
  return {
    slug: address,
    frontMatter,
    warnings,
    body: parts.body,
    bodyLine: parts.bodyLine,
  };
}

/** Fails if the slug is not allowed, or makes an address that the post can't have. */
function assertAddress(
  slug: string,
  frontMatter: FrontMatter,
  kind: PostKind,
  fail: (problem: FrontMatterIssue) => never,
): void {
  const origin = frontMatter.slug === undefined ? "The file name makes" : "The front matter sets";
  const field = frontMatter.slug === undefined ? {} : { field: "slug" };
  if (!isSlug(slug))
    fail({
      line: 1,
      ...field,
      reason: `${origin} the slug "${slug}", which is not allowed: ${SLUG_RULE}. Set slug: to another one.`,
    });
  const problem = kind === "post" ? findAddressProblem({ slug, frontMatter }) : null;
  if (problem !== null) fail({ line: 1, ...field, reason: problem });
}

function splitFrontMatter(
  source: string,
): { yaml: string; body: string; bodyLine: number } | "none" | "unclosed" {
  const open = /^---[ \t]*\r?\n/.exec(source);
  if (!open) return "none";
  const close = /^---[ \t]*(?:\r?\n|$)/m;
  const rest = source.slice(open[0].length);
  const end = close.exec(rest);
  if (!end) return "unclosed";
  const yaml = rest.slice(0, end.index);
  return {
    yaml,
    body: rest.slice(end.index + end[0].length),
    bodyLine: yaml.split("\n").length + 2,
  };
}

/** The YAML starts on the second line of the file. */
const YAML_LINE = 2;

function readFrontMatter(
  yaml: string,
  kind: "post" | "page",
  lenient: boolean,
  fail: (problem: FrontMatterIssue) => never,
) {
  const lines = new LineCounter();
  const doc = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const positionAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1) + YAML_LINE - 1, column: Math.max(col, 1) };
  };
  const [error] = doc.errors;
  if (error)
    fail({
      ...positionAt(error.pos[0]),
      reason: `The front matter is not valid YAML: ${error.message.split("\n")[0]}`,
    });
  const root: unknown = doc.contents;
  if (root !== null && !isMap(root))
    fail({ line: YAML_LINE, reason: "The front matter must be lines of the form `name: value`." });
  let raw: Record<string, unknown>;
  try {
    raw = (doc.toJS({ maxAliasCount: 100 }) ?? {}) as Record<string, unknown>;
  } catch (cause) {
    return fail({
      line: YAML_LINE,
      reason: `The front matter can't be read: ${(cause as Error).message}`,
    });
  }

  const warnings = doc.warnings.map(
    (warning) => `line ${positionAt(warning.pos[0]).line}: ${warning.message.split("\n")[0]}`,
  );
  const issues: FrontMatterIssue[] = [];
  const values: Partial<Record<FrontMatterField, unknown>> = {};
  const map = root as YAMLMap | null;
  const positionOf = (keys: readonly PropertyKey[]) => positionAt(offsetOf(map, keys));

  const addIssue = (path: PropertyKey[], rule: string) =>
    issues.push({
      ...positionOf(path),
      field: path.join("."),
      reason: `${formatFieldPath(path)} ${rule}.`,
    });

  for (const { name, keys, value } of listFieldEntries(raw, lenient)) {
    if (value === undefined || value === null) continue;
    const illFormed = findLoneSurrogate(value);
    if (illFormed) {
      addIssue([...keys, ...illFormed], LONE_SURROGATE_RULE);
      continue;
    }
    const parsed = frontMatterFields[name].safeParse(lenient ? coerceLenient(name, value) : value);
    if (parsed.success) {
      values[name] = parsed.data;
      continue;
    }
    const issue = parsed.error.issues[0]!;
    addIssue([...keys, ...issue.path], issue.message);
  }
  for (const name of requiredFields(kind)) {
    if (values[name] === undefined && !issues.some(({ field }) => field?.split(".")[0] === name)) {
      issues.push({
        line: Object.hasOwn(raw, name) ? positionOf([name]).line : 1,
        field: name,
        reason: `${name} is missing.`,
      });
    }
  }
  const usedKeys = new Set(listFieldEntries(raw, lenient).map(({ keys }) => keys[0]));
  for (const key of Object.keys(raw)) {
    if (!Object.hasOwn(frontMatterFields, key) && key !== "meta" && !usedKeys.has(key)) {
      warnings.push(
        `line ${positionOf([key]).line}: ${key} is not a known field and is ignored; allowed are ${frontMatterFieldNames.join(", ")} and meta.keywords.`,
      );
    }
  }
  return { issues, warnings, values };
}

/**
 * Returns each field with its value and its keys in the YAML: keywords may be at the top or in
 * meta.
 */
function listFieldEntries(raw: Record<string, unknown>, lenient: boolean) {
  const valueOf = (key: string) => (Object.hasOwn(raw, key) ? raw[key] : undefined);
  const meta = valueOf("meta");
  const nested =
    typeof meta === "object" && meta !== null
      ? (meta as Record<string, unknown>).keywords
      : undefined;
  return frontMatterFieldNames.map(
    (name): { name: FrontMatterField; keys: string[]; value: unknown } => {
      if (name === "keywords" && nested !== undefined)
        return { name, keys: ["meta", "keywords"], value: nested };
      const alias =
        lenient && valueOf(name) === undefined
          ? { description: "summary", categories: "tags" }[name as string]
          : undefined;
      return alias
        ? { name, keys: [alias], value: valueOf(alias) }
        : { name, keys: [name], value: valueOf(name) };
    },
  );
}

/**
 * Converts values from other blogs: a string instead of a list, a number as a title, a date in
 * words.
 */
function coerceLenient(name: FrontMatterField, value: unknown): unknown {
  if ((name === "categories" || name === "keywords") && typeof value === "string")
    return value.split(",");
  if ((name === "categories" || name === "keywords") && Array.isArray(value))
    return value.map(String);
  if ((name === "title" || name === "description") && typeof value === "number")
    return String(value);
  if (
    name === "banner" &&
    typeof value === "string" &&
    /^[\w-]/.test(value) &&
    !value.includes(":")
  )
    return `./${value}`;
  if (name === "date" && typeof value === "string" && parseCalendarDay(value) === null) {
    const date = new Date(value); // parsed in local time, so the local day is the one written
    if (!Number.isNaN(date.getTime()))
      return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
  }
  return value;
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

/** Formats a path as "translations[1].link", counted from 1. */
function formatFieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part + 1}]` : `${index > 0 ? "." : ""}${String(part)}`,
    )
    .join("");
}

function titleFromSlug(slug: string): string {
  const words = slug
    .slice(slug.lastIndexOf("/") + 1)
    .replace(/[-_]+/g, " ")
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
