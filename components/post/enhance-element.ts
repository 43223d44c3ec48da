// Loads and runs a script that enhances an element of a post. Few posts need one, and every post works
// without it.

const SCRIPTS = {
  tabs: () => import("./enhance-tabs.ts"),
  player: () => import("./enhance-player.ts"),
};

export type EnhancingScript = keyof typeof SCRIPTS;

/** Runs the script that `data-enhance` names. Does nothing with another name. */
export function enhanceElement(element: HTMLElement): void {
  const name = element.dataset.enhance ?? "";
  if (!Object.hasOwn(SCRIPTS, name)) return;
  SCRIPTS[name as EnhancingScript]().then(
    ({ enhance }) => element.isConnected && enhance(element),
    // Without the script, all tab panels are visible, with their titles.
    () => element.closest(".tabs")?.setAttribute("data-ready", ""),
  );
}
