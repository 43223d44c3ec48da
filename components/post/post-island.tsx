// Renders an interactive component of a post: registers its code and passes its children as data.

import { isValidElement, type ElementType, type ReactElement, type ReactNode } from "react";
import { jsx } from "react/jsx-runtime";
import { IslandElement } from "./island-element.tsx";
import type { IslandProps } from "./island-module.ts";
import { StaticHtml } from "#components/ui/static-html.tsx";

/** The compiler writes this element into posts with code. */
export function PostIsland({ children, ...props }: IslandProps) {
  return <IslandElement {...props}>{toDataHtml(children)}</IslandElement>;
}

/** An island may show its children later, when the document no longer has their HTML. */
function toDataHtml(node: ReactNode): ReactNode {
  if (Array.isArray(node)) return node.map(toDataHtml);
  if (!isValidElement(node)) return node;
  const { type, key, props } = node as ReactElement<{ children?: ReactNode }>;
  if (type === StaticHtml)
    return jsx(StaticHtml, { ...(props as { html: string }), asData: true }, key ?? undefined);
  if (props.children === undefined) return node;
  return jsx(
    type as ElementType,
    { ...props, children: toDataHtml(props.children) },
    key ?? undefined,
  );
}
