// Opens the search palette on "/", Ctrl+K or a click on a search link. Loads the palette only then.

import { type ComponentType, useEffect, useState } from "react";
import { isSlashKeyOn } from "./slash-key.ts";

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("input, textarea, select"));

function isShortcut(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing || event.altKey || isTyping(event.target))
    return false;
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === "k" && !event.shiftKey;
  return event.key === "/" && isSlashKeyOn();
}

function isPlainPressOnSearchLink(event: MouseEvent): boolean {
  const { button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented, target } = event;
  return (
    !(button || ctrlKey || metaKey || shiftKey || altKey || defaultPrevented) &&
    target instanceof Element &&
    target.closest("a[data-search]") !== null
  );
}

/** Returns the palette while it is open. */
export function useSearchPalette() {
  const [Palette, setPalette] = useState<ComponentType<{ onClose: () => void }> | null>(null);
  useEffect(() => {
    function open(event: Event) {
      event.preventDefault();
      import("./search-palette.tsx").then(
        ({ SearchPalette }) => setPalette(() => SearchPalette),
        () => location.assign("/search"),
      );
    }
    const onKeyDown = (event: KeyboardEvent) => isShortcut(event) && open(event);
    const onClick = (event: MouseEvent) => isPlainPressOnSearchLink(event) && open(event);
    document.addEventListener("keydown", onKeyDown);
    document.addEventListener("click", onClick);
    return () => {
      document.removeEventListener("keydown", onKeyDown);
      document.removeEventListener("click", onClick);
    };
  }, []);
  return Palette && <Palette onClose={() => setPalette(null)} />;
}
