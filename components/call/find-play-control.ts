// Finds the play button or the transcript's timestamp that a click activates.

import { isPlainClick } from "#components/ui/is-plain-click.ts";

/** Returns null for other clicks, and for those that open the link in a new tab or window. */
export function findPlayControl(event: MouseEvent): Element | null {
  if (!isPlainClick(event) || !(event.target instanceof Element)) return null;
  return event.target.closest("[data-play],[data-plays]");
}
