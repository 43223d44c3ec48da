"use client";
// Handles copy buttons with one listener. Renders only a live region.

import { useEffect, useRef } from "react";

const FEEDBACK_MS = 1_600;

/**
 * Handles clicks on `[data-copy]`: "code" copies the code around the button, an empty value copies the page's URL, and
 * any other value is copied as it is.
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
      let message = "Copied.";
      try {
        await navigator.clipboard.writeText(text);
        button.dataset.copied = "";
        setTimeout(() => delete button.dataset.copied, FEEDBACK_MS);
      } catch {
        // No permission, or not https.
        message = "Couldn’t copy. Your browser blocked clipboard access.";
      }
      if (status.current) status.current.textContent = message;
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
