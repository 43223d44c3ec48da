// The id of an anonymous reader: random, and signed while it is in the reader's hands.

import { randomUUID } from "node:crypto";
import { isSigned, sign } from "../base/signature.ts";

const LABEL = "lectern reader id v1";
/** Also takes ids that were made elsewhere and migrated. */
const SHAPE = /^[\w-]{1,64}$/;

/** Who reads: a member, else an anonymous reader with or without an id. */
export interface Reader {
  readonly member: { readonly id: string } | null;
  readonly clientId: string | null;
}

/** A new id: 122 random bits. */
export function newReaderId(): string {
  return randomUUID();
}

/** The id with its signature, fit for a cookie's value. */
export function sealReaderId(id: string): string {
  return `${id}.${sign(LABEL, id)}`;
}

/** The id in `value`, or null when it is not ours. */
export function openReaderId(value: string | null | undefined): string | null {
  if (!value || value.length > 128) return null;
  const at = value.lastIndexOf(".");
  const id = value.slice(0, Math.max(at, 0));
  return SHAPE.test(id) && isSigned(LABEL, id, value.slice(at + 1)) ? id : null;
}
