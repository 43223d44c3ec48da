"use client";
// Loads a script that enhances an element of a post, and runs it. Few posts need one, and each works
// without it.

import { type ComponentProps, useEffect, useRef } from "react";

const SCRIPTS = {
  tabs: () => import("./enhance-tabs.ts"),
  player: () => import("./enhance-player.ts"),
};

export function Enhanced({
  script,
  ...attributes
}: ComponentProps<"div"> & { readonly script: keyof typeof SCRIPTS }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    SCRIPTS[script]().then(
      ({ enhance }) => element.current && enhance(element.current),
      // Without the script, all tab panels are visible, with their titles.
      () => element.current?.closest(".tabs")?.setAttribute("data-ready", ""),
    );
  }, [script]);
  return <div ref={element} {...attributes} />;
}
