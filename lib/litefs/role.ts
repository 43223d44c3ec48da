// What this instance is to the cluster.

import { env } from "../base/env.ts";

export type Role = "primary" | "replica" | "unknown";

/** primary: may write. replica: knows who may. unknown: no primary is known, nobody may write. Without replication always primary. */
export function role(): Role {
  // Until the cluster is built nothing knows better than "unknown" when replication is asked for, and unknown refuses writes.
  return env.REPLICATION ? "unknown" : "primary";
}
