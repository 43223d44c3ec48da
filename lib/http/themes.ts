// Names the themes, and the key that stores the reader's choice. Apart from the script that applies
// it (theme-script.ts), so that the browser doesn't load that again.

/** `system` follows the device and stores nothing. */
export const THEMES = ["light", "dark", "system"] as const;
export type Theme = (typeof THEMES)[number];

/** Key in localStorage. The choice never leaves the browser. */
export const THEME_STORAGE_KEY = "theme";
