// Records reads: at most one per reader, post and 7 days, proven by a dwell token.

import { AppError } from "#lib/core/errors.ts";
import { createUuidV7 } from "#lib/core/uuid-v7.ts";
import type { Tx } from "#lib/db/database.ts";
import type { Sql } from "#lib/db/sql.ts";
import { type Reader, createReaderId } from "./reader-id.ts";
import { insertReadOnce, isTokenUsed, consumeToken } from "./record-read.sql.ts";
import { getMinDwellMs, verifyDwellToken } from "./dwell-token.ts";

export interface ReadRequest extends Reader {
  readonly token: string;
  /** Must be a published post; the caller checks. */
  readonly slug: string;
  /** The slug that the read counts for, if it is another one: that of the original. */
  readonly countedSlug?: string;
  readonly readingMinutes: number;
  readonly nowMs: number;
}

export interface RecordedRead {
  /**
   * False if this reader's read of this post already counted within 7 days; nothing is stored then.
   */
  readonly isCounted: boolean;
  /** The ID of a new anonymous reader, for their cookie; set only if the read counted. */
  readonly clientId?: string;
}

/**
 * Stores the read unless one counted within 7 days; triggers update the counters. Call
 * recordLeadChanges() after a member's read. Throws like verifyDwellToken(), and AppError(conflict)
 * if the token was already used; nothing is stored then.
 */
export function recordRead(
  tx: Tx | Sql,
  { token, slug, countedSlug = slug, member, clientId, readingMinutes, nowMs }: ReadRequest,
): RecordedRead {
  const usedToken = verifyDwellToken(token, {
    slug,
    minMs: getMinDwellMs(readingMinutes),
    nowMs,
  });
  const newClientId = member || clientId ? undefined : createReaderId(nowMs);
  const isCounted = insertReadOnce(tx, {
    nonce: usedToken.nonce,
    expiresAtMs: usedToken.expiresAtMs,
    id: createUuidV7(nowMs),
    nowMs,
    slug: countedSlug,
    userId: member?.id ?? null,
    clientId: member ? null : clientId || newClientId!,
  });
  if (!isCounted) {
    if (isTokenUsed(tx, usedToken))
      throw new AppError("conflict", "The token has already been used.", { field: "token" });
    return { isCounted: false };
  }
  consumeToken(tx, usedToken, nowMs);
  return newClientId ? { isCounted: true, clientId: newClientId } : { isCounted: true };
}
