// Distinguishes clicks that follow a link in this tab from those that open it elsewhere or save it.

type Click = Pick<
  MouseEvent,
  "button" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey" | "defaultPrevented"
>;

/** Returns true for an unhandled click with the primary button and no modifier key. */
export const isPlainClick = (click: Click): boolean =>
  click.button === 0 &&
  !(click.ctrlKey || click.metaKey || click.shiftKey || click.altKey || click.defaultPrevented);
