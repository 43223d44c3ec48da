// Renders static HTML from the compiler as a single React node.

import { StaticHtmlElement } from "./static-html-element.tsx";
import { registerHtml } from "./static-html-registry.ts";

/** `html` must come from lib/posts/mdx, which escapes author text: anything else would be an XSS risk. */
export function StaticHtml({ html, inline = false }: { html: string; inline?: boolean }) {
  const index = registerHtml(html);
  return index === null ? (
    <StaticHtmlElement html={html} inline={inline} />
  ) : (
    <StaticHtmlElement index={index} inline={inline} />
  );
}
