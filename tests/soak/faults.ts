// Draws faults of a cluster from a seed, and applies and heals them.

import { setTimeout as sleep } from "node:timers/promises";
import { fillDisk } from "#cli/cluster/fill-disk.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { type Random, pick } from "#tests/support/random.ts";
import { canShiftClocks, shiftClock } from "./node-clock.ts";

/** A fault lasts this long; longer than a lease. */
const [SHORTEST_MS, LONGEST_MS] = [5_000, 30_000];

const KINDS = [
  "kill",
  "stop",
  "hang",
  "freeze",
  "partition",
  "cut link",
  "full disk",
  ...(canShiftClocks ? (["clock"] as const) : []),
] as const;
type FaultKind = (typeof KINDS)[number];

/** An hour or a day, forward or back. */
const CLOCK_SHIFTS_SECONDS = [3_600, -3_600, 86_400, -86_400];

export interface Fault {
  readonly kind: FaultKind;
  readonly target: "primary" | "standby" | "replica";
  /** Which of the nodes of that kind, and which peer of a cut link, as shares in [0, 1). */
  readonly choice: number;
  readonly lastsMs: number;
}

/** The same seed draws the same faults. */
export function drawFault(random: Random): Fault {
  return {
    kind: pick(random, KINDS),
    // Half of all faults concern the primary.
    target: pick(random, ["primary", "primary", "standby", "replica"] as const),
    choice: random(),
    lastsMs: Math.round(SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS)),
  };
}

/** Applies `fault` for its duration, and heals it. Returns the node's name. */
export async function applyFault(cluster: Cluster, fault: Fault): Promise<string> {
  const primary = await cluster.waitForPrimary();
  const standby = await cluster.waitForStandby(120_000);
  const replicas = [...cluster.nodes.values()].filter((node) => ![primary, standby].includes(node));
  const choose = <T>(items: readonly T[]) => items[Math.floor(fault.choice * items.length)]!;
  const node = { primary, standby, replica: choose(replicas) }[fault.target];
  const others = [...cluster.nodes.values()].filter((each) => each !== node);
  const heal = await start(cluster, fault, node, choose(others));
  await sleep(fault.lastsMs);
  await heal();
  await cluster.repair();
  return node.name;
}

/** Returns the function that heals it. */
async function start(
  { network }: Cluster,
  { kind, choice }: Fault,
  node: ClusterNode,
  other: ClusterNode,
): Promise<() => unknown> {
  switch (kind) {
    case "kill":
      await node.kill();
      return () => node.start();
    case "stop":
      await node.stop();
      return () => node.start();
    case "hang":
      node.pauseSite();
      return () => undefined; // its watchdog heals it
    case "freeze":
      node.pause();
      return () => node.resume();
    case "partition":
      network.isolateNode(node.name);
      return () => network.healLinks();
    case "cut link":
      network.cutLink(node.name, other.name);
      return () => network.healLinks();
    case "full disk":
      return fillDisk(node.dataDir);
    case "clock":
      return shiftClock(
        node,
        CLOCK_SHIFTS_SECONDS[Math.floor(choice * CLOCK_SHIFTS_SECONDS.length)]!,
      );
  }
}
