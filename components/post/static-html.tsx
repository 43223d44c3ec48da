// A run of ready HTML from the compiler: one node for React, however long it is.

import { StaticHtmlElement } from "./static-html-element.tsx";
import { registerHtml } from "./static-html-registry.ts";

/** `html` was written by lib/mdx, which escapes what authors wrote; nothing else may come in here. */
export function Html({ html, inline = false }: { html: string; inline?: boolean }) {
  const place = registerHtml(html);
  return place === null ? (
    <StaticHtmlElement html={html} inline={inline} />
  ) : (
    <StaticHtmlElement index={place} inline={inline} />
  );
}
