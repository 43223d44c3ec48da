// Renders a part of a page that differs between readers. On a shared page, it is marked, so that the
// server can replace it (docs/decisions/056-personal-parts.md).

import type { ReactNode } from "react";
import { StaticHtml } from "./static-html.tsx";
import { isRenderRequest } from "#lib/core/render-request.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { markPart } from "#lib/http/page-template.ts";
import { type StaticRenderer, findStaticRenderer } from "./static-renderer.ts";

interface Props {
  readonly name: string;
  /** Only elements without state, effects or handlers: the browser keeps their HTML unchanged. */
  readonly children: ReactNode;
  readonly inline?: boolean;
}

export function PersonalPart({ name, children, inline = false }: Props) {
  const render = findStaticRenderer();
  const request = currentRequestContext()?.request;
  // Outside a request, as in a build or a test, nothing replaces it. React's data alone has elements,
  // so that React keeps those that don't change.
  if (!render || !request || request.headers.rsc) return children;
  const html = renderPart(render, children);
  return (
    <StaticHtml
      html={isRenderRequest(request.headers) ? markPart(name, html) : html}
      inline={inline}
    />
  );
}

/** Returns the HTML of a part, never empty: StaticHtml would reload an empty element. */
export const renderPart = (render: StaticRenderer, element: ReactNode): string =>
  render(element) || "<!---->";
