// Starts the search of the list of posts on a page without React. Fetches each list as a document,
// and copies its elements into the page.

import { type PostSearchOptions, resetField, startPostSearch } from "./start-post-search.ts";

/** After this, the browser navigates to the list. */
const TIMEOUT_MS = 10_000;

let shownHref = location.pathname + location.search;
let loading: AbortController | undefined;

/** Shows the list at `href`. If fetching it fails, the browser navigates to `href` and shows why. */
async function showPosts(
  list: HTMLElement,
  href: string,
  change?: "push" | "replace",
): Promise<void> {
  loading?.abort();
  const controller = (loading = new AbortController());
  const isNewest = () => loading === controller;
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  // Set when the reader follows a link or starts a download. The listener is removed later, because
  // some browsers don't keep a page with it in the back/forward cache.
  let isLeaving = false;
  const onLeave = () => (isLeaving = true);
  addEventListener("beforeunload", onLeave);
  try {
    const response = await fetch(href, { signal: controller.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!isNewest()) return;
    const newList = page.querySelector("[data-post-search]");
    if (!newList) throw new Error(String(response.status));
    copyElement(newList, list);
    if (change) history[`${change}State`](null, "", href);
    document.title = page.title;
    shownHref = href;
  } catch {
    if (isNewest() && !isLeaving) location.assign(href);
  } finally {
    clearTimeout(timer);
    removeEventListener("beforeunload", onLeave);
  }
}

/**
 * Makes `element` equal to `source`. Keeps the elements that both have, so that a link keeps the
 * focus and a picture isn't loaded again.
 */
function copyElement(source: Element, element: Element): void {
  for (const { name } of [...element.attributes])
    if (!source.hasAttribute(name)) element.removeAttribute(name);
  for (const { name, value } of source.attributes) element.setAttribute(name, value);
  const oldNodes = [...element.childNodes];
  const newNodes = [...source.childNodes];
  for (const node of oldNodes.slice(newNodes.length)) node.remove();
  newNodes.forEach((newNode, index) => {
    const node = oldNodes[index];
    if (!node) element.append(newNode);
    else if (isSameKind(node, newNode)) copyElement(newNode as Element, node as Element);
    else if (!node.isEqualNode(newNode)) node.replaceWith(newNode);
  });
}

/** A post is replaced as a whole, so that it never shows another post's picture. */
const isSameKind = (node: Node, { nodeName }: Node): boolean =>
  node instanceof Element && node.nodeName === nodeName && nodeName !== "ARTICLE";

export function startPostList(
  list: HTMLElement,
  { isPlainClick }: Pick<PostSearchOptions, "isPlainClick">,
): void {
  startPostSearch(list, {
    isPlainClick,
    showPosts: (href, change) => showPosts(list, href, change),
  });
  addEventListener("popstate", () => {
    const href = location.pathname + location.search;
    // A link to a fragment of the page doesn't change the list.
    if (href !== shownHref) void showPosts(list, href).then(() => resetField(list));
  });
}
