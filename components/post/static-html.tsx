// Renders a run of ready HTML from the compiler: one node for React, however long it is.

import { StaticHtmlElement } from "./static-html-element.tsx";
import { registerHtml } from "./static-html-registry.ts";

/** `html` must come from lib/posts/mdx, which escapes author text: anything else is an XSS risk. */
export function StaticHtml({ html, inline = false }: { html: string; inline?: boolean }) {
  const index = registerHtml(html);
  return index === null ? (
    <StaticHtmlElement html={html} inline={inline} />
  ) : (
    <StaticHtmlElement index={index} inline={inline} />
  );
}
