// Starts the behavior of a page in the browser, on pages without React
// (docs/decisions/064-pages-without-react.md). scripts/build-page-script.ts bundles it.

import { startReading } from "#components/post/start-reading.ts";
import { isPlayerOpen } from "#lib/calls/client/storage-keys.ts";
import { startPage } from "./start-page.ts";

// The player needs React (docs/decisions/063-sticky-player.md), which Next sends if there is a query.
if (isPlayerOpen()) location.replace(`${location.pathname}?listening${location.hash}`);
else {
  startPage();
  startReading();
}
