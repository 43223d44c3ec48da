"use client";
// Saves the text fields of a form with the draft, and restores them.

import { type RefObject, useCallback, useEffect } from "react";
import type { DraftTexts } from "#lib/calls/client/recording-draft.ts";

const SAVE_DELAY_MS = 400;

type TextInput = HTMLInputElement | HTMLTextAreaElement;

function findTextField(form: HTMLFormElement | null | undefined, name: string): TextInput | null {
  const field = form?.elements.namedItem(name);
  return field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement ? field : null;
}

/**
 * Calls `save` with the fields `names` shortly after they change, and immediately when the page is
 * hidden or the form is submitted.
 * Returns a stable function that fills the empty ones.
 */
export function useDraftFields(
  root: RefObject<HTMLElement | null>,
  names: readonly string[],
  save: (texts: DraftTexts) => void,
): (texts: DraftTexts) => void {
  const nameList = names.join(" ");
  useEffect(() => {
    const form = root.current?.closest("form");
    if (!form || !nameList) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const saveNow = () => {
      clearTimeout(timer);
      timer = undefined;
      save(
        Object.fromEntries(
          nameList.split(" ").map((name) => [name, findTextField(form, name)?.value ?? ""]),
        ),
      );
    };
    const saveSoon = () => {
      clearTimeout(timer);
      timer = setTimeout(saveNow, SAVE_DELAY_MS);
    };
    const savePending = () => timer !== undefined && saveNow();
    form.addEventListener("input", saveSoon);
    form.addEventListener("submit", savePending);
    addEventListener("pagehide", savePending);
    document.addEventListener("visibilitychange", savePending);
    return () => {
      // Not saved on unmount, because the form may have been stored and its draft removed.
      clearTimeout(timer);
      form.removeEventListener("input", saveSoon);
      form.removeEventListener("submit", savePending);
      removeEventListener("pagehide", savePending);
      document.removeEventListener("visibilitychange", savePending);
    };
  }, [root, nameList, save]);

  return useCallback(
    (texts: DraftTexts) => {
      const form = root.current?.closest("form");
      for (const name of nameList.split(" ")) {
        const field = findTextField(form, name);
        const text = texts[name];
        if (!field || !text || field.value) continue;
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    },
    [root, nameList],
  );
}
