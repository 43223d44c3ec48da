// Creates and signs the IDs of anonymous readers.

import { isOutdatedSignature, isValidSignature, signText } from "#lib/core/signature.ts";
import { createUuidV7 } from "#lib/core/uuid-v7.ts";

const LABEL = "lectern reader id v1";
/** Also matches migrated IDs. */
const READER_ID_PATTERN = /^[\w-]{1,64}$/;

/** A member, or an anonymous reader with or without an ID. */
export interface Reader {
  readonly member: { readonly id: string } | null;
  readonly clientId: string | null;
}

/**
 * Returns a new ID. IDs sort by time, so that new readers are adjacent in the index
 * (docs/decisions/025).
 */
export function createReaderId(nowMs: number): string {
  return createUuidV7(nowMs);
}

/** Returns the ID with its signature, as a cookie value. */
export function signReaderId(id: string): string {
  return `${id}.${signText(LABEL, id)}`;
}

/** Returns the ID in `value`; null unless this site signed it. */
export function unsignReaderId(value: string | null | undefined): string | null {
  if (!value || value.length > 128) return null;
  const dot = value.lastIndexOf(".");
  const id = value.slice(0, Math.max(dot, 0));
  return READER_ID_PATTERN.test(id) && isValidSignature(LABEL, id, value.slice(dot + 1))
    ? id
    : null;
}

/** Returns the ID in `value` if it is signed with a secret that is being replaced; otherwise null. */
export function findOutdatedReaderId(value: string | null | undefined): string | null {
  const id = unsignReaderId(value);
  return id !== null && isOutdatedSignature(LABEL, id, value!.slice(id.length + 1)) ? id : null;
}
