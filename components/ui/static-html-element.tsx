"use client";
// Renders a run of HTML into the document. In the browser it adopts the existing elements.

import { useEffect, useRef } from "react";
import { registeredHtmlAt } from "./static-html-registry.ts";

interface Props {
  readonly html?: string;
  /** Without `html`: its index in this request's registry. */
  readonly index?: number;
  readonly inline: boolean;
}

// Next's document for an error contains no text, so a reload would repeat forever.
const isErrorDocument =
  typeof document !== "undefined" && document.documentElement.id === "__next_error__";

export function StaticHtmlElement({ html, index = -1, inline }: Props) {
  const Tag = inline ? "span" : "div";
  const element = useRef<HTMLDivElement & HTMLSpanElement>(null);
  useEffect(() => {
    // The router rendered the page from React's data alone; only the full document contains the text.
    if (html === undefined && element.current?.childNodes.length === 0 && !isErrorDocument)
      location.reload();
  }, [html]);
  // React keeps the existing elements. The wrapper does not affect the layout.
  return (
    <Tag
      ref={element}
      className="post-html"
      style={{ display: "contents" }}
      suppressHydrationWarning
      dangerouslySetInnerHTML={{ __html: html ?? registeredHtmlAt(index) }}
    />
  );
}
