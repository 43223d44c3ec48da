"use client";
// Handles the copy and wrap buttons of code blocks with one listener. Renders only a live region.

import { useEffect, useRef } from "react";

const FEEDBACK_MS = 1_600;

/**
 * Handles clicks on `[data-copy]`: "code" copies the code around the button, an empty value copies the page's URL, and
 * any other value is copied as it is.
 */
export function CopyButtons({ copied, copyFailed }: { copied: string; copyFailed: string }) {
  const status = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    async function onClick(event: MouseEvent) {
      const wrap = event.target instanceof Element && event.target.closest("[data-wrap]");
      if (wrap) return toggleWrap(wrap as HTMLElement);
      const button =
        event.target instanceof Element ? event.target.closest<HTMLElement>("[data-copy]") : null;
      if (!button) return;
      const text = textToCopy(button);
      if (text === null) return;
      let message = `${copied}.`;
      try {
        await navigator.clipboard.writeText(text);
        showCopied(button, copied);
      } catch {
        // No permission, or not https.
        message = copyFailed;
      }
      if (status.current) status.current.textContent = message;
      setTimeout(() => status.current && (status.current.textContent = ""), FEEDBACK_MS * 2);
    }
    const listener = (event: MouseEvent) => void onClick(event);
    document.addEventListener("click", listener);
    return () => document.removeEventListener("click", listener);
  }, [copied, copyFailed]);
  return <p ref={status} className="visually-hidden" role="status" />;
}

/** Shows `copied` on the button for a moment, and in its accessible name. */
function showCopied(button: HTMLElement, copied: string): void {
  if (button.dataset.copied !== undefined) return;
  const { textContent: text, ariaLabel: label } = button;
  const hasTextOnly = button.childElementCount === 0;
  button.dataset.copied = "";
  if (hasTextOnly) button.textContent = copied;
  if (label) button.ariaLabel = copied;
  setTimeout(() => {
    delete button.dataset.copied;
    if (hasTextOnly) button.textContent = text;
    button.ariaLabel = label;
  }, FEEDBACK_MS);
}

/** Toggles between wrapping and scrolling the long lines of the button's code block. */
function toggleWrap(button: HTMLElement): void {
  const code = button.closest(".code");
  const isWrapped = code?.toggleAttribute("data-wrapped") ?? false;
  button.setAttribute("aria-pressed", String(isWrapped));
}

function textToCopy(button: HTMLElement): string | null {
  const value = button.dataset.copy;
  if (value === "code") {
    const pre = button.closest("figure, .code, pre")?.querySelector("pre code, code");
    return pre?.textContent ?? null;
  }
  return value || location.origin + location.pathname;
}
