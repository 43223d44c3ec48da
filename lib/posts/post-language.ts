// Describes the language of a post to browsers: its tag and its direction.

import { parseLanguageTag } from "#lib/core/language-tag.ts";
import { siteConfig } from "#lib/core/site-config.ts";
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

export interface LanguageAttributes {
  readonly lang?: string;
  readonly dir?: "ltr" | "rtl";
}

/**
 * Returns attributes for the elements around a post's own text. There are none for the site's
 * language, unless it is written from right to left, because the site's labels are English.
 */
export function languageAttributes(
  { lang }: Pick<FrontMatter, "lang">,
  siteLanguage = siteConfig.language,
): LanguageAttributes {
  const tag = lang ?? siteLanguage;
  const dir = textDirection(tag);
  return lang === undefined && dir === "ltr" ? {} : { lang: tag, dir };
}

function textDirection(lang: string): "ltr" | "rtl" {
  return RTL_SCRIPTS.has(parseLanguageTag(lang).script) ? "rtl" : "ltr";
}
