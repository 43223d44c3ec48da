// Renders /admin/log: the audit log.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { type SearchParams, parseCursor, buildHref } from "#lib/http/search-params.ts";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { AuditLogTable } from "#components/admin/audit-log-table.tsx";
import { read } from "#lib/db/database.ts";
import { listAuditLog } from "#lib/members/audit-log.ts";

export const generateMetadata = () => adminMetadata("Log");

export default async function LogPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, notFoundPage } = await requireAdminPage("/admin/log");
  if (!admin) return notFoundPage;
  const before = parseCursor((await searchParams).before);
  const { events, next } = await read((tx) => listAuditLog(tx, admin, { before }));
  return (
    <AdminLayout
      current="log"
      title="Log"
      lead="Changes by admins and the command line, newest first."
    >
      {events.length === 0 ? (
        <p className="muted">{before === null ? "No changes yet." : "No older changes."}</p>
      ) : (
        <AuditLogTable events={events} />
      )}
      {(next !== null || before !== null) && (
        <p className="form-actions">
          {before !== null && <a href="/admin/log">Newest</a>}
          {next !== null && <a href={buildHref("/admin/log", { before: next })}>Older</a>}
        </p>
      )}
    </AdminLayout>
  );
}
