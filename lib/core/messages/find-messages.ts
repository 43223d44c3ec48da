// Finds the strings of the page layout in a language.

import { parseLanguageTag } from "../language-tag.ts";
import { de } from "./de.ts";
import { type Messages, en } from "./en.ts";
import { es } from "./es.ts";

const LANGUAGES: Readonly<Record<string, Messages>> = { en, de, es };

/** Returns the strings in the language of a BCP 47 tag, ignoring region and script; or null. */
export function findMessages(tag: string): Messages | null {
  const { language } = parseLanguageTag(tag);
  return (Object.hasOwn(LANGUAGES, language) && LANGUAGES[language]) || null;
}
