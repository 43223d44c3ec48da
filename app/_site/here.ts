// Whether a page shows which instance answered, and what it says.

import { LRUCache } from "lru-cache";
import { headers } from "next/headers";
import { MINUTE_MS } from "#lib/base/clock.ts";
import { type HereView, behindMs } from "#lib/base/cluster.ts";
import { env } from "#lib/base/env.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { isReplicated } from "#lib/litefs/instance.ts";
import { nodeStatus } from "#lib/litefs/node-status.ts";
import { type Identity, findReader } from "#lib/session/session.ts";

/** This instance, now. */
export function hereView(): HereView {
  const status = nodeStatus();
  return {
    region: status.region,
    role: status.role,
    txid: status.txid,
    behindMs: behindMs(status),
  };
}

// It only decides whether a line is shown that is no secret, so it may be some minutes old: a query on every page would be dear.
const admins = new LRUCache<string, boolean>({ max: 5_000, ttl: 5 * MINUTE_MS });

async function isAdminsPage({ sessionKey }: Identity): Promise<boolean> {
  if (!sessionKey) return false;
  const known = admins.get(sessionKey);
  if (known !== undefined) return known;
  const isAdmin = await snapshotSql(
    (sql) => findReader(sql, { sessionKey, clientId: null }).member?.role === "ADMIN",
  );
  admins.set(sessionKey, isAdmin);
  return isAdmin;
}

/**
 * For the page that is being rendered: null shows no strip, "later" a place for it that the browser fills (a page that is kept for
 * everybody can't know who will hand it out), else what it says.
 */
export async function stripFor(identity: Identity): Promise<HereView | "later" | null> {
  if (!isReplicated()) return null;
  if (!env.CLUSTER_STRIP && !(await isAdminsPage(identity))) return null;
  // A page that is rendered once for all has no request.
  const isShared = !(await headers()).has("host");
  return isShared ? "later" : hereView();
}
