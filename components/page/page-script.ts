// Starts the behavior of a page in the browser, on pages without React
// (docs/decisions/064-pages-without-react.md). scripts/build-page-script.ts bundles it.

import { startReading } from "#components/post/start-reading.ts";
import { LISTENING_KEY } from "#lib/calls/client/storage-keys.ts";
import { startPage } from "./start-page.ts";

function isListening(): boolean {
  try {
    return LISTENING_KEY in sessionStorage;
  } catch {
    return false; // storage is blocked
  }
}

// The player needs React (docs/decisions/063-sticky-player.md), which Next sends if there is a query.
if (isListening()) location.replace(`${location.pathname}?listening${location.hash}`);
else {
  startPage();
  startReading();
}
