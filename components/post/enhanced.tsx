"use client";
// Renders an element of a post that a script enhances. Starts the script if React hydrates the page.

import { type ComponentProps, useEffect, useRef } from "react";
import { type EnhancingScript, enhanceElement } from "./enhance-element.ts";

export function Enhanced({
  script,
  ...attributes
}: ComponentProps<"div"> & { readonly script: EnhancingScript }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => enhanceElement(element.current!), [script]);
  return <div ref={element} data-enhance={script} {...attributes} />;
}
