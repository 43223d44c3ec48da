"use client";
// Runs the scripts of every page that React hydrates. All these pages load this file, so rarely used
// code is loaded on demand.

import { useEffect } from "react";
import { usePlayerLauncher } from "#components/call/use-player-launcher.tsx";
import { startPage } from "#components/page/start-page.ts";

/** Renders the player while something is open in it. */
export function LayoutScripts() {
  useEffect(startPage, []);
  return usePlayerLauncher();
}
