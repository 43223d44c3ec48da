"use client";
// The button over a poster that swaps in a stranger's player: nothing of theirs loads before the click.

import { type ReactNode, useState, useSyncExternalStore } from "react";
import { isPlayerUrl } from "#lib/posts/link-previews/player-hosts.ts";

const subscribeToNothing = () => () => {};
/** True in a browser once this runs: without JavaScript there is no button that does nothing. */
const useIsHydrated = () =>
  useSyncExternalStore(
    subscribeToNothing,
    () => true,
    () => false,
  );

export function EmbedPlayer({
  playerUrl,
  title,
  action,
  from,
  children,
}: {
  playerUrl: string;
  title: string;
  action: string;
  from: string;
  children: ReactNode;
}) {
  const isLive = useIsHydrated();
  const [isOpen, open] = useState(false);
  if (isOpen) {
    return (
      <iframe
        className="embed-stage"
        src={playerUrl}
        title={title}
        // The button that had the focus is gone; keys belong to the player now.
        ref={(frame) => frame?.focus()}
        loading="lazy"
        sandbox="allow-scripts allow-same-origin allow-presentation allow-popups allow-forms"
        allow="autoplay; fullscreen; picture-in-picture; encrypted-media"
        // YouTube plays nothing for a site that does not name itself.
        referrerPolicy="strict-origin-when-cross-origin"
      />
    );
  }
  return (
    <div className="embed-stage">
      {children}
      {isLive && isPlayerUrl(playerUrl) && (
        <button
          type="button"
          className="embed-play"
          onClick={() => open(true)}
          aria-label={`${action}: ${title}. Loads from ${from}.`}
        >
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path d="M4 2.5v11l9-5.5z" fill="currentColor" />
          </svg>
          {action}
        </button>
      )}
    </div>
  );
}
