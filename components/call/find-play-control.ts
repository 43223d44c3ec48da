// Finds the play button or the transcript's timestamp that a click activates.

/** Returns null for other clicks, and for those that open the link in a new tab or window. */
export function findPlayControl(event: MouseEvent): Element | null {
  const { target, button, ctrlKey, metaKey, shiftKey } = event;
  if (button || ctrlKey || metaKey || shiftKey || !(target instanceof Element)) return null;
  return target.closest("[data-play],[data-plays]");
}
