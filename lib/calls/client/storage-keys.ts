// Defines the keys under which the player stores data in the browser, and tells whether it is open.

/** In localStorage: seconds by the recording's URL, the most recent last. */
export const PLACES_KEY = "listening-places";
/** In sessionStorage: what the tab plays. */
export const LISTENING_KEY = "listening";

/** Returns whether the player is open in this tab, or was on its previous page. */
export function isPlayerOpen(): boolean {
  try {
    return LISTENING_KEY in sessionStorage;
  } catch {
    return false; // storage is blocked
  }
}
