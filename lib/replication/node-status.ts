// Reads the status of this instance, for peers, admins and monitoring.

import { env } from "#lib/core/env.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { readPosition, heartbeatAgeMs } from "./position.ts";
import { type Role, litefsState, findPrimaryInstance, currentRole } from "./role.ts";
import { listStandbys } from "./standbys.ts";

export interface NodeStatus {
  readonly instance: string;
  readonly region: string | null;
  readonly role: Role;
  readonly primary: string | null;
  readonly candidate: boolean;
  /** The newest transaction applied here; null without replication. */
  readonly txid: number | null;
  readonly checksum: string | null;
  /**
   * Replication delay of the newest transaction, in milliseconds; 0 on the primary, null before the
   * first.
   */
  readonly lagMs: number | null;
  /**
   * Age of the primary's last heartbeat, in milliseconds; 0 on the primary, null before the first.
   */
  readonly silenceMs: number | null;
  readonly version: string | null;
  /** Process start in milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly standbys: {
    readonly instance: string;
    readonly txid: number;
    readonly isStalled: boolean;
  }[];
}

const processStartMs = Math.round(Date.now() - process.uptime() * 1000);

/** Returns this instance's status now. Cheap: it reads a few small files on the mount. */
export function readNodeStatus(): NodeStatus {
  const role = currentRole();
  const position = readPosition();
  return {
    instance: currentInstance(),
    region: env.FLY_REGION ?? null,
    role,
    primary: findPrimaryInstance(),
    candidate: env.LITEFS_CANDIDATE,
    txid: position?.txid ?? null,
    checksum: position?.checksum ?? null,
    lagMs: role === "primary" ? 0 : litefsState().lastTxDelayMs,
    silenceMs: heartbeatAgeMs(),
    version: env.DEPLOYMENT_ID ?? null,
    startedAt: processStartMs,
    standbys: listStandbys(),
  };
}
