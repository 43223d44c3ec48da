// Describes the language of a post to browsers: its tag and its direction.

import type { FrontMatter } from "./source/front-matter.ts";

/** ISO 15924 codes of the right-to-left scripts with readers today. */
const RTL_SCRIPTS = new Set([
  "Adlm",
  "Arab",
  "Aran",
  "Hebr",
  "Mand",
  "Nkoo",
  "Rohg",
  "Syrc",
  "Thaa",
]);

/** Returns attributes for the element around a text; none in the site's own language. */
export function languageAttributes({ lang }: Pick<FrontMatter, "lang">): {
  lang?: string;
  dir?: "ltr" | "rtl";
} {
  return lang === undefined ? {} : { lang, dir: textDirection(lang) };
}

function textDirection(lang: string): "ltr" | "rtl" {
  return RTL_SCRIPTS.has(new Intl.Locale(lang).maximize().script ?? "") ? "rtl" : "ltr";
}
