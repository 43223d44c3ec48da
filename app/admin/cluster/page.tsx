// /admin/cluster: every node, as this instance sees them now.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { LiveCluster } from "#components/cluster/live-cluster.tsx";
import { NodeTable } from "#components/cluster/node-table.tsx";
import { readCluster } from "#lib/replication/read-cluster.ts";

export const generateMetadata = () => adminMetadata("Cluster");

const PATH = "/admin/cluster";

export default async function ClusterPage() {
  const { admin, refused } = await requireAdminPage(PATH);
  if (!admin) return refused;
  const view = await readCluster();
  if (!view.isReplicated) {
    return (
      <AdminFrame
        current="cluster"
        title="Cluster"
        lead="Nothing is replicated: this process is all there is, and its database is one plain file."
      >
        <section className="desk-section" aria-labelledby="nodes">
          <h2 id="nodes">The node</h2>
          <NodeTable nodes={view.nodes} nowMs={view.atMs} />
        </section>
      </AdminFrame>
    );
  }
  return (
    <AdminFrame
      current="cluster"
      title="Cluster"
      lead="Every node answers reads from its own copy. Writes go to the primary, and from there to all."
    >
      <section className="desk-section" aria-labelledby="nodes">
        <h2 id="nodes">Nodes</h2>
        <LiveCluster initial={view} eventsHref={`${PATH}/events`} pageHref={PATH} />
      </section>
    </AdminFrame>
  );
}
