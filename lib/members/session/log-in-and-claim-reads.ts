// Every way to log in ends here: a new session, the anonymous reads of this browser, the cookie.

import { cookies } from "#lib/http/next-request.ts";
import { nowMs } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import type { Sql } from "#lib/db/connection.ts";
import { claimReads } from "#lib/reading/claim-reads.ts";
import { describeDevice } from "./describe-device.ts";
import { type SessionIds, sealSessionCookie, createSession } from "./session.ts";
import { type LeadChange, recordLeadChanges } from "#lib/reading/lead-changes.ts";

export interface NewSession {
  readonly id: string;
  readonly expiresAtMs: number;
  readonly changes: readonly LeadChange[];
}

/**
 * In the transaction that logs in: ends the session this browser had (a new id at every change of privilege), begins one,
 * and gives the member what this browser read without being logged in. Call setSessionCookie with what it returns after the commit.
 */
export function logInAndClaimReads(
  sql: Sql,
  {
    userId,
    identity,
    request,
  }: { userId: string; identity: SessionIds; request: { readonly headers: Headers } },
): NewSession {
  if (identity.sessionKey) sql.run(`DELETE FROM "Session" WHERE "id" = ?`, identity.sessionKey);
  const { id, expiresAtMs } = createSession(sql, userId, describeDevice(request));
  const { slugs } = claimReads(sql, { clientId: identity.clientId, userId });
  return {
    id,
    expiresAtMs,
    changes: slugs.length > 0 ? recordLeadChanges(sql, { slugs, nowMs: nowMs() }) : [],
  };
}

/** After the commit: gives the browser its cookie. In an action or a handler. */
export async function setSessionCookie({ id, expiresAtMs, changes }: NewSession): Promise<void> {
  for (const change of changes) log("info", "teams.leader_changed", { ...change });
  (await cookies()).set(await sealSessionCookie({ id, expiresAtMs }));
}
