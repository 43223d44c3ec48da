// Records a beacon in plain SQL. When 64 beacons share a group commit, each takes 0.05 ms.

import { isAppError } from "#lib/core/errors.ts";
import { readSql, writeSql } from "#lib/db/sql.ts";
import { findSessionMember } from "#lib/members/viewer.sql.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { countView } from "#lib/reading/count-view.sql.ts";
import { type LeadChange, recordLeadChanges } from "#lib/reading/lead-changes.ts";
import type { Reader } from "#lib/reading/reader-id.ts";
import { type ReadRequest, type RecordedRead, recordRead } from "#lib/reading/record-read.ts";

/**
 * Records the read of the viewer with these IDs, who came from `host`. `consumeLimit` may throw AppError(rate_limited)
 * before the write is queued. It returns a refund function, which is called if the token was already
 * used. Throws like recordRead() and writeSql(); nothing is stored then.
 */
export async function recordBeacon(
  { sessionKey, clientId }: SessionIds,
  { host, ...read }: Omit<ReadRequest, keyof Reader> & { host: string },
  consumeLimit: (reader: Reader) => () => void,
): Promise<RecordedRead & { readonly leadChanges: readonly LeadChange[] }> {
  const member = sessionKey ? await readSql((sql) => findSessionMember(sql, sessionKey)) : null;
  const refund = consumeLimit({ member, clientId });
  try {
    return await writeSql((sql) => {
      // Found again inside the transaction, because the session may have ended since.
      const reader = { member: findSessionMember(sql, sessionKey), clientId };
      const result = recordRead(sql, { ...read, ...reader });
      const slug = read.countedSlug ?? read.slug;
      if (result.isCounted) countView(sql, { step: "finished", slug, host, nowMs: read.nowMs });
      // Anonymous reads don't change the standings.
      const slugs = result.isCounted && reader.member ? [slug] : [];
      return { ...result, leadChanges: recordLeadChanges(sql, { slugs, nowMs: read.nowMs }) };
    });
  } catch (error) {
    if (isAppError(error, "conflict")) refund();
    throw error;
  }
}
