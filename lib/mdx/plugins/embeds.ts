// A paragraph that is only a URL becomes <Embed url="…"/>; so does an <iframe> of a host we know.

import type { Paragraph, Root as MarkdownRoot } from "mdast";
import { toString } from "mdast-util-to-string";
import { SKIP, visit } from "unist-util-visit";
import type { Draft } from "../draft.ts";
import {
  isBlank,
  isElement,
  rewrite,
  type Element,
  type Jsx,
  type Place,
  type Root,
} from "../tree.ts";

/** A list of links stays a list of links: only these hold paragraphs that become cards. */
const holders = new Set(["root", "blockquote", "mdxJsxFlowElement"]);

/** Replaces paragraphs that are only an http(s) URL. */
export function embedBareUrls(tree: MarkdownRoot, draft: Draft): void {
  visit(tree, "paragraph", (node, index, parent) => {
    if (!parent || index === undefined || !holders.has(parent.type)) return undefined;
    const url = bareUrl(node);
    if (url === null) return undefined;
    parent.children[index] = embedNode(url, node as Place, draft) as never;
    return SKIP;
  });
}

function bareUrl(node: Paragraph): string | null {
  const children = node.children.filter(
    (child) => child.type !== "text" || child.value.trim() !== "",
  );
  const [only] = children;
  if (children.length !== 1 || only?.type !== "link" || only.title || toString(only) !== only.url)
    return null;
  return isWebUrl(only.url) ? only.url : null;
}

/** A component node for `url`, noted in the draft. */
export function embedNode(url: string, at: Place | undefined, draft: Draft): Jsx {
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
export function isWebUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

/**
 * Frames that become cards, so that nothing of theirs loads before a click: the page a player belongs to, by the host
 * and path of the player. Every other frame is refused.
 */
const players: {
  host: RegExp;
  path: RegExp;
  page: (match: RegExpExecArray, url: URL) => string;
}[] = [
  { host: /^(www\.)?youtube(-nocookie)?\.com$/, path: /^\/embed\/([\w-]+)/, page: youtubePage },
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

function youtubePage([, id]: RegExpExecArray, { searchParams }: URL): string {
  const list = searchParams.get("list");
  if (id === "videoseries" && list)
    return `https://www.youtube.com/playlist?list=${encodeURIComponent(list)}`;
  const start = /^\d+$/.exec(searchParams.get("start") ?? "");
  return `https://www.youtube.com/watch?v=${id}${start ? `&t=${start[0]}` : ""}`;
}

/** The page behind a player's address, or null for a player we don't know. */
export function pageOfPlayer(src: string): string | null {
  const absolute = src.startsWith("//") ? `https:${src}` : src;
  if (!isWebUrl(absolute)) return null;
  const url = new URL(absolute);
  for (const player of players) {
    const match = player.host.test(url.hostname) ? player.path.exec(url.pathname) : null;
    if (match) return player.page(match, url);
  }
  return null;
}

/** Turns known frames into cards. Throws a PostError for any other. */
export function embedFrames(tree: Root, draft: Draft): void {
  const card = (frame: Element) => {
    const src = String(frame.properties.src ?? "");
    const page = pageOfPlayer(src);
    if (page === null) {
      draft.fail(
        frame,
        `a frame of "${src.slice(0, 200)}" is not supported; frames of YouTube, Vimeo, CodeSandbox and CodePen become cards, for anything else give the link`,
      );
    }
    return embedNode(page, frame, draft);
  };
  rewrite(tree, (node) => {
    if (isElement(node, "iframe")) return card(node);
    const inside = isElement(node, "p") ? node.children.filter((child) => !isBlank(child)) : [];
    return inside.length === 1 && isElement(inside[0], "iframe") ? card(inside[0]) : undefined; // a card can't stand in a paragraph
  });
}
