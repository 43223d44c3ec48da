// Backs up a draft's latest texts in localStorage, because IndexedDB may be missing or full, and
// browsers may drop its writes during unload. localStorage is synchronous.

import { DRAFT_TTL_MS, type DraftTexts, type RecordingDraft } from "./recording-draft.ts";

const STORAGE_PREFIX = "lectern-words/";

interface Backup {
  readonly formId: string;
  readonly texts: DraftTexts;
  readonly savedAtMs: number;
}

/** Saves the texts. Does nothing if storage is blocked or full. */
export function saveBackup({ key, formId, texts, savedAtMs }: RecordingDraft): void {
  try {
    const backup: Backup = { formId, texts, savedAtMs };
    localStorage.setItem(STORAGE_PREFIX + key, JSON.stringify(backup));
  } catch {
    // Storage is blocked or full. IndexedDB still gets the texts.
  }
}

export function clearBackup(key: string): void {
  try {
    localStorage.removeItem(STORAGE_PREFIX + key);
  } catch {
    // Storage is blocked, so there is no backup to remove.
  }
}

/** Removes the backups of a form that has been submitted. */
export function clearSentBackups(formId: string): void {
  try {
    for (const [name, backup] of listBackups())
      if (backup?.formId === formId) localStorage.removeItem(name);
  } catch {
    // Storage is blocked or contains invalid JSON.
  }
}

/**
 * Returns the texts under `key`, or null if there are none or they were saved before `sinceMs`.
 * Removes expired backups of all drafts.
 */
export function loadBackup(key: string, sinceMs: number, nowMs: number): DraftTexts | null {
  let texts: DraftTexts | null = null;
  try {
    for (const [name, backup] of listBackups()) {
      if (!backup || backup.savedAtMs < nowMs - DRAFT_TTL_MS) localStorage.removeItem(name);
      else if (name === STORAGE_PREFIX + key && backup.savedAtMs >= sinceMs) texts = backup.texts;
    }
  } catch {
    // Storage is blocked or contains invalid JSON.
  }
  return texts;
}

const listBackups = (): [string, Backup | null][] =>
  Object.keys(localStorage)
    .filter((name) => name.startsWith(STORAGE_PREFIX))
    .map((name) => [name, JSON.parse(localStorage.getItem(name) ?? "null") as Backup | null]);
