"use client";
// One listener for the small things HTML can't do alone: copying code, copying a link. Renders one live region and nothing else.

import { useEffect, useRef } from "react";

const FEEDBACK_MS = 1_600;

/**
 * Handles every click on `[data-copy]` in the page. `data-copy="code"` copies the code of the figure or pre around the button,
 * any other value copies that value; an empty one the page's address.
 */
export function CopyButtons() {
  const status = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    async function onClick(event: MouseEvent) {
      const button =
        event.target instanceof Element ? event.target.closest<HTMLElement>("[data-copy]") : null;
      if (!button) return;
      const text = textToCopy(button);
      if (text === null) return;
      let said = "Copied.";
      try {
        await navigator.clipboard.writeText(text);
        button.dataset.copied = "";
        setTimeout(() => delete button.dataset.copied, FEEDBACK_MS);
      } catch {
        said = "The browser did not allow copying."; // no permission, or not https
      }
      if (status.current) status.current.textContent = said;
      setTimeout(() => status.current && (status.current.textContent = ""), FEEDBACK_MS * 2);
    }
    const listener = (event: MouseEvent) => void onClick(event);
    document.addEventListener("click", listener);
    return () => document.removeEventListener("click", listener);
  }, []);
  return <p ref={status} className="visually-hidden" role="status" />;
}

function textToCopy(button: HTMLElement): string | null {
  const value = button.dataset.copy;
  if (value === "code") {
    const pre = button.closest("figure, .code, pre")?.querySelector("pre code, code");
    return pre?.textContent ?? null;
  }
  return value || location.origin + location.pathname;
}
