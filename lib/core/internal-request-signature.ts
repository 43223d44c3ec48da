// Calls between instances of one site: whoever knows the site's secret may make them, and nobody else.

import { MINUTE_MS, nowMs } from "./clock.ts";
import { isValidSignature, signText } from "./signature.ts";

/** The header that carries it. */
export const INTERNAL_HEADER = "x-lectern-internal";

const SIGNATURE_PURPOSE = "internal-call";
/** A minute as a number, a dot, 43 characters of signature. */
const HEADER_PATTERN = /^(\d{1,10})\.([A-Za-z0-9_-]{43})$/;

const currentMinute = () => Math.floor(nowMs() / MINUTE_MS);

/**
 * The value of `x-lectern-internal` for a call made now. `about` ties it to what the call does: whoever overhears the header of
 * one call can then ask for nothing else with it. It must be the same text on both sides.
 */
export function signInternalRequest(about = ""): string {
  const minute = currentMinute();
  return `${minute}.${signText(SIGNATURE_PURPOSE, `${minute}\0${about}`)}`;
}

/**
 * Whether `headers` are those of a call that an instance with our secret made, about `about`, in this minute or the one before;
 * or in the next, since clocks of machines differ. So a header is worth nothing two minutes after it was made.
 */
export function isInternalRequest(headers: Pick<Headers, "get">, about = ""): boolean {
  const match = HEADER_PATTERN.exec(headers.get(INTERNAL_HEADER) ?? "");
  if (!match) return false;
  const [, minute, signature] = match as unknown as [string, string, string];
  // Compared as it was written: "07" is not another way to say 7.
  return (
    isValidSignature(SIGNATURE_PURPOSE, `${minute}\0${about}`, signature) &&
    Math.abs(Number(minute) - currentMinute()) <= 1
  );
}
