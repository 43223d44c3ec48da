// Rejects HTML that is an XSS risk, with its line: scripts, iframes, forms, event handlers,
// javascript: URLs.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { isElement, replaceNodes, type Root } from "#lib/posts/mdx/mdx-tree.ts";
import { isAllowedTag } from "./html-elements.ts";

/** Properties whose value is a URL. */
export const urlProperties = [
  "href",
  "src",
  "poster",
  "cite",
  "action",
  "formAction",
  "xLinkHref",
  "data",
];

/** Schemes whose URLs can't run a script. */
const SAFE_SCHEMES = new Set(
  "http https mailto tel sms ftp ftps irc ircs xmpp matrix magnet webcal geo".split(" "),
);

/** Throws PostError at the first element or attribute that is not allowed. */
export function assertAllowedHtml(tree: Root, context: CompileContext): void {
  replaceNodes(tree, (node) => {
    if (!isElement(node)) return undefined;
    const { tagName, properties } = node;
    if (
      !isAllowedTag(tagName) &&
      !tagName.startsWith("callout-") &&
      tagName !== "lectern-contents"
    ) {
      const hint =
        tagName === "script"
          ? ". To embed a tweet or video, put its URL in a paragraph by itself"
          : "";
      context.fail(
        node,
        `<${tagName}> is not supported in a post: remove it, or use a component next to the post${hint}`,
      );
    }
    if (tagName === "input" && !(properties.type === "checkbox" && properties.disabled)) {
      context.fail(
        node,
        "<input> is not supported in a post, except as the checkbox of a task list",
      );
    }
    for (const [name, value] of Object.entries(properties)) {
      if (/^on/i.test(name))
        context.fail(
          node,
          `${name} on <${tagName}> is not supported, because HTML in a post can't run scripts; use a component next to the post`,
        );
      if (name === "srcDoc") context.fail(node, "srcdoc is not supported in a post");
      if (
        urlProperties.includes(name) &&
        !isSafeUrl(
          String(value ?? ""),
          tagName === "img" || tagName === "source" || tagName === "video",
        )
      ) {
        context.fail(node, unsafeUrlReason(String(value), tagName));
      }
    }
    // Screen readers need an accessible name.
    if (tagName === "input") properties.ariaLabel ??= properties.checked ? "Done" : "To do";
    return undefined;
  });
}

/** Returns whether a URL cannot run a script. `isMedia` also allows data: images. */
export function isSafeUrl(url: string, isMedia: boolean): boolean {
  // Browsers ignore control characters and spaces in the scheme.
  const scheme = /^([a-z][a-z0-9+.-]*):/i
    .exec(url.replace(/[\u0000-\u0020]/g, ""))?.[1]
    ?.toLowerCase();
  if (scheme === undefined || SAFE_SCHEMES.has(scheme)) return true;
  return isMedia && /^\s*data:image\/(png|jpe?g|gif|webp|avif|svg\+xml)[;,]/i.test(url);
}

/** Returns the sentence for a URL that is not safe. */
export function unsafeUrlReason(url: string, tagName: string): string {
  return `the URL "${url.slice(0, 80)}" on <${tagName}> is not supported: use http, https, mailto, tel or a path`;
}
