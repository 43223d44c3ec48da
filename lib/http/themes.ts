// Defines the themes, and the storage key of the reader's choice. Separate from theme-script.ts, so
// that the page script doesn't include that inline script.

/** `system` follows the device and stores nothing. */
export const THEMES = ["light", "dark", "system"] as const;
export type Theme = (typeof THEMES)[number];

/** Key in localStorage. The choice never leaves the browser. */
export const THEME_STORAGE_KEY = "theme";
