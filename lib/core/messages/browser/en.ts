// The English strings of the search palette and the player.

import { formatDate, pluralize } from "#lib/core/format.ts";

export const en = {
  search: {
    name: "Search",
    field: "Search this site",
    close: "Close",
    results: "Results",
    allResults: "All results",
    failed: "Search isn’t responding. Press Enter to try again.",
    slashKey: "Open with",
    alsoWorks: "also works",
    date: formatDate,
    post: "Post",
    page: "Page",
    episode: (number: number) => `Episode ${number}`,
    noResults: (q: string) => `No results for “${q}”`,
    count: (total: number, q: string) =>
      `${total === 1 ? "1 result" : `${total} results`} for “${q}”`,
    approximate: (total: number, q: string) =>
      `No exact matches for “${q}”. ${total === 1 ? "1 result" : `${total} results`} with similar words`,
  },
  player: {
    name: "Player",
    play: "Play",
    pause: "Pause",
    back: "Back 15 seconds",
    forward: "Forward 30 seconds",
    position: "Position",
    positionOf: (position: string, length: string) => `${position} of ${length}`,
    /** For screen readers, which read "1:12" as a time of day. */
    duration: (minutes: number, seconds: number) =>
      minutes === 0
        ? pluralize(seconds, "second")
        : `${pluralize(minutes, "minute")} ${pluralize(seconds, "second")}`,
    speed: "Speed",
    close: "Close the player",
    continueAt: (time: string) => `Continue at ${time}`,
    failed: "We couldn’t play this recording.",
    download: "Download it instead",
  },
};

/** Every language has the same strings. */
export type BrowserMessages = typeof en;
