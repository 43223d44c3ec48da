// Under whose name a browser keeps unsent recordings.

import { signText } from "#lib/core/signature.ts";

/** An opaque text, always the same for one member: it tells a browser's other users nothing, not even the member's id. */
export function draftOwnerId(member: { readonly id: string }): string {
  return signText("draft-owner", member.id).slice(0, 22);
}
