// /admin/cluster: shows every node as this instance sees it.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { LiveCluster } from "#components/cluster/live-cluster.tsx";
import { NodeTable } from "#components/cluster/node-table.tsx";
import { readCluster } from "#lib/replication/read-cluster.ts";

export const generateMetadata = () => adminMetadata("Cluster");

const PATH = "/admin/cluster";

export default async function ClusterPage() {
  const { admin, notFoundPage } = await requireAdminPage(PATH);
  if (!admin) return notFoundPage;
  const view = await readCluster();
  if (!view.isReplicated) {
    return (
      <AdminLayout current="cluster" title="Cluster" lead="Single node, no replication.">
        <section className="desk-section" aria-labelledby="nodes">
          <h2 id="nodes">The node</h2>
          <NodeTable nodes={view.nodes} nowMs={view.atMs} />
        </section>
      </AdminLayout>
    );
  }
  return (
    <AdminLayout
      current="cluster"
      title="Cluster"
      lead="Each node serves reads from its own copy. Writes go to the primary and are replicated from there."
    >
      <section className="desk-section" aria-labelledby="nodes">
        <h2 id="nodes">Nodes</h2>
        <LiveCluster initial={view} eventsHref={`${PATH}/events`} pageHref={PATH} />
      </section>
    </AdminLayout>
  );
}
