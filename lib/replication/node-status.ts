// What this instance says of itself to the others, to admins and to monitoring.

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
  /** Newest transaction here; null without replication. */
  readonly txid: number | null;
  readonly checksum: string | null;
  /** How old the newest transaction was when it arrived here, in milliseconds; 0 on the primary, null where none has arrived yet. */
  readonly lagMs: number | null;
  /** Since the primary was last heard of; it sends a sign each second. 0 on the primary, null where it never was. */
  readonly silenceMs: number | null;
  readonly version: string | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly standbys: {
    readonly instance: string;
    readonly txid: number;
    readonly isStalled: boolean;
  }[];
}

const processStartMs = Math.round(Date.now() - process.uptime() * 1000);

/** The state of this instance now. Cheap: some small files on the mount. */
export function readNodeStatus(): NodeStatus {
  const own = currentRole();
  const position = readPosition();
  return {
    instance: currentInstance(),
    region: env.FLY_REGION ?? null,
    role: own,
    primary: findPrimaryInstance(),
    candidate: env.LITEFS_CANDIDATE,
    txid: position?.txid ?? null,
    checksum: position?.checksum ?? null,
    lagMs: own === "primary" ? 0 : litefsState().lastTxDelayMs,
    silenceMs: heartbeatAgeMs(),
    version: env.DEPLOYMENT_ID ?? null,
    startedAt: processStartMs,
    standbys: listStandbys(),
  };
}
