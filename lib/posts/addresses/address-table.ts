// Resolves the paths of requests: addresses of posts, their Markdown, their aliases, and the rules of
// the redirects file.

import type { AddressMatch } from "#lib/http/content-addresses.ts";
import { labelRoute } from "#lib/http/route-labels.ts";
import {
  type Addressable,
  postAddress,
  postRoutePath,
  postUrlPath,
  slugOfRoute,
  slugRoute,
} from "./post-address.ts";
import { postPath } from "#lib/posts/source/post-path.ts";
import { type RedirectRule, applyRule, decodeAddress } from "./redirect-rules.ts";

export interface AddressedPost extends Addressable {
  /** Path below the content root, for warnings. */
  readonly path: string;
  readonly frontMatter: { readonly date: string; readonly aliases: readonly string[] };
}

export interface AddressTableOptions {
  readonly posts: readonly AddressedPost[];
  /** Decoded paths of content/pages, topics and years, without the leading slash. */
  readonly pages?: Iterable<string>;
  readonly rules: readonly RedirectRule[];
  /** Returns whether public/ has the file at this decoded path. A file wins over a rule. */
  readonly isPublicFile: (path: string) => boolean;
}

interface PositionedRule {
  readonly rule: RedirectRule;
  readonly position: number;
}

const MAX_REDIRECTS = 10;

/** Immutable. Exact paths take one lookup, however many rules there are. */
export class AddressTable {
  /** "file:line: reason" for aliases and rules that are ignored. */
  readonly warnings: string[] = [];
  readonly #pageAddresses: ReadonlySet<string>;
  readonly #postsByAddress = new Map<string, AddressedPost>();
  readonly #postsBySlugRoute = new Map<string, AddressedPost>();
  readonly #aliases = new Map<string, AddressedPost>();
  /** With their positions in the file, because the first match wins. */
  readonly #exactRules = new Map<string, PositionedRule[]>();
  /**
   * Indexed by the segments before the first placeholder, so that a request tries only a few rules.
   */
  readonly #patternRules = new Map<string, PositionedRule[]>();
  /** The most segments of a key of #patternRules. */
  #maxPrefixSegments = 0;
  readonly #loopingRules = new Set<RedirectRule>();
  readonly #isPublicFile: (path: string) => boolean;

  constructor({ posts, pages = [], rules, isPublicFile }: AddressTableOptions) {
    this.#isPublicFile = isPublicFile;
    this.#pageAddresses = new Set([...pages].map((path) => `/${path}`));
    for (const post of posts) {
      if (this.#pageAddresses.has(postAddress(post)))
        this.warnings.push(
          `${post.path}:1: its address ${postAddress(post)} is also the address of a page; the post takes precedence`,
        );
      this.#postsByAddress.set(postAddress(post), post);
      this.#postsBySlugRoute.set(slugRoute(post.slug), post);
    }
    // A link in another post names the file, even if the front matter sets another slug.
    for (const post of posts) {
      const route = slugRoute(postPath(post.path)?.slug ?? post.slug);
      if (!this.#postsBySlugRoute.has(route)) this.#postsBySlugRoute.set(route, post);
    }
    for (const post of posts) for (const alias of post.frontMatter.aliases) this.#add(post, alias);
    for (const [position, rule] of rules.entries()) this.#addRule(rule, position);
    const loops = rules.flatMap((rule) => {
      const problem = this.#findLoop(rule);
      return problem === null ? [] : [{ rule, problem }];
    });
    for (const { rule, problem } of loops) {
      this.#loopingRules.add(rule);
      this.warnings.push(`${rule.origin}: ${rule.from} ${problem}; the line is skipped`);
    }
  }

  /** Returns what to do with a path and its query; null if the router handles it unchanged. */
  resolve(url: string): AddressMatch | null {
    const [rawPath = "", ...rest] = url.split("?");
    const search = rest.length > 0 ? `?${rest.join("?")}` : "";
    const path = decodeAddress(rawPath);
    if (path === null) return null;
    // Next redirects to the path without the trailing slash, and the browser requests that.
    if (!rawPath.endsWith("/")) {
      const post = this.#resolvePost(rawPath, path, search);
      if (post !== undefined) return post;
    }
    return this.#resolveRedirect(path, search);
  }

  /** Returns the post whose page a decoded path shows or redirects to, or null. */
  findPost(path: string): AddressedPost | null {
    return (
      this.#postsByAddress.get(path) ??
      this.#postsBySlugRoute.get(path) ??
      this.#aliases.get(path) ??
      null
    );
  }

  /** Returns whether a page has this decoded path: one of the site's own, or of content/pages. */
  hasPage(path: string): boolean {
    return this.#pageAddresses.has(path) || !["other", "post"].includes(labelRoute(path).kind);
  }

  /** Undefined if the path is not about a post. */
  #resolvePost(rawPath: string, path: string, search: string): AddressMatch | null | undefined {
    const post = this.#postsByAddress.get(path);
    if (post) return this.#showAt(rawPath, postUrlPath(post), postRoutePath(post.slug), search);
    const name = path.endsWith(".md") ? path.slice(0, -3) : null;
    const markdown = name === null ? undefined : this.#postsByAddress.get(name);
    if (markdown) {
      const route = `${postRoutePath(markdown.slug)}/markdown`;
      return this.#showAt(rawPath, `${postUrlPath(markdown)}.md`, route, search);
    }
    const moved = this.#postsBySlugRoute.get(path) ?? this.#postsBySlugRoute.get(name ?? "");
    // The social image and the Markdown of a post.
    const [, owner = "", part = ""] = /^(.+)\/(social\.png|markdown)$/.exec(path) ?? [];
    const partOf = this.#postsBySlugRoute.get(owner);
    if (partOf) return toRoute(rawPath, `${postRoutePath(partOf.slug)}/${part}`, search);
    if (moved) return redirect(postUrlPath(moved) + (path.endsWith(".md") ? ".md" : "") + search);
    return undefined;
  }

  #showAt(rawPath: string, address: string, route: string, search: string): AddressMatch | null {
    // A name in another normalization form (macOS) redirects to the one that everyone links to.
    if (decodeURIComponent(rawPath) !== decodeURIComponent(address))
      return redirect(address + search);
    return toRoute(rawPath, route, search);
  }

  #resolveRedirect(path: string, search: string): AddressMatch | null {
    const isRoute = this.hasPage(path);
    const alias = isRoute ? undefined : this.#aliases.get(path);
    if (alias) return redirect(postUrlPath(alias) + search);
    const found = this.#findRule(path, search, isRoute);
    // The Markdown of an unknown post is a 404 in Markdown.
    const name = isRoute ? null : slugOfRoute(path);
    if (!found && name?.endsWith(".md"))
      return { kind: "route", url: `${postRoutePath(name.slice(0, -3))}/markdown${search}` };
    if (!found || found.rule.status === 404) return null;
    if (found.rule.status === 410) return { kind: "gone" };
    return isSameUrl(found.target, path, search) ? null : redirect(found.target, found.rule.status);
  }

  #findRule(path: string, search: string, isRoute: boolean) {
    const candidates = [
      ...(this.#exactRules.get(path) ?? []),
      ...listPrefixes(path, this.#maxPrefixSegments).flatMap(
        (prefix) => this.#patternRules.get(prefix) ?? [],
      ),
    ].sort((a, b) => a.position - b.position);
    for (const { rule } of candidates) {
      if ((isRoute && rule.query.size === 0) || this.#loopingRules.has(rule)) continue;
      const target = applyRule(rule, path, search);
      if (target === null) continue;
      return rule.query.size === 0 && this.#isPublicFile(path) ? null : { rule, target };
    }
    return null;
  }

  #add(post: AddressedPost, alias: string): void {
    // A relative alias is relative to the post's address.
    const base = `http://site.invalid${postUrlPath(post)}`;
    const path = decodeAddress(URL.parse(alias, base)?.pathname ?? "");
    const other = path === null ? null : this.findPost(path);
    const reason =
      path === null
        ? "is not a path"
        : this.hasPage(path)
          ? "is a page of this site"
          : other && other !== post
            ? `belongs to ${other.path}`
            : null;
    if (reason !== null)
      this.warnings.push(`${post.path}:1: the alias ${alias} ${reason} and is ignored`);
    else if (!other) this.#aliases.set(path!, post);
  }

  #addRule(rule: RedirectRule, position: number): void {
    if (rule.pattern) {
      const prefix = rule.from.replace(/\/(?:[:*].*)$/s, "");
      this.#maxPrefixSegments = Math.max(this.#maxPrefixSegments, prefix.split("/").length);
      const same = this.#patternRules.get(prefix);
      if (same) same.push({ rule, position });
      else this.#patternRules.set(prefix, [{ rule, position }]);
    } else {
      const same = this.#exactRules.get(rule.from) ?? [];
      this.#exactRules.set(rule.from, [...same, { rule, position }]);
      if (rule.query.size > 0) return;
      const post = this.findPost(rule.from);
      const reason = this.hasPage(rule.from)
        ? "is a page of this site"
        : post
          ? `is an address of ${post.path}`
          : same.some((each) => each.rule.query.size === 0)
            ? `has a rule in ${same[0]!.rule.origin}`
            : null;
      if (reason !== null)
        this.warnings.push(`${rule.origin}: ${rule.from} ${reason}, which takes precedence`);
    }
  }

  /** Follows a rule with an example of each placeholder. Returns why it never ends, or null. */
  #findLoop(rule: RedirectRule): string | null {
    const start = rule.from.replace(/:\w+|\*$/g, "x");
    const query = [...rule.query].map(([name, value]) => `${name}=${value.replace(/^:\w+/, "x")}`);
    const search = query.length > 0 ? `?${query.join("&")}` : "";
    const target = applyRule(rule, start, search);
    if (target !== null && isSameUrl(target, start, search)) return "redirects to itself";
    const visited = new Set<string>();
    let url = encodeURI(start) + search;
    while (url.startsWith("/")) {
      if (visited.has(url)) return `is in a redirect loop through ${url}`;
      if (visited.size === MAX_REDIRECTS) return `redirects more than ${MAX_REDIRECTS} times`;
      visited.add(url);
      const match = this.resolve(url);
      if (match?.kind !== "redirect") return null;
      url = match.location.replace(/#.*$/, "");
    }
    return null;
  }
}

/** Returns "", "/a" and "/a/b" for "/a/b", or only the first `max` of them. */
function listPrefixes(path: string, max: number): string[] {
  const segments = path.split("/", max);
  return segments.map((_, index) => segments.slice(0, index + 1).join("/"));
}

function isSameUrl(target: string, path: string, search: string): boolean {
  const [targetPath = "", targetQuery = ""] = target.split("?");
  return decodeAddress(targetPath) === path && `?${targetQuery}` === (search === "" ? "?" : search);
}

function toRoute(rawPath: string, route: string, search: string): AddressMatch | null {
  return rawPath === route ? null : { kind: "route", url: route + search };
}

function redirect(location: string, status = 301): AddressMatch {
  return { kind: "redirect", status, location };
}
