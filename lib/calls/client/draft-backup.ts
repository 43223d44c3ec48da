// Backs up a draft's latest texts in localStorage, because IndexedDB may be missing or full, and
// browsers may drop its writes during unload. localStorage is synchronous.

import { DRAFT_TTL_MS, type DraftTexts } from "./recording-draft.ts";

const STORAGE_PREFIX = "lectern-words/";

interface Backup {
  readonly texts: DraftTexts;
  readonly savedAtMs: number;
}

/** Saves the texts. Does nothing if storage is blocked or full. */
export function saveBackup(key: string, texts: DraftTexts, nowMs: number): void {
  try {
    const backup: Backup = { texts, savedAtMs: nowMs };
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

/**
 * Returns the texts under `key`, or null if there are none or they were saved before `sinceMs`.
 * Removes expired backups of all drafts.
 */
export function loadBackup(key: string, sinceMs: number, nowMs: number): DraftTexts | null {
  let texts: DraftTexts | null = null;
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(STORAGE_PREFIX));
    for (const name of names) {
      const backup = JSON.parse(localStorage.getItem(name) ?? "null") as Backup | null;
      if (!backup || backup.savedAtMs < nowMs - DRAFT_TTL_MS) localStorage.removeItem(name);
      else if (name === STORAGE_PREFIX + key && backup.savedAtMs >= sinceMs) texts = backup.texts;
    }
  } catch {
    // Storage is blocked or contains invalid JSON.
  }
  return texts;
}
