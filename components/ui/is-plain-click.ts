// Tells a click that follows a link in this tab from one that opens or saves it elsewhere.

type Click = Pick<
  MouseEvent,
  "button" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey" | "defaultPrevented"
>;

/** Returns whether the primary button was used without a modifier key, and nothing has handled it. */
export const isPlainClick = (click: Click): boolean =>
  click.button === 0 &&
  !(click.ctrlKey || click.metaKey || click.shiftKey || click.altKey || click.defaultPrevented);
