// Decides whether a page shows the instance banner, and reads its content.

import { LRUCache } from "lru-cache";
import { readRequestHeaders } from "#lib/http/cookies.ts";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { RENDER_HEADER } from "#lib/core/render-request.ts";
import { type InstanceStatus, replicationLagMs } from "#lib/replication/node-view.ts";
import { env } from "#lib/core/env.ts";
import { read } from "#lib/db/database.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { readNodeStatus } from "#lib/replication/node-status.ts";
import { type SessionIds, resolveViewer } from "#lib/members/viewer.ts";

export function readInstanceStatus(): InstanceStatus {
  const status = readNodeStatus();
  return {
    region: status.region,
    role: status.role,
    txid: status.txid,
    behindMs: replicationLagMs(status),
  };
}

// The banner is not secret, so the cached role may be a few minutes old. A query on every page would be expensive.
const adminSessions = new LRUCache<string, boolean>({ max: 5_000, ttl: 5 * MINUTE_MS });

async function isAdminSession({ sessionKey }: SessionIds): Promise<boolean> {
  if (!sessionKey) return false;
  const cached = adminSessions.get(sessionKey);
  if (cached !== undefined) return cached;
  const isAdmin = await read(
    async (tx) =>
      (await resolveViewer(tx, { sessionKey, clientId: null })).member?.role === "ADMIN",
  );
  adminSessions.set(sessionKey, isAdmin);
  return isAdmin;
}

/** Returns null for no banner, "later" on a shared page, where the browser fetches it, or the status to show. */
export async function bannerFor(session: SessionIds): Promise<InstanceStatus | "later" | null> {
  if (!isReplicated()) return null;
  if (!env.INSTANCE_BANNER && !(await isAdminSession(session))) return null;
  const headers = await readRequestHeaders();
  // A static page is rendered without a request, and the page cache's for everyone.
  const isShared = !headers.has("host") || headers.has(RENDER_HEADER);
  return isShared ? "later" : readInstanceStatus();
}
