// Handles the copy and wrap buttons of code blocks with one listener.

const FEEDBACK_MS = 1_600;

/**
 * Handles clicks on `[data-copy]`: "code" copies the code around the button, an empty value copies the page's URL, and
 * any other value is copied as it is. The live region of copy-status.tsx says whether it worked. Returns a function
 * that stops it.
 */
export function startCopyButtons(): () => void {
  async function onClick({ target }: MouseEvent) {
    if (!(target instanceof Element)) return;
    const wrap = target.closest<HTMLElement>("[data-wrap]");
    if (wrap) return toggleWrap(wrap);
    const button = target.closest<HTMLElement>("[data-copy]");
    const text = button && textToCopy(button);
    const status = document.querySelector<HTMLElement>("[data-copy-failed]");
    if (text === null || !status) return;
    const { copiedText = "", copyFailed = "" } = status.dataset;
    try {
      await navigator.clipboard.writeText(text);
      showCopied(button!, copiedText);
      status.textContent = `${copiedText}.`;
    } catch {
      // No permission, or not https.
      status.textContent = copyFailed;
    }
    setTimeout(() => (status.textContent = ""), FEEDBACK_MS * 2);
  }
  const listener = (event: MouseEvent) => void onClick(event);
  document.addEventListener("click", listener);
  return () => document.removeEventListener("click", listener);
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
