// Names what the player stores in the browser.

/** In localStorage: seconds by the recording's URL, the most recent last. */
export const PLACES_KEY = "listening-places";
/** In sessionStorage: what the tab plays. */
export const LISTENING_KEY = "listening";
