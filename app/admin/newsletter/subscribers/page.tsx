// Renders /admin/newsletter/subscribers: the list, with a search, a CSV file and a button to remove.

import { adminMetadata, requireAdminPage } from "../../require-admin-page.tsx";
import { removeSubscriberAction } from "../actions.ts";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { ScrollableTable } from "#components/admin/scrollable-table.tsx";
import { SearchForm } from "#components/admin/search-form.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { ActionButton } from "#components/ui/submit-button.tsx";
import { pluralize } from "#lib/core/format.ts";
import { read } from "#lib/db/database.ts";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";
import { listSubscribers } from "#lib/members/subscriber-list.ts";

const PATH = "/admin/newsletter/subscribers";

export const generateMetadata = () => adminMetadata("Subscribers");

export default async function SubscribersPage({
  searchParams,
}: {
  searchParams: Promise<SearchParams>;
}) {
  const { admin, notFoundPage } = await requireAdminPage(PATH);
  if (!admin) return notFoundPage;
  const q = lastValue((await searchParams).q).slice(0, 200);
  const { total, subscribers, isTruncated } = await read((tx) => listSubscribers(tx, admin, q));
  return (
    <AdminFrame
      current="newsletter"
      title="Subscribers"
      lead={<a href="/admin/newsletter">All issues</a>}
    >
      <section className="desk-section">
        <p>
          {pluralize(total, "subscriber")} ·{" "}
          <a href="/admin/newsletter/subscribers.csv" download>
            Download as CSV
          </a>
        </p>
        <SearchForm action={PATH} label="Search by email" q={q} />
        {subscribers.length === 0 ? (
          <p role="status">{q ? `No subscribers match “${q}”.` : "No subscribers yet."}</p>
        ) : (
          <ScrollableTable label="Subscribers">
            <thead>
              <tr>
                <th scope="col">Email</th>
                <th scope="col">Topics</th>
                <th scope="col">Since (UTC)</th>
                <th scope="col">
                  <span className="visually-hidden">Remove</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {subscribers.map(({ id, email, topics, subscribedAt }) => (
                <tr key={id}>
                  <th scope="row">{email}</th>
                  <td>{topics.length === 0 ? "All" : topics.join(", ")}</td>
                  <td>
                    <Timestamp ms={subscribedAt.getTime()} />
                  </td>
                  <td>
                    <ActionButton action={removeSubscriberAction} fields={{ id }} loginNext={PATH}>
                      Remove<span className="visually-hidden"> {email}</span>
                    </ActionButton>
                  </td>
                </tr>
              ))}
            </tbody>
          </ScrollableTable>
        )}
        {isTruncated && <p className="muted">Showing the newest {subscribers.length}.</p>}
      </section>
    </AdminFrame>
  );
}
