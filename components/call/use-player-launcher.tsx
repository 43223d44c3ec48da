// Loads the sticky player when the listener presses a play button, or arrives from a page that was
// playing.

import { type ComponentType, useEffect, useState } from "react";
import { PLACES_KEY, isPlayerOpen } from "#lib/calls/client/storage-keys.ts";
import { findPlayControl } from "./find-play-control.ts";
import type { StickyPlayerProps } from "./sticky-player.tsx";

/** Returns whether the page has episodes that the listener may continue. */
function canContinue(): boolean {
  try {
    return PLACES_KEY in localStorage && document.querySelector("[data-play]") !== null;
  } catch {
    return false; // storage is blocked
  }
}

/** Returns the player, once it is loaded. */
export function usePlayerLauncher() {
  const [player, setPlayer] = useState<
    (StickyPlayerProps & { Player: ComponentType<StickyPlayerProps> }) | null
  >(null);
  useEffect(() => {
    const audio = new Audio();
    const load = (pressed: Element | null) =>
      import("./sticky-player.tsx").then(
        ({ StickyPlayer }) => {
          stop();
          setPlayer({ Player: StickyPlayer, audio, pressed });
        },
        () => {}, // the next click tries again
      );
    function onClick(event: MouseEvent) {
      const pressed = findPlayControl(event);
      if (!pressed) return;
      event.preventDefault();
      // Safari plays only an element that was loaded during a press.
      audio.load();
      void load(pressed);
    }
    const stop = () => document.removeEventListener("click", onClick);
    document.addEventListener("click", onClick);
    if (isPlayerOpen() || canContinue()) void load(null);
    return stop;
  }, []);
  return player && <player.Player audio={player.audio} pressed={player.pressed} />;
}
