// A run of ready HTML from the compiler: one node for React, however long it is.

/** `html` was written by lib/mdx, which escapes what authors wrote; nothing else may come in here. */
export function Html({ html, inline = false }: { html: string; inline?: boolean }) {
  const Tag = inline ? "span" : "div";
  // The wrapper is there for React only: it takes no place in the layout.
  return <Tag className="post-html" style={{ display: "contents" }} dangerouslySetInnerHTML={{ __html: html }} />;
}
