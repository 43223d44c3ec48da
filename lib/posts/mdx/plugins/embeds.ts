// A paragraph that is only a URL becomes <Embed url="…"/>; so does an <iframe> of a host we know.

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

/** A list of links stays a list of links: only these hold paragraphs that become cards. */
const embedParents = new Set(["root", "blockquote", "mdxJsxFlowElement"]);

/** Replaces paragraphs that are only an http(s) URL. */
export function embedBareUrls(tree: MarkdownRoot, draft: CompileContext): void {
  visit(tree, "paragraph", (node, index, parent) => {
    if (!parent || index === undefined || !embedParents.has(parent.type)) return undefined;
    const url = findBareUrl(node);
    if (url === null) return undefined;
    parent.children[index] = createEmbed(url, node as Positioned, draft) as never;
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

/** A component node for `url`, noted in the draft. */
export function createEmbed(
  url: string,
  at: Positioned | undefined,
  draft: CompileContext,
): MdxJsx {
  draft.components.add("Embed");
  draft.embeds.add(url);
  return {
    type: "mdxJsxFlowElement",
    name: "Embed",
    attributes: [{ type: "mdxJsxAttribute", name: "url", value: url }],
    children: [],
    ...(at?.position && { position: at.position }),
  };
}

/** True for an absolute http or https URL. */
export function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

/**
 * Frames that become cards, so that nothing of theirs loads before a click: the page a player belongs to, by the host
 * and path of the player. Every other frame is refused.
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
    page: ([, id]) => `https://vimeo.com/${id}`,
  },
  {
    host: /^codesandbox\.io$/,
    path: /^\/(?:embed|s|p\/sandbox)\/([\w-]+)/,
    page: ([, id]) => `https://codesandbox.io/s/${id}`,
  },
  {
    host: /^codepen\.io$/,
    path: /^\/([\w-]+)\/(?:embed(?:\/preview)?|pen)\/(\w+)/,
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

/** The page behind a player's address, or null for a player we don't know. */
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

/** Turns known frames into cards. Throws a PostError for any other. */
export function embedIframes(tree: Root, draft: CompileContext): void {
  const card = (frame: Element) => {
    const src = String(frame.properties.src ?? "");
    const page = playerPageUrl(src);
    if (page === null) {
      draft.fail(
        frame,
        `a frame of "${src.slice(0, 200)}" is not supported; frames of YouTube, Vimeo, CodeSandbox and CodePen become cards, for anything else give the link`,
      );
    }
    return createEmbed(page, frame, draft);
  };
  replaceNodes(tree, (node) => {
    if (isElement(node, "iframe")) return card(node);
    const inside = isElement(node, "p") ? node.children.filter((child) => !isBlank(child)) : [];
    return inside.length === 1 && isElement(inside[0], "iframe") ? card(inside[0]) : undefined; // a card can't stand in a paragraph
  });
}
