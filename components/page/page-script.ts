// Starts the behavior of a page in the browser, on pages without React
// (docs/decisions/064-pages-without-react.md). scripts/build-page-script.ts bundles it.

import { enhanceElement } from "#components/post/enhance-element.ts";
import { startReading } from "#components/post/start-reading.ts";
import { isPlainClick } from "#components/ui/is-plain-click.ts";
import { isPlayerOpen } from "#lib/calls/client/storage-keys.ts";
import { startPage } from "./start-page.ts";

/** Starts search as you type in the list of posts, which works without it as a form with links. */
async function startPosts(): Promise<void> {
  const list = document.querySelector<HTMLElement>("[data-post-search]");
  if (!list) return;
  const { startPostList } = await import("#components/post/load-post-list.ts");
  startPostList(list, { isPlainClick });
}

/** Loads the page with React, which the player needs (docs/decisions/063-sticky-player.md). */
function reloadWithPlayer(): void {
  const url = new URL(location.href);
  url.searchParams.set("listening", "");
  location.replace(url);
}

// The back/forward cache may restore a page from before the player was opened.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted && isPlayerOpen()) reloadWithPlayer();
});
if (isPlayerOpen()) reloadWithPlayer();
else {
  startPage();
  startReading();
  for (const element of document.querySelectorAll<HTMLElement>("[data-enhance]"))
    enhanceElement(element);
  void startPosts().catch(() => {});
}
