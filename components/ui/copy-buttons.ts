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
      showResult(button!, copiedText, true);
      status.textContent = `${copiedText}.`;
    } catch {
      // No permission, or not https.
      status.textContent = copyFailed;
      // The button has room only for the first clause.
      showResult(button!, copyFailed.split(/[.:]/)[0]!, false);
    }
    setTimeout(() => (status.textContent = ""), FEEDBACK_MS * 2);
  }
  const listener = (event: MouseEvent) => void onClick(event);
  document.addEventListener("click", listener);
  return () => document.removeEventListener("click", listener);
}

/** Shows `result` on the button for a moment, and in its accessible name. */
function showResult(button: HTMLElement, result: string, isCopied: boolean): void {
  if (button.dataset.copied !== undefined) return;
  const { ariaLabel } = button;
  const label = button.lastChild!; // after the icon, if there is one
  const { textContent } = label;
  button.dataset.copied = String(isCopied);
  label.textContent = result;
  if (ariaLabel) button.ariaLabel = result;
  setTimeout(() => {
    delete button.dataset.copied;
    label.textContent = textContent;
    button.ariaLabel = ariaLabel;
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
