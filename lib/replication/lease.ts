// Fences writes: this instance may commit only while its launcher has confirmed that it holds the
// lease. A thawed primary still believes that it is the primary.

import { statSync } from "node:fs";
import { env } from "#lib/core/env.ts";
import { singleton } from "#lib/core/singleton.ts";
import type { Position } from "./litefs-node-state.ts";

interface LeaseState {
  /** By monotonicMs(); null without a launcher, when LiteFS alone decides. */
  validUntilMs: number | null;
  confirm: ((position: Position) => Promise<boolean>) | null;
}

const state = () => singleton<LeaseState>("lease", () => ({ validUntilMs: null, confirm: null }));

/** Returns the time in ms on a clock that all processes of this machine share and that is never set. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/**
 * Sets how confirmLease() asks. `confirm` resolves to true once the lease service requires a
 * successor to have `position`, while this instance still holds the lease.
 */
export function setLeaseConfirmer(confirm: (position: Position) => Promise<boolean>): void {
  state().confirm = confirm;
}

/** Opens the fence until `validUntilMs`, by monotonicMs(). */
export function setLeaseExpiry(validUntilMs: number): void {
  const lease = state();
  if (monotonicMs() >= (lease.validUntilMs ?? 0)) refreshSharedMemorySize();
  lease.validUntilMs = validUntilMs;
}

/**
 * Makes the kernel ask LiteFS for the size of the database's shared memory. Otherwise, the first
 * write as the primary could access memory beyond the size that the kernel knows (SIGBUS).
 *
 * SQLite truncates and extends the file when it opens it. While LiteFS applies a transaction, it
 * drops the extension (WriteSHMAt in its db.go). Later it extends the file without telling the
 * kernel.
 */
function refreshSharedMemorySize(): void {
  try {
    statSync(`${env.DATABASE_FILE}-shm`, { throwIfNoEntry: false });
  } catch {
    // The mount has failed, so writes fail, too.
  }
}

/** Returns false if another node may hold the lease by now. Always true without a launcher. */
export function isLeaseValid(): boolean {
  const { validUntilMs } = state();
  return validUntilMs === null || monotonicMs() < validUntilMs;
}

/**
 * Resolves to true if no node without `position` can become the primary. Resolves to false if
 * the lease is lost, or the lease service does not respond.
 */
export async function confirmLease(position: Position): Promise<boolean> {
  const { validUntilMs, confirm } = state();
  return validUntilMs === null || !confirm || confirm(position);
}
