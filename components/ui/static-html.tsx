// Renders static HTML, from the compiler or a personal part, as a single React node.

import { StaticHtmlElement } from "./static-html-element.tsx";
import { registerHtml } from "./static-html-registry.ts";

interface StaticHtmlProps {
  /**
   * From lib/posts/mdx or React, which escape text that people write: anything else would be an XSS
   * risk.
   */
  readonly html: string;
  readonly inline?: boolean;
  /** Also sends the HTML as React's data, for an island that may show it later. */
  readonly asData?: boolean;
}

export function StaticHtml({ html, inline = false, asData = false }: StaticHtmlProps) {
  const index = asData ? null : registerHtml(html);
  return index === null ? (
    <StaticHtmlElement html={html} inline={inline} />
  ) : (
    <StaticHtmlElement index={index} inline={inline} />
  );
}
