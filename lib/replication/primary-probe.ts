// Probes the primary's site from a replica. LiteFS still names a primary whose site or machine
// hangs, and a write replayed there would hang, too.

import { Agent } from "node:http";
import { requestInternal } from "#lib/core/internal-request.ts";
import { resetSingleton, singleton } from "#lib/core/singleton.ts";
import { listPeers, peerSiteUrl } from "./peers.ts";
import { currentRole, findNamedPrimary, litefsState, nextChange } from "./role.ts";

const INTERVAL_MS = 500;
/** Also the timeout of a probe. Generous, because a busy primary may be late. */
const MAX_SILENCE_MS = 3_000;

interface ProbeState {
  /** Keeps one connection, because probes are frequent. */
  readonly agent: Agent;
  /** The primary that is probed; null on the primary, or if its address is unknown. */
  primary: string | null;
  /** The node that has not responded to its last probe yet. Further probes would only queue. */
  awaited: string | null;
  /** When it last responded (performance.now()). */
  respondedAtMs: number;
  stop: (() => void) | null;
}

const probeState = () =>
  singleton<ProbeState>("primary-probe", () => ({
    agent: new Agent({ keepAlive: true }),
    primary: null,
    awaited: null,
    respondedAtMs: -Infinity,
    stop: null,
  }));

/** Returns false if the primary's site has not responded for MAX_SILENCE_MS. */
export function isPrimarySiteResponding(): boolean {
  const { primary, respondedAtMs } = probeState();
  return primary === null || performance.now() - respondedAtMs < MAX_SILENCE_MS;
}

/**
 * Returns the primary that LiteFS keeps naming and losing, if its site has responded since LiteFS
 * last lost it; otherwise null.
 */
export function findRespondingPrimary(): string | null {
  const { primary, respondedAtMs } = probeState();
  const isAlive = respondedAtMs > (litefsState().primaryLostAtMs ?? -Infinity);
  return isAlive && primary === findNamedPrimary() ? primary : null;
}

/** Starts probing, once per process. Probes a new primary immediately. */
export function startProbingPrimary(): void {
  const state = probeState();
  if (state.stop) return;
  let isStopped = false;
  state.stop = () => {
    isStopped = true;
  };
  void (async () => {
    while (!isStopped) {
      const { lastPrimaryEvent } = litefsState();
      void probe(state).catch(() => undefined);
      const untilMs = performance.now() + INTERVAL_MS;
      for (let leftMs = INTERVAL_MS; leftMs > 0; leftMs = untilMs - performance.now()) {
        if (isStopped || litefsState().lastPrimaryEvent !== lastPrimaryEvent) break;
        await nextChange(leftMs);
      }
    }
  })();
}

/** Stops probing. For tests. */
export function stopProbingPrimary(): void {
  probeState().stop?.();
  probeState().agent.destroy();
  resetSingleton("primary-probe");
}

async function probe(state: ProbeState): Promise<void> {
  const isReplica = currentRole() === "replica";
  const name = isReplica ? litefsState().lastPrimaryEvent?.hostname : findNamedPrimary();
  const peer = name ? (await listPeers()).find(({ instance }) => instance === name) : undefined;
  if (state.primary !== (peer?.instance ?? null)) {
    state.primary = peer?.instance ?? null;
    state.respondedAtMs = -Infinity;
  }
  if (!peer || state.awaited === peer.instance) return;
  state.awaited = peer.instance;
  try {
    // Any response proves that its event loop runs.
    await requestInternal(`${peerSiteUrl(peer)}/healthz`, {
      timeoutMs: MAX_SILENCE_MS,
      agent: state.agent,
    });
    if (state.primary === peer.instance) state.respondedAtMs = performance.now();
  } finally {
    if (state.awaited === peer.instance) state.awaited = null;
  }
}
