"use client";
// Runs a script on an element of a post, and loads it only then: few posts need one, and a post can do
// without.

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
      // Without the script, all panels of tabs are visible, with their titles.
      () => element.current?.closest(".tabs")?.setAttribute("data-ready", ""),
    );
  }, [script]);
  return <div ref={element} {...attributes} />;
}
