// Authenticates requests between the site's instances with an HMAC keyed by SESSION_SECRET.

import { MINUTE_MS, nowMs } from "./clock.ts";
import { isValidSignature, signText } from "./signature.ts";

export const INTERNAL_HEADER = "x-lectern-internal";

/** Part of the wire format: the instances of a cluster may run different versions. */
const SIGNATURE_PURPOSE = "internal-call";
/** Minutes since the Unix epoch, a dot, and a 43-character base64url signature. */
const HEADER_PATTERN = /^(\d{1,10})\.([A-Za-z0-9_-]{43})$/;

const currentMinute = () => Math.floor(nowMs() / MINUTE_MS);

/**
 * Returns the header's value for a request sent now. `subject` binds it to one operation, which
 * limits replay attacks.
 */
export function signInternalRequest(subject = ""): string {
  const minute = currentMinute();
  return `${minute}.${signText(SIGNATURE_PURPOSE, `${minute}\0${subject}`)}`;
}

/**
 * Returns true if an instance with our secret signed `subject` in this or an adjacent minute, which
 * tolerates clock skew.
 */
export function isInternalRequest(headers: Pick<Headers, "get">, subject = ""): boolean {
  const match = HEADER_PATTERN.exec(headers.get(INTERNAL_HEADER) ?? "");
  if (!match) return false;
  const [, minute, signature] = match as unknown as [string, string, string];
  // The signature covers the minute as text, so "07" does not pass for "7".
  return (
    isValidSignature(SIGNATURE_PURPOSE, `${minute}\0${subject}`, signature) &&
    Math.abs(Number(minute) - currentMinute()) <= 1
  );
}
