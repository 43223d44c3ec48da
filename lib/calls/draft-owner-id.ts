// Derives the id under which a browser stores a member's unsent recordings.

import { signText } from "#lib/core/signature.ts";

/**
 * Returns an opaque, stable ID of 22 characters (an HMAC), which doesn't reveal the member's ID to
 * other users of the browser.
 */
export function draftOwnerId(member: { readonly id: string }): string {
  return signText("draft-owner", member.id).slice(0, 22);
}
