// Signs and verifies the tokens in the newsletter's links: to confirm an address, and to
// unsubscribe.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";

/** How long a confirmation link is valid. */
export const CONFIRMATION_TTL_MS = 7 * DAY_MS;

const CONFIRM_LABEL = "lectern subscribe v1";
const UNSUBSCRIBE_LABEL = "lectern unsubscribe v2";
/** Earlier versions signed the member's ID. Their links never expire (RFC 8058). */
const MEMBER_LABEL = "lectern unsubscribe v1";
export const MAX_TOKEN_LENGTH = 600;

/** Returns what `token` signs under `label`, or null. */
function verify(label: string, token: string): string | null {
  const dot = token.lastIndexOf(".");
  if (token.length > MAX_TOKEN_LENGTH || dot <= 0) return null;
  const text = token.slice(0, dot);
  return isValidSignature(label, text, token.slice(dot + 1)) ? text : null;
}

/** Returns the token that proves that its holder gets email at `email`. Nothing is stored. */
export function signConfirmationToken(email: string): string {
  const text = Buffer.from(`${nowMs() + CONFIRMATION_TTL_MS} ${email}`).toString("base64url");
  return `${text}.${signText(CONFIRM_LABEL, text)}`;
}

/** Returns the confirmed address; null if the token is forged, damaged or expired. */
export function verifyConfirmationToken(token: string): string | null {
  const text = verify(CONFIRM_LABEL, token);
  if (text === null) return null;
  const [expiresMs = "", email = ""] = Buffer.from(text, "base64url").toString().split(" ");
  return Number(expiresMs) > nowMs() ? email : null;
}

/** Returns the token for a subscriber's links. It does not expire, and changes nothing else. */
export const signUnsubscribeToken = (subscriberId: string): string =>
  `${subscriberId}.${signText(UNSUBSCRIBE_LABEL, subscriberId)}`;

/** Returns the subscriber, or the member of a link of an earlier version; null if it is forged. */
export function verifyUnsubscribeToken(
  token: string,
): { readonly subscriberId: string } | { readonly userId: string } | null {
  const subscriberId = verify(UNSUBSCRIBE_LABEL, token);
  if (subscriberId !== null) return { subscriberId };
  const userId = verify(MEMBER_LABEL, token);
  return userId === null ? null : { userId };
}
