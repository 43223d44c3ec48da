// Renders /admin/newsletter/subscribers: the list, with a search, a CSV file and a button to remove.

import { adminMetadata, requireAdminPage } from "../../require-admin-page.tsx";
import { removeSubscriberAction } from "../actions.ts";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { DataTable } from "#components/admin/data-table.tsx";
import { SearchForm } from "#components/admin/search-form.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { ConfirmDetails } from "#components/ui/confirm-details.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { pluralize } from "#lib/core/format.ts";
import { read } from "#lib/db/database.ts";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";
import { listSubscribers } from "#lib/members/subscriber-list.ts";

const REMOVE_FORM_ID = "remove-subscriber";
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
    <AdminLayout
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
        {/* Not in the table, so that its message stays after the row is removed. */}
        <ActionForm action={removeSubscriberAction} id={REMOVE_FORM_ID} loginNext={PATH}>
          <FocusOnSuccess />
        </ActionForm>
        {subscribers.length === 0 ? (
          <p role="status">{q ? `No subscribers match “${q}”.` : "No subscribers yet."}</p>
        ) : (
          <DataTable
            label="Subscribers"
            rows={subscribers}
            keyOf={({ id }) => id}
            columns={[
              { label: "Email", render: ({ email }) => email },
              {
                label: "Topics",
                render: ({ topics }) => (topics.length === 0 ? "All" : topics.join(", ")),
              },
              {
                label: "Since (UTC)",
                render: ({ subscribedAt }) => <Timestamp ms={subscribedAt.getTime()} />,
              },
              {
                label: "Remove",
                isLabelHidden: true,
                render: ({ id, email }) => (
                  <ConfirmDetails
                    summary={
                      <>
                        Remove<span className="visually-hidden"> {email}</span>
                      </>
                    }
                  >
                    <p>This can’t be undone.</p>
                    <SubmitButton kind="danger" form={REMOVE_FORM_ID} name="id" value={id}>
                      Remove<span className="visually-hidden"> {email}</span>
                    </SubmitButton>
                  </ConfirmDetails>
                ),
              },
            ]}
          />
        )}
        {isTruncated && <p className="muted">Showing the newest {subscribers.length}.</p>}
      </section>
    </AdminLayout>
  );
}
