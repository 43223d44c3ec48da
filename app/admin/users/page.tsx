// Renders /admin/users: the list of members, with a search.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { readNotice } from "#lib/http/notice-cookie.ts";
import { type SearchParams, parseCursor, buildHref, lastValue } from "#lib/http/search-params.ts";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { SearchForm } from "#components/admin/search-form.tsx";
import { DataTable } from "#components/admin/data-table.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { TeamName } from "#components/admin/team-name.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { read } from "#lib/db/database.ts";
import { searchUsers } from "#lib/members/admin-users.ts";

type User = Awaited<ReturnType<typeof searchUsers>>["users"][number];

export const generateMetadata = () => adminMetadata("Users");

export default async function UsersPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, notFoundPage } = await requireAdminPage("/admin/users");
  if (!admin) return notFoundPage;
  const { features } = siteConfig;
  const query = await searchParams;
  const q = lastValue(query.q).slice(0, 200);
  const before = parseCursor(query.before);
  const { users, next } = await read((tx) => searchUsers(tx, admin, { text: q, before }));
  return (
    <AdminLayout
      current="users"
      title="Users"
      notice={(await readNotice()) === "member-deleted" ? "Member deleted." : null}
    >
      <section className="desk-section">
        <SearchForm action="/admin/users" label="Search by name or email" q={q} />
        {users.length === 0 ? (
          <p role="status">{q ? `No users match “${q}”.` : "No members yet."}</p>
        ) : (
          <DataTable
            label="Members"
            rows={users}
            keyOf={(user) => user.id}
            columns={[
              {
                label: "Member",
                render: (user) => (
                  <>
                    <a href={`/admin/users/${encodeURIComponent(user.id)}`}>{user.firstName}</a>
                    <small>{user.email}</small>
                  </>
                ),
              },
              ...(features.teams
                ? [{ label: "Team", render: (user: User) => <TeamName team={user.team} /> }]
                : []),
              {
                label: "Role",
                render: (user) =>
                  user.role === "ADMIN" ? "Admin" : <span className="muted">Member</span>,
              },
              {
                label: "Joined (UTC)",
                render: (user) => <Timestamp ms={user.createdAt.getTime()} />,
              },
              { label: "Reads", kind: "number", render: (user) => user.readCount },
              ...(features.calls
                ? [{ label: "Calls", kind: "number", render: (user: User) => user.callCount }]
                : []),
            ]}
          />
        )}
        {(next !== null || before !== null) && (
          <p className="form-actions">
            {before !== null && <a href={buildHref("/admin/users", { q })}>First page</a>}
            {next !== null && (
              <a href={buildHref("/admin/users", { q, before: next })}>Next page</a>
            )}
          </p>
        )}
      </section>
    </AdminLayout>
  );
}
