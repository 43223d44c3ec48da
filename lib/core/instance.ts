// The name of this instance and whether it is one of several.

import { hostname } from "node:os";
import { env } from "./env.ts";

/** What LiteFS and Fly call this instance: INSTANCE (set by the entry of the image), else the name of the machine. */
export function currentInstance(): string {
  return env.INSTANCE ?? hostname();
}

/** Whether LiteFS replicates the database. Without it this process is all there is. */
export function isReplicated(): boolean {
  return env.REPLICATION;
}
