"use client";
// Keeps what is typed into a form with the draft, and puts it back.

import { type RefObject, useCallback, useEffect } from "react";

const SAVE_DELAY_MS = 400;

type TextInput = HTMLInputElement | HTMLTextAreaElement;

function findTextField(form: HTMLFormElement | null | undefined, name: string): TextInput | null {
  const field = form?.elements.namedItem(name);
  return field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement ? field : null;
}

/** Calls `keep` with the fields `names` a moment after they change, and at once when the page is hidden or the form is sent. What it returns fills those that are empty. */
export function useDraftFields(
  root: RefObject<HTMLElement | null>,
  names: readonly string[],
  keep: (texts: Record<string, string>) => void,
) {
  const list = names.join(" ");
  useEffect(() => {
    const form = root.current?.closest("form");
    if (!form || !list) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const now = () => {
      clearTimeout(timer);
      timer = undefined;
      keep(
        Object.fromEntries(
          list.split(" ").map((name) => [name, findTextField(form, name)?.value ?? ""]),
        ),
      );
    };
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(now, SAVE_DELAY_MS);
    };
    const onLeave = () => timer !== undefined && now();
    form.addEventListener("input", soon);
    // Before the recording and the form set out: whatever becomes of the answer, the words are here.
    form.addEventListener("submit", onLeave);
    addEventListener("pagehide", onLeave);
    document.addEventListener("visibilitychange", onLeave);
    return () => {
      // Not written at the very end: the form may just have been stored, and its draft removed.
      clearTimeout(timer);
      form.removeEventListener("input", soon);
      form.removeEventListener("submit", onLeave);
      removeEventListener("pagehide", onLeave);
      document.removeEventListener("visibilitychange", onLeave);
    };
  }, [root, list, keep]);

  return useCallback(
    (texts: Readonly<Record<string, string>>) => {
      const form = root.current?.closest("form");
      for (const name of list.split(" ")) {
        const field = findTextField(form, name);
        const text = texts[name];
        if (!field || !text || field.value) continue;
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    },
    [root, list],
  );
}
