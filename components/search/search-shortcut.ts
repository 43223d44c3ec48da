// Opens the search palette on "/", Ctrl+K or a click on a search link. Loads the palette only then.

import { isPlainClick } from "#components/ui/is-plain-click.ts";
import { slashKey } from "./slash-key.ts";

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("input, textarea, select"));

function isShortcut(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing || event.altKey || isTyping(event.target))
    return false;
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === "k" && !event.shiftKey;
  return event.key === "/" && slashKey.isOn();
}

const isPlainClickOnSearchLink = (event: MouseEvent): boolean =>
  isPlainClick(event) &&
  event.target instanceof Element &&
  event.target.closest("a[data-search]") !== null;

function open(event: Event): void {
  event.preventDefault();
  import("./search-palette.ts").then(
    ({ openPalette }) => openPalette(slashKey),
    () => location.assign("/search"),
  );
}

/** Returns a function that stops it. */
export function startSearchShortcut(): () => void {
  const onKeyDown = (event: KeyboardEvent) => isShortcut(event) && open(event);
  const onClick = (event: MouseEvent) => isPlainClickOnSearchLink(event) && open(event);
  document.addEventListener("keydown", onKeyDown);
  document.addEventListener("click", onClick);
  return () => {
    document.removeEventListener("keydown", onKeyDown);
    document.removeEventListener("click", onClick);
  };
}
