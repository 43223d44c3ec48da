// A run of ready HTML from the compiler: one node for React, however long it is.

import { HtmlRun } from "./html-run.tsx";
import { keepRun } from "./html-runs.ts";

/** `html` was written by lib/mdx, which escapes what authors wrote; nothing else may come in here. */
export function Html({ html, inline = false }: { html: string; inline?: boolean }) {
  const place = keepRun(html);
  return place === null ? (
    <HtmlRun html={html} inline={inline} />
  ) : (
    <HtmlRun place={place} inline={inline} />
  );
}
