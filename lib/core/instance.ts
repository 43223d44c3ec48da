// Returns this instance's name and whether its database is replicated.

import { hostname } from "node:os";
import { env } from "./env.ts";

/**
 * Returns the name that LiteFS and Fly use: INSTANCE, which the image's entrypoint sets, or the
 * hostname.
 */
export function currentInstance(): string {
  return env.INSTANCE ?? hostname();
}

/** True if LiteFS replicates the database; false if this process is the whole site. */
export function isReplicated(): boolean {
  return env.REPLICATION;
}
