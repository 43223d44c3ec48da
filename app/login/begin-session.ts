// Every way to log in ends here: a new session, the anonymous reads of this browser, the cookie.

import { cookies } from "next/headers";
import { nowMs } from "#lib/base/clock.ts";
import { log } from "#lib/base/log.ts";
import type { Sql } from "#lib/db/connection.ts";
import { claimReads } from "#lib/reads/claim.ts";
import { deviceOf } from "#lib/session/device.ts";
import { type Identity, sessionCookie, startSession } from "#lib/session/session.ts";
import { type OwnershipChange, recordOwnership } from "#lib/teams/ownership.ts";

export interface BegunSession {
  readonly id: string;
  readonly expiresAtMs: number;
  readonly changes: readonly OwnershipChange[];
}

/**
 * In the transaction that logs in: ends the session this browser had (a new id at every change of privilege), begins one,
 * and gives the member what this browser read without being logged in. Call setSessionCookie with what it returns after the commit.
 */
export function beginSession(
  sql: Sql,
  {
    userId,
    identity,
    request,
  }: { userId: string; identity: Identity; request: { readonly headers: Headers } },
): BegunSession {
  if (identity.sessionKey) sql.run(`DELETE FROM "Session" WHERE "id" = ?`, identity.sessionKey);
  const { id, expiresAtMs } = startSession(sql, userId, deviceOf(request));
  const { slugs } = claimReads(sql, { clientId: identity.clientId, userId });
  return {
    id,
    expiresAtMs,
    changes: slugs.length > 0 ? recordOwnership(sql, { slugs, nowMs: nowMs() }) : [],
  };
}

/** After the commit: gives the browser its cookie. In an action or a handler. */
export async function setSessionCookie({ id, expiresAtMs, changes }: BegunSession): Promise<void> {
  for (const change of changes) log("info", "teams.leader_changed", { ...change });
  (await cookies()).set(await sessionCookie({ id, expiresAtMs }));
}
