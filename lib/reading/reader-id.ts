// The id of an anonymous reader: of the time of their first read, and random, and signed while it is in the reader's hands.

import { isValidSignature, signText } from "#lib/core/signature.ts";
import { createUuidV7 } from "#lib/core/uuid-v7.ts";

const LABEL = "lectern reader id v1";
/** Also takes ids that were made elsewhere and migrated. */
const READER_ID_PATTERN = /^[\w-]{1,64}$/;

/** Who reads: a member, else an anonymous reader with or without an id. */
export interface Reader {
  readonly member: { readonly id: string } | null;
  readonly clientId: string | null;
}

/** A new id. It begins with the time, so that those who read for the first time lie together in the index of readers (docs/decisions/025). */
export function createReaderId(nowMs: number): string {
  return createUuidV7(nowMs);
}

/** The id with its signature, fit for a cookie's value. */
export function signReaderId(id: string): string {
  return `${id}.${signText(LABEL, id)}`;
}

/** The id in `value`, or null when it is not ours. */
export function unsignReaderId(value: string | null | undefined): string | null {
  if (!value || value.length > 128) return null;
  const at = value.lastIndexOf(".");
  const id = value.slice(0, Math.max(at, 0));
  return READER_ID_PATTERN.test(id) && isValidSignature(LABEL, id, value.slice(at + 1)) ? id : null;
}
