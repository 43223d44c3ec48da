// Whether a page shows which instance answered, and what it says.

import { LRUCache } from "lru-cache";
import { headers } from "next/headers";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { type InstanceStatus, replicationLagMs } from "#lib/replication/node-view.ts";
import { env } from "#lib/core/env.ts";
import { readSql } from "#lib/db/database.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { readNodeStatus } from "#lib/replication/node-status.ts";
import { type SessionIds, resolveViewer } from "#lib/members/viewer.ts";

/** This instance, now. */
export function readInstanceStatus(): InstanceStatus {
  const status = readNodeStatus();
  return {
    region: status.region,
    role: status.role,
    txid: status.txid,
    behindMs: replicationLagMs(status),
  };
}

// It only decides whether a line is shown that is no secret, so it may be some minutes old: a query on every page would be dear.
const adminSessions = new LRUCache<string, boolean>({ max: 5_000, ttl: 5 * MINUTE_MS });

async function isAdminSession({ sessionKey }: SessionIds): Promise<boolean> {
  if (!sessionKey) return false;
  const known = adminSessions.get(sessionKey);
  if (known !== undefined) return known;
  const isAdmin = await readSql(
    (sql) => resolveViewer(sql, { sessionKey, clientId: null }).member?.role === "ADMIN",
  );
  adminSessions.set(sessionKey, isAdmin);
  return isAdmin;
}

/**
 * For the page that is being rendered: null shows no strip, "later" a place for it that the browser fills (a page that is kept for
 * everybody can't know who will hand it out), else what it says.
 */
export async function bannerFor(identity: SessionIds): Promise<InstanceStatus | "later" | null> {
  if (!isReplicated()) return null;
  if (!env.INSTANCE_BANNER && !(await isAdminSession(identity))) return null;
  // A page that is rendered once for all has no request.
  const isShared = !(await headers()).has("host");
  return isShared ? "later" : readInstanceStatus();
}
