// Authenticates requests between instances of one site by HMAC with the site's secret.

import { MINUTE_MS, nowMs } from "./clock.ts";
import { isValidSignature, signText } from "./signature.ts";

export const INTERNAL_HEADER = "x-lectern-internal";

/** Also a wire value: the instances of a cluster may run different versions. */
const SIGNATURE_PURPOSE = "internal-call";
/** A minute as a number, a dot, 43 characters of signature. */
const HEADER_PATTERN = /^(\d{1,10})\.([A-Za-z0-9_-]{43})$/;

const currentMinute = () => Math.floor(nowMs() / MINUTE_MS);

/** Returns the header's value for a request sent now. `subject` binds it to one operation, which limits replay attacks. */
export function signInternalRequest(subject = ""): string {
  const minute = currentMinute();
  return `${minute}.${signText(SIGNATURE_PURPOSE, `${minute}\0${subject}`)}`;
}

/** True if an instance with our secret signed `subject` in this minute or an adjacent one, since clocks differ. */
export function isInternalRequest(headers: Pick<Headers, "get">, subject = ""): boolean {
  const match = HEADER_PATTERN.exec(headers.get(INTERNAL_HEADER) ?? "");
  if (!match) return false;
  const [, minute, signature] = match as unknown as [string, string, string];
  // Signed as text, so "07" is not 7.
  return (
    isValidSignature(SIGNATURE_PURPOSE, `${minute}\0${subject}`, signature) &&
    Math.abs(Number(minute) - currentMinute()) <= 1
  );
}
