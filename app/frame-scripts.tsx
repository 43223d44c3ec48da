"use client";
// Runs the scripts of every page that React hydrates. One component, and what few readers use is loaded
// when they use it, because all of these pages load this.

import { useEffect } from "react";
import { usePlayerLauncher } from "#components/call/use-player-launcher.tsx";
import { startPage } from "#components/page/start-page.ts";

/** Renders the player while something is open in it. */
export function FrameScripts() {
  useEffect(startPage, []);
  return usePlayerLauncher();
}
