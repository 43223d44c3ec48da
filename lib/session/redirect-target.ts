// Where to go after logging in, as a stranger's link may say it.

const NOWHERE = "http://nowhere.invalid";
// Control characters, white space and backslashes, also encoded: browsers and proxies disagree about what they mean.
// eslint-disable-next-line no-control-regex -- refusing them is the point
const STRANGE = /[\u0000-\u0020\u007f-\uffff\\]|%5c|%0[0-9a-f]|%1[0-9a-f]|%7f/i;

/** `value` as a path of this site, with query and without fragment; `fallback` for all that leads or might lead elsewhere. */
export function redirectTarget(value: unknown, fallback = "/me"): string {
  if (
    typeof value !== "string" ||
    value.length > 1_000 ||
    !value.startsWith("/") ||
    value.startsWith("//") ||
    STRANGE.test(value)
  )
    return fallback;
  const url = URL.parse(value, NOWHERE);
  if (!url || url.origin !== NOWHERE || url.pathname.startsWith("//")) return fallback;
  return url.pathname + url.search;
}
