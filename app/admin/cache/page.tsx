// Renders /admin/cache: the cache entries of an instance.

import { readNotice } from "#lib/http/notice-cookie.ts";
import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { type SearchParams, buildHref, lastValue } from "#lib/http/search-params.ts";
import { deleteCacheEntry } from "./actions.ts";
import { listInstances } from "./instances.ts";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { SearchForm } from "#components/admin/search-form.tsx";
import { DataTable } from "#components/admin/data-table.tsx";
import { ActionButton } from "#components/ui/submit-button.tsx";
import { measureEntries } from "#lib/cache/cache-file.ts";
import { type InspectedEntry, inspectEntry, searchCache } from "#lib/cache/inspect-cache.ts";
import { replayTo } from "#lib/replication/ensure-primary.ts";
import { formatBytes, formatDuration } from "#lib/core/format.ts";

export const generateMetadata = () => adminMetadata("Cache");

function describeExpiry({ remainingTtlMs, remainingStaleMs }: InspectedEntry): string {
  if (remainingTtlMs === null) return "until deleted";
  if (remainingTtlMs > 0) return `fresh for ${formatDuration(remainingTtlMs, "largest-unit")}`;
  return remainingStaleMs === null || remainingStaleMs > 0
    ? `stale for ${formatDuration(-remainingTtlMs, "largest-unit")}, refreshed on next use`
    : `expired ${formatDuration(-remainingTtlMs, "largest-unit")} ago`;
}

export default async function CachePage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, notFoundPage } = await requireAdminPage("/admin/cache");
  if (!admin) return notFoundPage;
  const query = await searchParams;
  const q = lastValue(query.q).slice(0, 200);
  const instances = await listInstances();
  const requestedName = lastValue(query.instance);
  const requested =
    requestedName === "" ? instances[0] : instances.find(({ name }) => name === requestedName);
  // Another instance's cache is read there, by replaying this request.
  if (requested?.peer) replayTo(requested.name, "instance");
  const instance = instances[0]!;
  const instanceParam = instances.length > 1 ? instance.name : null;
  const size = measureEntries();
  const { entries, hasMore } = searchCache(q);
  const key = lastValue(query.key);
  const open = key ? inspectEntry(key) : null;
  return (
    <AdminLayout
      current="cache"
      title="Cache"
      lead={`${instance.name}${instance.region ? ` in ${instance.region}` : ""}: ${size.entries} ${size.entries === 1 ? "entry" : "entries"}, ${formatBytes(size.bytes)}. Entries are rebuilt on demand.`}
      notice={
        !requested
          ? "That instance no longer exists. Showing this instance’s cache."
          : (await readNotice()) === "cache-entry-deleted"
            ? "Deleted. It will be rebuilt on demand."
            : null
      }
    >
      {instanceParam && (
        <nav aria-label="Instances">
          <ul className="choices">
            {instances.map(({ name, region, peer }) => (
              <li key={name}>
                <a
                  href={buildHref("/admin/cache", { instance: name, q })}
                  aria-current={peer ? undefined : "true"}
                >
                  {name}
                </a>{" "}
                {region && <span className="muted">{region}</span>}
              </li>
            ))}
          </ul>
        </nav>
      )}
      {key && (
        <section className="desk-section" aria-labelledby="entry">
          <h2 id="entry">Entry</h2>
          {open ? (
            <>
              <dl className="facts">
                <dt>Key</dt>
                <dd className="key">{open.label}</dd>
                <dt>Size</dt>
                <dd className="figures">{formatBytes(open.bytes)}</dd>
                <dt>Age</dt>
                <dd className="figures">{formatDuration(open.ageMs, "largest-unit")}</dd>
                <dt>Expires</dt>
                <dd className="figures">{describeExpiry(open)}</dd>
              </dl>
              <pre className="outline" tabIndex={0} role="region" aria-label="Shape of the value">
                {open.outline.join("\n")}
              </pre>
              <ActionButton
                action={deleteCacheEntry}
                fields={{ key: open.key, q, instance: instance.name }}
                kind="danger"
                loginNext="/admin/cache"
              >
                Delete entry
              </ActionButton>
            </>
          ) : (
            <p role="status">Already deleted.</p>
          )}
        </section>
      )}
      <section className="desk-section" aria-labelledby="entries">
        <h2 id="entries">Entries</h2>
        <SearchForm action="/admin/cache" label="Filter by key" q={q}>
          {instanceParam && <input type="hidden" name="instance" value={instanceParam} />}
        </SearchForm>
        {entries.length === 0 ? (
          <p role="status">{q ? "No matching entries." : "The cache is empty."}</p>
        ) : (
          <DataTable
            label="Cache entries"
            rows={entries}
            keyOf={(entry) => entry.key}
            columns={[
              {
                label: "Key",
                kind: "key",
                render: ({ key, label }) => (
                  <a href={buildHref("/admin/cache", { instance: instanceParam, q, key })}>
                    {label}
                  </a>
                ),
              },
              { label: "Size", kind: "number", render: (entry) => formatBytes(entry.bytes) },
              {
                label: "Age",
                kind: "figures",
                render: (entry) => formatDuration(entry.ageMs, "largest-unit"),
              },
              { label: "Expires", kind: "figures", render: describeExpiry },
            ]}
          />
        )}
        {hasMore && (
          <p className="muted">
            Showing the first {entries.length}. Narrow the filter to see others.
          </p>
        )}
      </section>
    </AdminLayout>
  );
}
