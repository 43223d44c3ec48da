// Records the start of a view in plain SQL, in the group commits of the reads. It takes 0.02 ms.

import { runOutsideRequest } from "#lib/core/request-context.ts";
import { writeSql } from "#lib/db/sql.ts";
import { findSessionMember } from "#lib/members/viewer.sql.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { countView } from "#lib/reading/count-view.sql.ts";
import { hasRecentRead } from "#lib/reading/record-read.sql.ts";

interface StartedView {
  readonly slug: string;
  readonly host: string;
  readonly nowMs: number;
}

/** Counts the view unless a recent read keeps it from counting. Throws like writeSql(). */
export function recordStart(
  { sessionKey, clientId }: SessionIds,
  view: StartedView,
): Promise<void> {
  // Within the request, the commit would set the read-your-writes cookie.
  return runOutsideRequest(() =>
    writeSql((sql) => {
      const reader = { member: findSessionMember(sql, sessionKey), clientId };
      if (!hasRecentRead(sql, { ...reader, ...view })) countView(sql, { step: "started", ...view });
    }),
  );
}
