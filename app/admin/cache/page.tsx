// /admin/cache: what this instance keeps because it can be made again.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { type SearchParams, buildHref, lastValue } from "#lib/http/search-params.ts";
import { deleteCacheEntry } from "./actions.ts";
import { listInstances } from "./instances.ts";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { SearchForm } from "#components/admin/search-form.tsx";
import { ScrollableTable } from "#components/admin/scrollable-table.tsx";
import { ActionButton } from "#components/ui/submit-button.tsx";
import {
  type InspectedEntry,
  measureCache,
  inspectEntry,
  searchCache,
} from "#lib/cache/inspect-cache.ts";
import { replayTo } from "#lib/replication/ensure-primary.ts";
import { formatBytes, formatDuration } from "#lib/core/format.ts";

export const generateMetadata = () => adminMetadata("Cache");

function describeExpiry({ remainingTtlMs, remainingStaleMs }: InspectedEntry): string {
  if (remainingTtlMs === null) return "until deleted";
  if (remainingTtlMs > 0) return `fresh for ${formatDuration(remainingTtlMs, "largest-unit")}`;
  return remainingStaleMs === null || remainingStaleMs > 0
    ? `stale for ${formatDuration(-remainingTtlMs, "largest-unit")}, renewed at the next use`
    : `expired ${formatDuration(-remainingTtlMs, "largest-unit")} ago`;
}

export default async function CachePage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, refused } = await requireAdminPage("/admin/cache");
  if (!admin) return refused;
  const query = await searchParams;
  const q = lastValue(query.q).slice(0, 200);
  const instances = await listInstances();
  const asked = lastValue(query.instance);
  const chosen = asked === "" ? instances[0] : instances.find(({ name }) => name === asked);
  // Another instance's cache is read there: it answers this request in place of this one.
  if (chosen?.peer) replayTo(chosen.name, "instance");
  const instance = instances[0]!;
  const at = instances.length > 1 ? instance.name : null;
  const size = measureCache();
  const { entries, hasMore } = searchCache(q);
  const key = lastValue(query.key);
  const open = key ? inspectEntry(key) : null;
  return (
    <AdminFrame
      current="cache"
      title="Cache"
      lead={`${instance.name}${instance.region ? ` in ${instance.region}` : ""} answers: ${size.entries} ${size.entries === 1 ? "entry" : "entries"}, ${formatBytes(size.bytes)}. Deleting costs only the time to make it again.`}
      said={
        !chosen
          ? "There is no such instance any more. This is another one's cache."
          : lastValue(query.said) === "deleted"
            ? "Deleted. It is made again when somebody asks for it."
            : null
      }
    >
      {at && (
        <nav className="cache-instances" aria-label="Instances">
          <ul>
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
          <h2 id="entry">One entry</h2>
          {open ? (
            <>
              <dl className="facts">
                <dt>Key</dt>
                <dd className="key">{open.label}</dd>
                <dt>Size</dt>
                <dd className="figures">{formatBytes(open.bytes)}</dd>
                <dt>Age</dt>
                <dd className="figures">{formatDuration(open.ageMs, "largest-unit")}</dd>
                <dt>Lasts</dt>
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
                Delete this entry
              </ActionButton>
            </>
          ) : (
            <p role="status">This entry is gone.</p>
          )}
        </section>
      )}
      <section className="desk-section" aria-labelledby="entries">
        <h2 id="entries">Entries</h2>
        <SearchForm action="/admin/cache" label="Part of a key" q={q}>
          {at && <input type="hidden" name="instance" value={at} />}
        </SearchForm>
        {entries.length === 0 ? (
          <p role="status">{q ? "No key holds this." : "There is nothing in the cache."}</p>
        ) : (
          <ScrollableTable label="Cache entries">
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col" className="number">
                  Size
                </th>
                <th scope="col">Age</th>
                <th scope="col">Lasts</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.key}>
                  <th scope="row" className="key">
                    <a href={buildHref("/admin/cache", { instance: at, q, key: entry.key })}>
                      {entry.label}
                    </a>
                  </th>
                  <td className="number">{formatBytes(entry.bytes)}</td>
                  <td className="figures">{formatDuration(entry.ageMs, "largest-unit")}</td>
                  <td className="figures">{describeExpiry(entry)}</td>
                </tr>
              ))}
            </tbody>
          </ScrollableTable>
        )}
        {hasMore && (
          <p className="muted">
            There are more than {entries.length}. Search for a longer part of the key.
          </p>
        )}
      </section>
    </AdminFrame>
  );
}
