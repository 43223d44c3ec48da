// Polls the cluster once a second while there are listeners.

import type { ClusterView } from "./node-view.ts";
import { SECOND_MS } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import { runOutsideRequest } from "#lib/core/request-context.ts";
import { singleton } from "#lib/core/singleton.ts";
import { readCluster } from "./read-cluster.ts";

const POLL_INTERVAL_MS = SECOND_MS;
/** There are few admins, so more listeners mean a bug or a reconnect loop. */
const MAX_LISTENERS = 20;

interface Listener {
  onView(view: ClusterView): void;
  /** Called when the process shuts down: clients should reconnect elsewhere. */
  onShutdown(): void;
}

const sharedState = () =>
  singleton(
    "watch-cluster",
    (): { readonly listeners: Set<Listener>; isPolling: boolean; hasSignalHandler: boolean } => ({
      listeners: new Set(),
      isPolling: false,
      hasSignalHandler: false,
    }),
  );

async function pollCluster(): Promise<void> {
  const watch = sharedState();
  try {
    while (watch.listeners.size > 0) {
      try {
        const view = await readCluster();
        for (const listener of [...watch.listeners]) listener.onView(view);
        // oxlint-disable-next-line lectern/no-swallowed-replay -- runs outside of requests
      } catch (error) {
        log("warn", "cluster.not_read", { error });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS).unref());
    }
  } finally {
    watch.isPolling = false;
  }
}

/**
 * Calls `listener` about once a second. Returns a function that stops it, or null if there are
 * MAX_LISTENERS already.
 */
export function watchCluster(listener: Listener): (() => void) | null {
  const watch = sharedState();
  if (watch.listeners.size >= MAX_LISTENERS) return null;
  watch.listeners.add(listener);
  if (!watch.hasSignalHandler) {
    watch.hasSignalHandler = true;
    // An open stream would keep the server from draining.
    process.once("SIGTERM", () => {
      for (const each of [...watch.listeners]) each.onShutdown();
    });
  }
  if (!watch.isPolling) {
    watch.isPolling = true;
    runOutsideRequest(() => void pollCluster());
  }
  return () => void watch.listeners.delete(listener);
}
