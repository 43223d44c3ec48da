"use client";
// Runs the scripts of every page: copy buttons, theme, search palette and player. One component, and what
// few readers use is loaded when they use it, because every page loads this.

import { useEffect, useRef } from "react";
import { usePlayerLauncher } from "#components/call/use-player-launcher.tsx";
import { useSearchPalette } from "#components/search/use-search-palette.tsx";
import { handleCopyButtons } from "#components/ui/copy-buttons.ts";
import { handleThemeRadios } from "#components/ui/theme-radios.ts";

async function completeBanner(): Promise<void> {
  const banner = document.querySelector<HTMLElement>(".instance-banner");
  if (!banner) return;
  const script = await import("#components/cluster/complete-instance-banner.ts");
  await script.completeInstanceBanner(banner);
}

export function FrameScripts({ copied, copyFailed }: { copied: string; copyFailed: string }) {
  const status = useRef<HTMLParagraphElement>(null);
  useEffect(() => handleCopyButtons(status.current!, { copied, copyFailed }), [copied, copyFailed]);
  useEffect(handleThemeRadios, []);
  // The banner is for admins of a cluster, and not worth an error.
  useEffect(() => void completeBanner().catch(() => {}), []);
  const palette = useSearchPalette();
  const player = usePlayerLauncher();
  return (
    <>
      <p ref={status} className="visually-hidden" role="status" />
      {palette}
      {player}
    </>
  );
}
