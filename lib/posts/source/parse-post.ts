// Parses a post into front matter and body. Every error names the file, the line, the field and
// what is allowed.

import { siteConfig } from "#lib/core/site-config.ts";
import { SLUG_RULE, isSlug } from "#lib/core/slug.ts";
import { findAddressProblem } from "#lib/posts/addresses/post-address.ts";
import { LONE_SURROGATE_RULE, findLoneSurrogate } from "#lib/posts/lone-surrogate.ts";
import { PostError } from "#lib/posts/post-error.ts";
import {
  type DecodedFrontMatter,
  type FrontMatterBlock,
  FrontMatterSyntaxError,
  decodeFrontMatter,
  splitFrontMatter,
} from "./front-matter-block.ts";
import { type WrittenDate, parseWrittenDate } from "./front-matter-date.ts";
import { type FrontMatterMapping, listFieldEntries } from "./front-matter-names.ts";
import {
  type FrontMatter,
  frontMatterDefaults,
  frontMatterFields,
  requiredFields,
} from "./front-matter.ts";
import { POST_PATHS, type PostKind, looseSlug, postPath } from "./post-path.ts";

export interface ParsedPostFile {
  readonly slug: string;
  readonly frontMatter: FrontMatter;
  /** "line N: reason". */
  readonly warnings: string[];
  readonly body: string;
  /** 1-based line of the file on which the body starts. */
  readonly bodyLine: number;
}

export interface ParseOptions {
  /** For other blogs: invalid fields become warnings and defaults, any path has a slug. */
  readonly lenient?: boolean;
  /** The owner's names of fields. Default: those in site.config.ts. */
  readonly mapping?: FrontMatterMapping;
}

interface FrontMatterIssue {
  readonly line: number;
  readonly column?: number;
  readonly field?: string;
  readonly reason: string;
}

/**
 * Parses the post at `path` below the content root. Throws PostError with the line. Invalid YAML or
 * TOML throws even if `lenient`.
 */
export function parsePost(
  path: string,
  text: string,
  { lenient = false, mapping = siteConfig.content.frontMatter }: ParseOptions = {},
): ParsedPostFile {
  const fail = (problem: FrontMatterIssue): never => {
    throw new PostError({ file: path, ...problem });
  };
  const location = postPath(path);
  const fileSlug = location?.slug ?? looseSlug(path);
  if (!lenient && !location) fail({ line: 1, reason: `is not a path for a post: ${POST_PATHS}` });

  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const { block, decoded } = readBlock(source, fail);
  if (!block && !lenient)
    fail({
      line: 1,
      reason: "The post must start with front matter (title and date) between two lines of ---.",
    });
  const written = block?.body ?? source;
  const heading = findTitleHeading(written);
  const { issues, warnings, values } = decoded
    ? readFields(decoded, location?.kind ?? "post", { fileSlug, heading: heading?.title }, mapping)
    : { issues: [], warnings: ["line 1: there is no front matter"], values: {} };
  if (!lenient && issues.length > 0) fail(summarizeIssues(issues));
  for (const { line, reason } of issues) warnings.push(`line ${line}: ${reason}`);
  const frontMatter: FrontMatter = {
    ...frontMatterDefaults,
    ...(lenient && { title: titleFromSlug(fileSlug) }),
    ...values,
  };
  const slug = frontMatter.slug?.normalize("NFC") ?? fileSlug;
  if (!lenient) assertAddress(slug, frontMatter, location!.kind, fail);
  const isTitle = heading?.title === frontMatter.title && decoded?.values.title === undefined;
  const body = isTitle ? heading!.rest : written;
  return { slug, frontMatter, warnings, body, bodyLine: block?.bodyLine ?? 1 };
}

/** Fails if the slug is not allowed, or makes an address that the post can't have. */
function assertAddress(
  slug: string,
  frontMatter: FrontMatter,
  kind: PostKind,
  fail: (problem: FrontMatterIssue) => never,
): void {
  const origin =
    frontMatter.slug === undefined ? "The file name results in" : "The front matter sets";
  const field = frontMatter.slug === undefined ? {} : { field: "slug" };
  if (!isSlug(slug) || (kind === "page" && slug.includes("/")))
    fail({
      line: 1,
      ...field,
      reason: `${origin} the slug "${slug}", which is not allowed: ${SLUG_RULE}. Set slug to another one.`,
    });
  const problem = kind === "post" ? findAddressProblem({ slug, frontMatter }) : null;
  if (problem !== null) fail({ line: 1, ...field, reason: problem });
}

function readBlock(
  source: string,
  fail: (problem: FrontMatterIssue) => never,
): { block: FrontMatterBlock | null; decoded: DecodedFrontMatter | null } {
  try {
    const block = splitFrontMatter(source);
    return { block, decoded: block && decodeFrontMatter(block) };
  } catch (error) {
    if (error instanceof FrontMatterSyntaxError)
      return fail({ ...error.position, reason: error.message });
    throw error;
  }
}

/** Returns the first issue, with the fields and lines of the others. */
function summarizeIssues(issues: FrontMatterIssue[]): FrontMatterIssue {
  const [first, ...rest] = issues.sort((a, b) => a.line - b.line);
  if (rest.length === 0) return first!;
  const others = rest.map(({ field, line }) => `${field} in line ${line}`).join(", ");
  return { ...first!, reason: `${first!.reason} (and ${rest.length} more: ${others})` };
}

function readFields(
  { values: raw, warnings, positionOf }: DecodedFrontMatter,
  kind: PostKind,
  { fileSlug, heading }: { fileSlug: string; heading: string | undefined },
  mapping: FrontMatterMapping,
) {
  const issues: FrontMatterIssue[] = [];
  const fields: Record<string, unknown> = {};
  for (const { name, keys, value, isExplicit } of listFieldEntries(raw, mapping)) {
    const problem = readField(name, value, fields);
    if (problem === null) continue;
    const path = [...keys, ...problem.path];
    const issue = {
      ...positionOf(path),
      field: path.join("."),
      reason: `${formatFieldPath(path)} ${problem.rule}.`,
    };
    if (isExplicit) issues.push(issue);
    else warnings.push(`line ${issue.line}: ${issue.reason} It is ignored.`);
  }
  const fileDay = kind === "post" ? dateInFileName(fileSlug) : undefined;
  if (fileDay !== undefined) fields.date ??= fileDay;
  if (heading !== undefined && !issues.some(({ field }) => field === "title"))
    fields.title ??= heading;
  for (const name of requiredFields(kind)) {
    if (fields[name] !== undefined || issues.some(({ field }) => field?.split(".")[0] === name))
      continue;
    const { line } = Object.hasOwn(raw, name) ? positionOf([name]) : { line: 1 };
    issues.push({ line, field: name, reason: `${name} is missing.` });
  }
  return { issues, warnings, values: fields as Partial<FrontMatter> };
}

/**
 * Returns the date in a file's path: 2021-05-10-welcome in Jekyll; in Docusaurus, also
 * 2021/05-10-welcome, 2021/05/10/welcome and 2021-05-10/index.
 */
function dateInFileName(fileSlug: string): string | undefined {
  const date = /(?:^|\/)(\d{4}[-/]\d\d[-/]\d\d)(?:[-/]|$)/.exec(fileSlug)?.[1];
  return parseWrittenDate(date?.replaceAll("/", "-"))?.day;
}

/** A `#` heading before any text except imports. */
const TITLE_HEADING = /^((?:[ \t]*\r?\n|import\b[^\n]*\n)*)#[ \t]+([^\n]{1,200})(?=\n|$)/;

/**
 * Returns the heading before the text, which is the title in Docusaurus and VitePress, and the body
 * without it. Returns null without one.
 */
function findTitleHeading(body: string): { title: string; rest: string } | null {
  const [all, before, heading] = TITLE_HEADING.exec(body) ?? [];
  const title = heading
    ?.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[`*]|\s*\{#[^}]*\}/g, "")
    .replace(/\s+#*\s*$/, "");
  return title ? { title, rest: before + body.slice(all!.length) } : null;
}

/** Adds the valid value to `fields`, or returns what is wrong. */
function readField(
  name: keyof typeof frontMatterFields,
  value: unknown,
  fields: Record<string, unknown>,
): { path: readonly PropertyKey[]; rule: string } | null {
  const illFormed = findLoneSurrogate(value);
  if (illFormed) return { path: illFormed, rule: LONE_SURROGATE_RULE };
  const parsed = frontMatterFields[name].safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return { path: issue.path, rule: issue.message };
  }
  if (name === "date" || name === "updated") {
    const { day, timeMs } = parsed.data as WrittenDate;
    fields[name] = day;
    if (timeMs !== null) fields[`${name}Ms`] = timeMs;
  } else fields[name] = parsed.data;
  return null;
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
