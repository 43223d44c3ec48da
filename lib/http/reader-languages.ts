// Reads the reader's languages from Accept-Language (RFC 9110, 12.5.4).

import { currentRequestContext } from "#lib/core/request-context.ts";

const MAX_LENGTH = 500;
const MAX_LANGUAGES = 5;

/** Returns primary languages such as "de", the preferred first; none without a valid header. */
export function parseReaderLanguages(header: string | undefined | null): string[] {
  const ranges = (header ?? "")
    .slice(0, MAX_LENGTH)
    .split(",")
    .flatMap((part) => {
      const [, language, weight] =
        /^\s*([a-z]{2,3})(?:-[a-z0-9-]{1,40})?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*$/i.exec(part) ??
        [];
      const quality = weight === undefined ? 1 : Number(weight);
      return language && quality > 0 ? [{ language: language.toLowerCase(), quality }] : [];
    })
    .sort((a, b) => b.quality - a.quality);
  return [...new Set(ranges.map(({ language }) => language))].slice(0, MAX_LANGUAGES);
}

/** Returns those of the current request. None on a shared page, whose request has no headers. */
export function currentReaderLanguages(): string[] {
  return parseReaderLanguages(currentRequestContext()?.request.headers["accept-language"]);
}
