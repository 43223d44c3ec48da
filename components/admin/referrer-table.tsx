// Renders the referrers of views as a table.

import { type ViewCounts, formatCompletion, formatReferrer } from "#lib/reading/views.ts";
import { DataTable } from "./data-table.tsx";

/** `referrers` as returned by listReferrers(). */
export function ReferrerTable({
  referrers,
}: {
  referrers: readonly (ViewCounts & { readonly host: string })[];
}) {
  return (
    <DataTable
      label="Views by referrer"
      rows={referrers}
      keyOf={({ host }) => host}
      columns={[
        { label: "Referrer", render: ({ host }) => formatReferrer(host) },
        { label: "Started", kind: "number", render: ({ started }) => started },
        { label: "Finished", kind: "number", render: ({ finished }) => finished },
        { label: "Completion", kind: "number", render: formatCompletion },
      ]}
    />
  );
}
