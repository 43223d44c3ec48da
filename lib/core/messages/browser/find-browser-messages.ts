// Finds the strings for a page's scripts in the page's language.

import { de } from "./de.ts";
import { type BrowserMessages, en } from "./en.ts";
import { es } from "./es.ts";

/** Returns the strings in the language of the document, or else in English. */
export function findBrowserMessages(lang = document.documentElement.lang): BrowserMessages {
  return { de, es }[lang.split("-")[0]!.toLowerCase()] ?? en;
}
