// Remembers whether the "/" key opens the search palette.

/** Key in localStorage. "off" turns the "/" key off (WCAG 2.1.4); Ctrl+K stays on. */
const STORAGE_KEY = "search-slash";

export const slashKey = {
  isOn(): boolean {
    try {
      return localStorage.getItem(STORAGE_KEY) !== "off";
    } catch {
      return true; // storage is blocked
    }
  },
  remember(isOn: boolean): void {
    try {
      localStorage.setItem(STORAGE_KEY, isOn ? "on" : "off");
    } catch {
      // Storage is blocked: the choice lasts until the page is left.
    }
  },
};
export type SlashKey = typeof slashKey;
