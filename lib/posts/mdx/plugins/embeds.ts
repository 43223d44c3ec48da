// Converts paragraphs that are only a URL, and iframes of known players, to <Embed url="…"/>.

import type { Paragraph, Root as MarkdownRoot } from "mdast";
import { toString } from "mdast-util-to-string";
import { SKIP, visit } from "unist-util-visit";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import {
  isBlank,
  isElement,
  replaceNodes,
  type Element,
  type MdxJsx,
  type Positioned,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";

/** Parents whose paragraphs may become cards. A list of links stays a list. */
const embedParents = new Set(["root", "blockquote", "mdxJsxFlowElement"]);

/** Converts paragraphs that are only an http(s) URL. */
export function embedBareUrls(tree: MarkdownRoot, context: CompileContext): void {
  visit(tree, "paragraph", (node, index, parent) => {
    if (!parent || index === undefined || !embedParents.has(parent.type)) return undefined;
    const url = findBareUrl(node);
    if (url === null) return undefined;
    parent.children[index] = createEmbed(url, node as Positioned, context) as never;
    return SKIP;
  });
}

function findBareUrl(node: Paragraph): string | null {
  const children = node.children.filter(
    (child) => child.type !== "text" || child.value.trim() !== "",
  );
  const [only] = children;
  if (children.length !== 1 || only?.type !== "link" || only.title || toString(only) !== only.url)
    return null;
  return isHttpUrl(only.url) ? only.url : null;
}

/** Returns an Embed node for `url`, and records it in the context. */
export function createEmbed(
  url: string,
  source: Positioned | undefined,
  context: CompileContext,
): MdxJsx {
  context.components.add("Embed");
  context.embeds.add(url);
  return {
    type: "mdxJsxFlowElement",
    name: context.internalName("Embed"),
    attributes: [{ type: "mdxJsxAttribute", name: "url", value: url }],
    children: [],
    data: { isInternal: true },
    ...(source?.position && { position: source.position }),
  };
}

/** Returns whether `url` is an absolute http or https URL. */
export function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

/**
 * Maps the host and path of a player to its page. The iframe becomes a card, so that it loads only
 * on click.
 */
const knownPlayers: {
  host: RegExp;
  path: RegExp;
  page: (match: RegExpExecArray, url: URL) => string;
}[] = [
  { host: /^(www\.)?youtube(-nocookie)?\.com$/, path: /^\/embed\/([\w-]+)/, page: youtubePageUrl },
  {
    host: /^player\.vimeo\.com$/,
    path: /^\/video\/(\d+)/,
    page: vimeoPageUrl,
  },
  {
    host: /^codesandbox\.io$/,
    path: /^\/(?:embed|s|p\/sandbox)\/(github\/.+|[\w-]+)/,
    page: ([, id]) => `https://codesandbox.io/s/${id}`,
  },
  {
    host: /^codepen\.io$/,
    path: /^\/((?:team\/)?[\w-]+)\/(?:embed(?:\/preview)?|pen)\/(\w+)/,
    page: ([, user, id]) => `https://codepen.io/${user}/pen/${id}`,
  },
];

function youtubePageUrl([, id]: RegExpExecArray, { searchParams }: URL): string {
  const list = searchParams.get("list");
  if (id === "videoseries" && list)
    return `https://www.youtube.com/playlist?list=${encodeURIComponent(list)}`;
  const start = /^\d+$/.exec(searchParams.get("start") ?? "");
  return `https://www.youtube.com/watch?v=${id}${start ? `&t=${start[0]}` : ""}`;
}

/** An unlisted video has a hash, without which it is not found. */
function vimeoPageUrl([, id]: RegExpExecArray, { searchParams }: URL): string {
  const hash = /^\w+$/.exec(searchParams.get("h") ?? "");
  return `https://vimeo.com/${id}${hash ? `/${hash[0]}` : ""}`;
}

/** Returns the page of a player's URL, or null for an unknown player. */
export function playerPageUrl(src: string): string | null {
  const absolute = src.startsWith("//") ? `https:${src}` : src;
  if (!isHttpUrl(absolute)) return null;
  const url = new URL(absolute);
  for (const player of knownPlayers) {
    const match = player.host.test(url.hostname) ? player.path.exec(url.pathname) : null;
    if (match) return player.page(match, url);
  }
  return null;
}

/** Converts known iframes to cards. Throws PostError for any other iframe. */
export function embedIframes(tree: Root, context: CompileContext): void {
  const toEmbed = (frame: Element) => {
    const src = String(frame.properties.src ?? "");
    const page = playerPageUrl(src);
    if (page === null) {
      context.fail(
        frame,
        `an iframe of "${src.slice(0, 200)}" is not supported. Only iframes of YouTube, Vimeo, CodeSandbox and CodePen become cards; for anything else, use a link`,
      );
    }
    return createEmbed(page, frame, context);
  };
  replaceNodes(tree, (node) => {
    if (isElement(node, "iframe")) return toEmbed(node);
    // A card cannot be inside a paragraph.
    const children = isElement(node, "p") ? node.children.filter((child) => !isBlank(child)) : [];
    const isOnlyChild = children.length === 1 && isElement(children[0], "iframe");
    return isOnlyChild ? toEmbed(children[0] as Element) : undefined;
  });
}
