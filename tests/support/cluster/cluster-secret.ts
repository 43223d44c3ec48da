// Signs and unseals with the secret that all nodes of a cluster share, using the site's own
// functions.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unsealData } from "iron-session";
import { sha256 } from "#tests/support/factories.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { signText } from "#lib/core/signature.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import type { VisitorRequest } from "./browser-visitor.ts";

export function readClusterSecret(cluster: Cluster): string {
  const [node] = cluster.nodes.values();
  return readFileSync(join(dirname(node!.folder), "secret"), "utf8");
}

/** Makes the site's functions in this process sign with the cluster's secret. */
export function adoptClusterSecret(cluster: Cluster): void {
  const secret = readClusterSecret(cluster);
  if (process.env.SESSION_SECRET !== secret) overrideEnv({ SESSION_SECRET: secret });
}

export function signWithClusterSecret(cluster: Cluster, label: string, text: string): string {
  adoptClusterSecret(cluster);
  return signText(label, text);
}

/** Returns the primary key of the session that a cookie belongs to. */
export async function readSessionKey(cluster: Cluster, cookie: string): Promise<string> {
  const { id } = await unsealData<{ id: string }>(cookie, { password: readClusterSecret(cluster) });
  return sha256(id);
}

/** Returns a beacon from a reader who opened the post 12 hours ago. */
export function makeReadBeacon(cluster: Cluster, slug: string): VisitorRequest {
  adoptClusterSecret(cluster);
  const token = issueDwellToken({ slug, nowMs: Date.now() - DAY_MS / 2 });
  return {
    method: "POST",
    body: JSON.stringify({ token, slug }),
    headers: { "content-type": "application/json" },
  };
}
