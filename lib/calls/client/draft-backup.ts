// The newest words of a draft, while its database is still writing them: what a page that is being left has begun there, the
// browser may drop. This is written before the page goes on, and goes as soon as the database has it.

import { DRAFT_TTL_DAYS } from "./recording-draft.ts";

const STORAGE_PREFIX = "lectern-words/";

export type DraftTexts = Readonly<Record<string, string>>;

export function saveBackup(key: string, texts: DraftTexts, nowMs: number): void {
  try {
    localStorage.setItem(STORAGE_PREFIX + key, JSON.stringify({ texts, savedAtMs: nowMs }));
  } catch {
    // Blocked or full: the database alone has them, a moment later.
  }
}

export function clearBackup(key: string): void {
  try {
    localStorage.removeItem(STORAGE_PREFIX + key);
  } catch {
    // Nothing was held either.
  }
}

/** The words held under `key`, null when they are older than `sinceMs` or there are none. Drops those of any draft that are too old. */
export function loadBackup(key: string, sinceMs: number, nowMs: number): DraftTexts | null {
  let found: DraftTexts | null = null;
  try {
    for (const name of Object.keys(localStorage).filter((name) =>
      name.startsWith(STORAGE_PREFIX),
    )) {
      const held = JSON.parse(localStorage.getItem(name) ?? "null") as {
        texts: DraftTexts;
        savedAtMs: number;
      } | null;
      if (!held || held.savedAtMs < nowMs - DRAFT_TTL_DAYS * 86_400_000)
        localStorage.removeItem(name);
      else if (name === STORAGE_PREFIX + key && held.savedAtMs >= sinceMs) found = held.texts;
    }
  } catch {
    // Blocked, or not ours: as if there were none.
  }
  return found;
}
