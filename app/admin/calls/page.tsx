// /admin/calls: what waits to be answered, and what became of the rest.

import { type Query, hrefOf, last } from "../query.ts";
import { adminTitle, requireAdminPage } from "../require-admin-page.tsx";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { FindForm } from "#components/admin/find-form.tsx";
import { TableFrame } from "#components/admin/table-frame.tsx";
import { When } from "#components/admin/when.tsx";
import { CallStateWord, STATE_WORDS } from "#components/call/review-state.tsx";
import { lengthText } from "#lib/calls/length.ts";
import { CALL_STATES, type CallState, listQueue } from "#lib/calls/review-queue.ts";
import { snapshotSql } from "#lib/db/database.ts";

export const generateMetadata = () => adminTitle("Calls");

const isState = (value: string): value is CallState =>
  (CALL_STATES as readonly string[]).includes(value);

export default async function CallsPage({ searchParams }: { searchParams: Promise<Query> }) {
  const { admin, refused } = await requireAdminPage("/admin/calls");
  if (!admin) return refused;
  const query = await searchParams;
  const q = last(query.q).slice(0, 200);
  const asked = last(query.state);
  const state = isState(asked) ? asked : null;
  // Searching looks everywhere; else the queue begins with what is new.
  const shown = state ?? (q || asked === "all" ? null : "NEW");
  const { calls, counts, total, page, pages } = await snapshotSql((sql) =>
    listQueue(sql, { by: admin, state: shown, query: q, page: Number(last(query.page)) || 1 }),
  );
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const stateOf = (each: CallState | null) => each ?? "all";
  return (
    <AdminFrame current="calls" title="Calls">
      <section className="desk-section" aria-label="Queue">
        <FindForm
          action="/admin/calls"
          label="Find calls"
          hint="By words of the title, the keywords, the description, or the caller’s first name"
          q={q}
        >
          {state && <input type="hidden" name="state" value={state} />}
        </FindForm>
        <nav aria-label="States">
          <ul className="queue-states figures">
            {[...CALL_STATES, null].map((each) => (
              <li key={stateOf(each)}>
                <a
                  href={hrefOf("/admin/calls", { state: stateOf(each), q })}
                  aria-current={each === shown ? "page" : undefined}
                >
                  {`${each ? STATE_WORDS[each] : "All"}\u00a0${each ? counts[each] : all}`}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        {calls.length === 0 ? (
          <p role="status">
            {q
              ? `No call ${shown ? "here " : ""}holds “${q}”.`
              : shown === "NEW"
                ? "Nothing new. Everybody has been heard."
                : "None."}
          </p>
        ) : (
          <TableFrame label="Calls">
            <thead>
              <tr>
                <th scope="col">Call</th>
                <th scope="col">State</th>
                <th scope="col">Left, UTC</th>
                <th scope="col" className="number">
                  Length
                </th>
              </tr>
            </thead>
            <tbody>
              {calls.map((call) => (
                <tr key={call.id}>
                  <th scope="row" className="queue-call">
                    <a href={`/admin/calls/${encodeURIComponent(call.id)}`}>{call.title}</a>
                    <small>{call.callerName}</small>
                  </th>
                  <td>
                    <CallStateWord state={call.state} by={call.reviewerName} />
                  </td>
                  <td>
                    <When ms={call.createdAt} />
                  </td>
                  <td className="number">
                    {call.isTyped
                      ? "written"
                      : call.durationMs === null
                        ? "unknown"
                        : lengthText(call.durationMs)}
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
        {pages > 1 && (
          <p className="form-actions figures">
            {page > 1 && (
              <a href={hrefOf("/admin/calls", { state: stateOf(shown), q, page: page - 1 })}>
                Previous page
              </a>
            )}
            <span className="muted">
              Page {page} of {pages}, {total} calls
            </span>
            {page < pages && (
              <a href={hrefOf("/admin/calls", { state: stateOf(shown), q, page: page + 1 })}>
                Next page
              </a>
            )}
          </p>
        )}
      </section>
    </AdminFrame>
  );
}
