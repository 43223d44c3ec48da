// Under whose name a browser keeps unsent recordings.

import { sign } from "#lib/base/signature.ts";

/** An opaque text, always the same for one member: it tells a browser's other users nothing, not even the member's id. */
export function draftOwner(member: { readonly id: string }): string {
  return sign("draft-owner", member.id).slice(0, 22);
}
