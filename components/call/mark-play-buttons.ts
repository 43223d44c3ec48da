// Shows on the page's play buttons what the sticky player plays, and where the listener stopped.

import { type Program, findPlace } from "#lib/calls/client/listening.ts";
import { formatDuration } from "#lib/core/format.ts";
import { findBrowserMessages } from "#lib/core/messages/browser/find-browser-messages.ts";

/** `src` is the recording that is open, or null. */
export function markPlayButtons(src: string | null, isPlaying: boolean): void {
  const { continueAt } = findBrowserMessages().player;
  for (const button of document.querySelectorAll<HTMLElement>("[data-play]")) {
    const { tracks, index } = JSON.parse(button.dataset.play!) as Program;
    const candidates = index === undefined ? tracks : [tracks[index]!];
    const isOpen = candidates.some((track) => track.src === src);
    if (button.hasAttribute("data-playing") !== (isOpen && isPlaying)) {
      button.toggleAttribute("data-playing");
      const label = button.ariaLabel!;
      button.ariaLabel = button.dataset.otherLabel!;
      button.dataset.otherLabel = label;
    }
    const placeS = isOpen ? 0 : Math.max(...candidates.map((track) => findPlace(track.src)));
    const note = button.closest(".player, .post-line")?.querySelector("[data-place]");
    if (note)
      note.textContent = placeS > 0 ? continueAt(formatDuration(placeS * 1_000, "position")) : "";
  }
}
