// Renders /admin/calls: the review queue.

import { type SearchParams, buildHref, lastValue } from "#lib/http/search-params.ts";
import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { SearchForm } from "#components/admin/search-form.tsx";
import { DataTable } from "#components/admin/data-table.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { CallStateLabel, CALL_STATE_LABELS } from "#components/call/call-state-label.tsx";
import { listReviewQueue } from "#lib/calls/review-queue.ts";
import { CALL_STATES, type CallState } from "#lib/db/column-values.ts";
import { read } from "#lib/db/database.ts";
import { formatDuration } from "#lib/core/format.ts";

export const generateMetadata = () => adminMetadata("Calls");

const isState = (value: string): value is CallState =>
  (CALL_STATES as readonly string[]).includes(value);

export default async function CallsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, notFoundPage } = await requireAdminPage("/admin/calls");
  if (!admin) return notFoundPage;
  const query = await searchParams;
  const q = lastValue(query.q).slice(0, 200);
  const stateParam = lastValue(query.state);
  const state = isState(stateParam) ? stateParam : null;
  // A search covers all states; without one, the queue starts with new calls.
  const shownState = state ?? (q || stateParam === "all" ? null : "NEW");
  const { calls, counts, total, page, pages } = await read((tx) =>
    listReviewQueue(tx, {
      admin,
      state: shownState,
      query: q,
      page: Number(lastValue(query.page)) || 1,
    }),
  );
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const stateOf = (each: CallState | null) => each ?? "all";
  return (
    <AdminLayout current="calls" title="Calls">
      <section className="desk-section" aria-label="Queue">
        <SearchForm
          action="/admin/calls"
          label="Search calls"
          hint="Title, keywords, description or first name"
          q={q}
        >
          {state && <input type="hidden" name="state" value={state} />}
        </SearchForm>
        <nav aria-label="States">
          <ul className="choices figures">
            {[...CALL_STATES, null].map((each) => (
              <li key={stateOf(each)}>
                <a
                  href={buildHref("/admin/calls", { state: stateOf(each), q })}
                  aria-current={each === shownState ? "page" : undefined}
                >
                  {`${each ? CALL_STATE_LABELS[each] : "All"}\u00a0${each ? counts[each] : all}`}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        {calls.length === 0 ? (
          <p role="status">
            {q ? `No calls match “${q}”.` : shownState === "NEW" ? "All caught up." : "None."}
          </p>
        ) : (
          <DataTable
            label="Calls"
            rows={calls}
            keyOf={(call) => call.id}
            columns={[
              {
                label: "Call",
                kind: "queue-call",
                render: (call) => (
                  <>
                    <a href={`/admin/calls/${encodeURIComponent(call.id)}`}>{call.title}</a>
                    <small>{call.callerName}</small>
                  </>
                ),
              },
              {
                label: "State",
                render: (call) => <CallStateLabel state={call.state} by={call.reviewerName} />,
              },
              { label: "Received (UTC)", render: (call) => <Timestamp ms={call.createdAt} /> },
              {
                label: "Length",
                kind: "number",
                render: (call) =>
                  call.isTyped
                    ? "Text"
                    : call.durationMs === null
                      ? "unknown"
                      : formatDuration(call.durationMs),
              },
            ]}
          />
        )}
        {pages > 1 && (
          <p className="form-actions figures">
            {page > 1 && (
              <a
                href={buildHref("/admin/calls", { state: stateOf(shownState), q, page: page - 1 })}
              >
                Previous page
              </a>
            )}
            <span className="muted">
              Page {page} of {pages}, {total} calls
            </span>
            {page < pages && (
              <a
                href={buildHref("/admin/calls", { state: stateOf(shownState), q, page: page + 1 })}
              >
                Next page
              </a>
            )}
          </p>
        )}
      </section>
    </AdminLayout>
  );
}
