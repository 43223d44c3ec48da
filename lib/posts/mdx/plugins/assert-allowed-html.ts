// Refuses, at its line, HTML that a post can't have: scripts, frames, forms, event handlers, script addresses.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { isElement, replaceNodes, type Root } from "#lib/posts/mdx/mdx-tree.ts";
import { isAllowedTag } from "./html-elements.ts";

const urlProperties = [
  "href",
  "src",
  "poster",
  "cite",
  "action",
  "formAction",
  "xLinkHref",
  "data",
];

/** Checks every element. Throws a PostError at the first that isn't allowed. */
export function assertAllowedHtml(tree: Root, draft: CompileContext): void {
  replaceNodes(tree, (node) => {
    if (!isElement(node)) return undefined;
    const { tagName, properties } = node;
    if (
      !isAllowedTag(tagName) &&
      !tagName.startsWith("callout-") &&
      tagName !== "lectern-contents"
    ) {
      draft.fail(node, `<${tagName}> is not supported in a post`);
    }
    if (tagName === "input" && !(properties.type === "checkbox" && properties.disabled)) {
      draft.fail(node, "<input> is not supported in a post, except as the box of a task list");
    }
    for (const [name, value] of Object.entries(properties)) {
      if (/^on/i.test(name))
        draft.fail(
          node,
          `${name} on <${tagName}> is not supported: a post has no scripts; use a component beside it`,
        );
      if (name === "srcDoc") draft.fail(node, "srcdoc is not supported in a post");
      if (
        urlProperties.includes(name) &&
        !isSafeUrl(
          String(value ?? ""),
          tagName === "img" || tagName === "source" || tagName === "video",
        )
      ) {
        draft.fail(
          node,
          `the address "${String(value).slice(0, 80)}" on <${tagName}> is not supported: http, https, mailto, tel or a path`,
        );
      }
    }
    // A box without a name says nothing to a screen reader.
    if (tagName === "input") properties.ariaLabel ??= properties.checked ? "Done" : "To do";
    return undefined;
  });
}

/** True for addresses that only lead somewhere; `data:` pictures are allowed where a picture stands. */
function isSafeUrl(address: string, media: boolean): boolean {
  // Browsers drop these characters before they read the scheme.
  const scheme = /^([a-z][a-z0-9+.-]*):/i
    .exec(address.replace(/[\u0000-\u0020]/g, ""))?.[1]
    ?.toLowerCase();
  if (scheme === undefined || ["http", "https", "mailto", "tel", "sms"].includes(scheme))
    return true;
  return media && /^\s*data:image\/(png|jpe?g|gif|webp|avif|svg\+xml)[;,]/i.test(address);
}
