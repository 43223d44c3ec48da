// Shows at the bottom of a page which instance served it, and how current its data is.

import { type InstanceStatus, formatStatus } from "#lib/replication/node-view.ts";

/** `status` is null on a static page: then complete-instance-banner.ts fetches it. */
export const InstanceBanner = ({ status }: { status: InstanceStatus | null }) => (
  <p className="instance-banner wrap" data-needs-status={status ? undefined : ""}>
    {status && formatStatus(status).join(" · ")}
  </p>
);
