// /admin/log: what admins changed.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { type SearchParams, parseCursor, buildHref } from "#lib/http/search-params.ts";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { AuditLogTable } from "#components/admin/audit-log-table.tsx";
import { readSql } from "#lib/db/database.ts";
import { listAuditLog } from "#lib/members/audit-log.ts";

export const generateMetadata = () => adminMetadata("Log");

export default async function LogPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, refused } = await requireAdminPage("/admin/log");
  if (!admin) return refused;
  const before = parseCursor((await searchParams).before);
  const { events, next } = await readSql((sql) => listAuditLog(sql, admin, { before }));
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
        <AuditLogTable events={events} />
      )}
      {(next !== null || before !== null) && (
        <p className="form-actions">
          {before !== null && <a href="/admin/log">Newest</a>}
          {next !== null && <a href={buildHref("/admin/log", { before: next })}>Older</a>}
        </p>
      )}
    </AdminFrame>
  );
}
