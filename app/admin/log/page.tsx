// /admin/log: what admins changed.

import { adminTitle, requireAdminPage } from "../require-admin-page.tsx";
import { type Query, cursor, hrefOf } from "../query.ts";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { EventList } from "#components/admin/event-list.tsx";
import { snapshotSql } from "#lib/db/database.ts";
import { readLog } from "#lib/members/admin-log.ts";

export const generateMetadata = () => adminTitle("Log");

export default async function LogPage({ searchParams }: { searchParams: Promise<Query> }) {
  const { admin, refused } = await requireAdminPage("/admin/log");
  if (!admin) return refused;
  const before = cursor((await searchParams).before);
  const { events, next } = await snapshotSql((sql) => readLog(sql, admin, { before }));
  return (
    <AdminFrame
      current="log"
      title="Log"
      lead="What admins and the command line changed, newest first."
    >
      {events.length === 0 ? (
        <p className="muted">
          Nothing has been changed{before === null ? " yet" : " before that"}.
        </p>
      ) : (
        <EventList events={events} />
      )}
      {(next !== null || before !== null) && (
        <p className="form-actions">
          {before !== null && <a href="/admin/log">Newest</a>}
          {next !== null && <a href={hrefOf("/admin/log", { before: next })}>Older</a>}
        </p>
      )}
    </AdminFrame>
  );
}
