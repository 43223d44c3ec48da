// Prevents open redirects after login by accepting only paths of this site.

const PLACEHOLDER_ORIGIN = "http://nowhere.invalid";
// Control characters, whitespace, backslashes (raw or encoded) and raw non-ASCII characters.
// Browsers and proxies interpret them differently.
const UNSAFE_PATH_PATTERN = /[\u0000-\u0020\u007f-\uffff\\]|%5c|%0[0-9a-f]|%1[0-9a-f]|%7f/i;

/** Returns `value` as a path with its query, or `fallback` if it could lead to another site. */
export function sanitizeRedirectPath(value: unknown, fallback = "/me"): string {
  if (
    typeof value !== "string" ||
    value.length > 1_000 ||
    !value.startsWith("/") ||
    value.startsWith("//") ||
    UNSAFE_PATH_PATTERN.test(value)
  )
    return fallback;
  const url = URL.parse(value, PLACEHOLDER_ORIGIN);
  if (!url || url.origin !== PLACEHOLDER_ORIGIN || url.pathname.startsWith("//")) return fallback;
  return url.pathname + url.search;
}
