// Defines the IPC messages between the launcher and the site's process.

import type { Position } from "#lib/replication/litefs-node-state.ts";

export type MessageToSite =
  /** Answered from the site's event loop. */
  | { readonly kind: "ping"; readonly id: number }
  /** `validUntilMs` is by monotonicMs() of lib/replication/lease.ts; 0 if the lease is lost. */
  | { readonly kind: "lease"; readonly validUntilMs: number }
  | { readonly kind: "confirmed"; readonly id: number; readonly isConfirmed: boolean };

export type MessageFromSite =
  | { readonly kind: "pong"; readonly id: number }
  /** Asks the launcher to ensure that no node without `position` can become the primary. */
  | { readonly kind: "confirm"; readonly id: number; readonly position: Position };
