"use client";
// Renders a poster with a button that loads a third-party player: nothing of the player loads before the click.

import { type ReactNode, useState, useSyncExternalStore } from "react";
import { isPlayerUrl } from "#lib/posts/link-previews/player-hosts.ts";

const subscribeToNothing = () => () => {};
/** Returns true after hydration: without JavaScript, the button would do nothing. */
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
  const isHydrated = useIsHydrated();
  const [isOpen, open] = useState(false);
  if (isOpen) {
    return (
      <iframe
        className="embed-stage"
        src={playerUrl}
        title={title}
        // Replaces the focused button.
        ref={(frame) => frame?.focus()}
        loading="lazy"
        sandbox="allow-scripts allow-same-origin allow-presentation allow-popups allow-forms"
        allow="autoplay; fullscreen; picture-in-picture; encrypted-media"
        // YouTube plays videos only with a referrer.
        referrerPolicy="strict-origin-when-cross-origin"
      />
    );
  }
  return (
    <div className="embed-stage">
      {children}
      {isHydrated && isPlayerUrl(playerUrl) && (
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
