"use client";
// A run of HTML in the document. In the browser it takes what is already there.

import { useEffect, useRef } from "react";
import { registeredHtmlAt } from "./static-html-registry.ts";

interface Props {
  readonly html?: string;
  /** In the absence of `html`: which of the texts of this request's document it is. */
  readonly index?: number;
  readonly inline: boolean;
}

export function StaticHtmlElement({ html, index = -1, inline }: Props) {
  const Tag = inline ? "span" : "div";
  const element = useRef<HTMLDivElement & HTMLSpanElement>(null);
  useEffect(() => {
    // It came without a document, as the router takes a page that it has data of: only the whole page holds the text.
    if (html === undefined && element.current?.childNodes.length === 0) location.reload();
  }, [html]);
  // React keeps the elements that it finds, and is told that they are meant. The wrapper takes no place in the layout.
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
