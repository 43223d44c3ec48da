// Parses redirect rules in the _redirects format
// (https://docs.netlify.com/manage/routing/redirects/overview/).

import { encodePath } from "./post-address.ts";

export interface RedirectRule {
  /** Where the rule is, for warnings: "_redirects:12". */
  readonly origin: string;
  /** The decoded path, or its pattern as written. */
  readonly from: string;
  /** Null for an exact path. Its groups are the placeholders. */
  readonly pattern: RegExp | null;
  /** Required query parameters: a value, or ":name" for any value. */
  readonly query: ReadonlyMap<string, string>;
  /** A path or an http(s) URL with placeholders; null for 404 and 410. */
  readonly to: string | null;
  readonly status: RedirectStatus;
}

export type RedirectStatus = (typeof STATUSES)[number];

const STATUSES = [301, 302, 303, 307, 308, 404, 410] as const;
const MAX_RULES = 5_000;
const MAX_LINE_LENGTH = 2_000;
const PLACEHOLDER = /:([A-Za-z_]\w*)/g;

/** Returns the rules in order, and a warning "file:line: reason" for each line that is skipped. */
export function parseRedirects(
  text: string,
  file: string,
): { rules: RedirectRule[]; warnings: string[] } {
  const rules: RedirectRule[] = [];
  const warnings: string[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, "")
    .split(/\r\n|[\r\n]/)
    .entries()) {
    const origin = `${file}:${index + 1}`;
    const content = line.replace(/(^|\s)#.*$/, "").trim();
    if (content === "") continue;
    const rule =
      line.length > MAX_LINE_LENGTH
        ? `the line is longer than ${MAX_LINE_LENGTH} characters`
        : rules.length === MAX_RULES
          ? `there are more than ${MAX_RULES} rules`
          : parseRule(content.split(/\s+/), origin);
    if (typeof rule !== "string") rules.push(rule);
    else warnings.push(`${origin}: ${rule}; the line is skipped`);
    if (rules.length === MAX_RULES && typeof rule === "string") break;
  }
  return { rules, warnings };
}

/** Returns the rule, or why the line is not one. */
function parseRule([from = "", ...rest]: string[], origin: string): RedirectRule | string {
  if (/^https?:/i.test(from)) return "rules for a host are not supported; start with a path";
  if (!from.startsWith("/")) return `"${from}" must be a path that starts with /`;
  const query = new Map<string, string>();
  while (rest[0] !== undefined && /^[^/:=?]+=/.test(rest[0])) {
    const [name, ...value] = rest.shift()!.split("=");
    query.set(name!, value.join("="));
  }
  const to = rest[0] !== undefined && !/^\d{3}!?$/.test(rest[0]) ? rest.shift()! : null;
  const [code = "301", ...conditions] = rest;
  const status = STATUSES.find((each) => String(each) === code.replace(/!$/, ""));
  if (code.startsWith("200")) return "status 200 (rewrites and proxies) is not supported";
  if (status === undefined)
    return `"${code}" is not a supported status; use ${STATUSES.join(", ")}`;
  if (conditions.length > 0) return `the condition "${conditions[0]}" is not supported`;
  if (to === null && status < 400) return "the target is missing";

  const source = parseSource(from);
  if (typeof source === "string") return source;
  const names = new Set(source.names);
  for (const value of query.values()) if (/^:\w+$/.test(value)) names.add(value.slice(1));
  const problem = to !== null && status < 400 ? findTargetProblem(to, names) : null;
  if (problem !== null) return problem;
  return { origin, ...source, query, to: status < 400 ? to : null, status };
}

/** Returns the pattern of a rule's first column, or what is wrong with it. */
function parseSource(
  from: string,
): { from: string; pattern: RegExp | null; names: string[] } | string {
  const path = decodeAddress(from);
  if (path === null) return `"${from}" is not a valid path`;
  if (/[?#]/.test(from))
    return `"${from}" contains ? or #; write parameters as name=value after the path`;
  const names: string[] = [];
  let source = "";
  for (const [index, segment] of path.split("/").slice(1).entries()) {
    const isLast = index === path.split("/").length - 2;
    if (segment === "*" && isLast) {
      if (names.includes("splat")) return "* and :splat have the same name";
      names.push("splat");
      source += "(?:/(?<splat>.*))?";
    } else if (/^:[A-Za-z_]\w*$/.test(segment)) {
      if (names.includes(segment.slice(1))) return `${segment} appears twice`;
      names.push(segment.slice(1));
      source += `/(?<${segment.slice(1)}>[^/]+)`;
    } else if (segment.includes("*")) return "* must be the last part of the path";
    else source += `/${segment.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}`;
  }
  return { from: path, pattern: names.length > 0 ? new RegExp(`^${source}$`, "su") : null, names };
}

/** Returns why a target is not allowed. A placeholder in the host would be an open redirect. */
function findTargetProblem(to: string, names: ReadonlySet<string>): string | null {
  const host = /^https?:\/\/([^/?#]*)/i.exec(to)?.[1];
  if (host === undefined && !/^\/(?![/\\])/.test(to))
    return `the target "${to}" must be a path or a URL that starts with https:// or http://`;
  if (
    host !== undefined &&
    (/:[A-Za-z_]/.test(host) || !URL.canParse(to.replace(PLACEHOLDER, "x")))
  )
    return `the target "${to}" has an invalid host; it can't contain a placeholder`;
  const unknown = [...to.matchAll(PLACEHOLDER)].find(([, name]) => !names.has(name!));
  return unknown ? `${unknown[0]} in the target is not in the path` : null;
}

/**
 * Returns a path decoded once, in NFC, without a trailing slash, as a key for comparisons. Null if
 * it is malformed.
 */
export function decodeAddress(path: string): string | null {
  if (/%2f/i.test(path)) return null;
  try {
    return removeTrailingSlashes(decodeURIComponent(path).normalize("NFC"));
  } catch {
    return null;
  }
}

/** Not with a pattern, which would take quadratic time for slashes in the middle. */
function removeTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}

/**
 * Returns where `rule` leads from `path` (decoded) with the request's query, which the target keeps.
 * Null if the rule doesn't match.
 */
export function applyRule(rule: RedirectRule, path: string, search: string): string | null {
  const match = rule.pattern ? rule.pattern.exec(path) : null;
  if (rule.pattern ? !match : rule.from !== path) return null;
  const values: Record<string, string> = { splat: "", ...match?.groups };
  const query = new URLSearchParams(search);
  for (const [name, expected] of rule.query) {
    const value = query.get(name);
    if (value === null) return null;
    if (/^:\w+$/.test(expected)) values[expected.slice(1)] = value;
    else if (value !== expected) return null;
    query.delete(name);
  }
  if (rule.to === null) return "";
  const kept = rule.query.size > 0 ? query.toString() : search.replace(/^\?/, "");
  return addQuery(expandTarget(rule.to, values), kept);
}

/** Fills the placeholders. The result can't name another host than `to` does. */
function expandTarget(to: string, values: Readonly<Record<string, string>>): string {
  const expanded = to.replace(PLACEHOLDER, (all, name: string) =>
    Object.hasOwn(values, name) ? encodePath(values[name] ?? "") : all,
  );
  if (!to.startsWith("/")) return new URL(expanded).href;
  const { pathname, search, hash } = new URL(`http://site.invalid${expanded}`);
  return pathname.replace(/^\/+/, "/") + search + hash;
}

function addQuery(url: string, query: string): string {
  if (query === "") return url;
  const [start = "", ...hash] = url.split("#");
  return `${start}${start.includes("?") ? "&" : "?"}${query}${hash.map((part) => `#${part}`).join("")}`;
}
