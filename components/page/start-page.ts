// Starts the behavior of every page in the browser, with and without React. Rarely used code is
// loaded on demand.

import { startSearchShortcut } from "#components/search/search-shortcut.ts";
import { startCopyButtons } from "#components/ui/copy-buttons.ts";
import { handleThemeRadios } from "#components/ui/theme-radios.ts";

/** The banner is for admins of a cluster, and not worth an error. */
async function completeBanner(): Promise<void> {
  const banner = document.querySelector<HTMLElement>(".instance-banner");
  if (!banner) return;
  const script = await import("#components/cluster/complete-instance-banner.ts");
  await script.completeInstanceBanner(banner);
}

/** Returns a function that stops it. */
export function startPage(): () => void {
  void completeBanner().catch(() => {});
  const stops = [handleThemeRadios(), startCopyButtons(), startSearchShortcut()];
  return () => stops.forEach((stop) => stop());
}
