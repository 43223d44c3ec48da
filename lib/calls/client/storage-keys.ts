// Defines the keys under which the player stores data in the browser.

/** In localStorage: seconds by the recording's URL, the most recent last. */
export const PLACES_KEY = "listening-places";
/** In sessionStorage: what the tab plays. */
export const LISTENING_KEY = "listening";
