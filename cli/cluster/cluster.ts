// Starts a cluster on this machine: Consul, nodes that run the image on LiteFS, their network, and
// one edge proxy per region.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { type Consul, createConsul } from "./consul.ts";
import { roundTripMs } from "./region-round-trip.ts";
import { type Edge, startEdge } from "./edge/edge.ts";
import { type HealthChecks, startHealthChecks } from "./edge/health-checks.ts";
import { Network } from "./network.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { APP_PORT, ClusterNode, LITEFS_PORT } from "./node.ts";
import type { Environment } from "./program.ts";
import { findTools } from "./tools/find-tools.ts";
import { waitUntil } from "./wait-until.ts";
import {
  type Workspace,
  createWorkspace,
  removeStaleWorkspaces,
  removeStaleWorkspace,
} from "./workspace.ts";

export interface ClusterOptions {
  /** The image, a folder created by scripts/build-app-image.ts. */
  imageDir: string;
  /** The first is the primary region and has two candidates; the others have one replica each. */
  regions?: readonly string[];
  /** How many Consul servers store the lease. Default: 1. */
  consulServers?: number;
  /** Adds the real latency between regions. Default: none. */
  latency?: boolean;
  /** Port of the first region's edge; the others follow. Default 0: any free ports. */
  port?: number;
  /** Additional environment variables for every node. */
  env?: Environment;
  /**
   * Keeps the data here and continues with it. Default: a temporary folder, deleted with the
   * cluster.
   */
  folder?: string;
  /** Sizes in MB of the nodes with their own disk, by name. Requires root. */
  diskSizesMb?: Readonly<Record<string, number>>;
  /** Called with a node's data folder before each start of the node. */
  beforeStart?: (dataDir: string) => void;
  /** The command of a node. Default: `node server/supervisor/main.ts` in the image. */
  command?: (env: Environment) => readonly string[];
}

export const LEASE_KEY = "litefs/lectern";
/** Nodes that may acquire the lease. */
const CANDIDATE_COUNT = 2;
const READY_MS = 120_000;

export class Cluster {
  readonly consul: Consul;
  readonly network: Network;
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  /** Edges by region. */
  readonly edges: ReadonlyMap<string, Edge>;
  /** Turns the real latency between regions on or off, from the next bytes on. */
  readonly setLatency: (isOn: boolean) => void;
  readonly #health: HealthChecks;
  readonly #stop: () => Promise<void>;

  constructor(parts: {
    consul: Consul;
    network: Network;
    nodes: ReadonlyMap<string, ClusterNode>;
    edges: ReadonlyMap<string, Edge>;
    health: HealthChecks;
    setLatency: (isOn: boolean) => void;
    stop: () => Promise<void>;
  }) {
    ({
      consul: this.consul,
      network: this.network,
      nodes: this.nodes,
      edges: this.edges,
      health: this.#health,
      setLatency: this.setLatency,
      stop: this.#stop,
    } = parts);
  }

  getNode(name: string): ClusterNode {
    const node = this.nodes.get(name);
    if (!node)
      throw new Error(`There is no node "${name}". Nodes: ${[...this.nodes.keys()].join(", ")}.`);
    return node;
  }

  /** Returns the FLY_CONSUL_URL of a node. */
  consulUrlFor(name: string): string {
    return this.network.consulUrlFor(name, this.consul.token);
  }

  /** Returns the site's URL in a region. */
  getEdgeUrl(region: string): string {
    const edge = this.edges.get(region);
    if (!edge)
      throw new Error(
        `There is no edge in "${region}". Regions: ${[...this.edges.keys()].join(", ")}.`,
      );
    return edge.url;
  }

  /** Returns the node that claims to be primary; null if none or several do. */
  async findPrimary(): Promise<ClusterNode | null> {
    const [first, ...others] = await this.#primaries();
    return first && others.length === 0 ? first : null;
  }

  /** Returns the running candidate that is not primary, or null. */
  async findStandby(): Promise<ClusterNode | null> {
    for (const node of this.nodes.values()) {
      const info = node.isRunning() ? await node.readLitefsInfo() : null;
      if (info?.candidate && !info.isPrimary) return node;
    }
    return null;
  }

  /** Waits until another candidate is in sync and its site serves. Returns it. */
  async waitForStandby(deadlineMs = 60_000): Promise<ClusterNode> {
    const name = await waitUntil(
      "A standby exists",
      deadlineMs,
      async () => (await this.findStandby())?.name ?? null,
    );
    const node = this.getNode(name!);
    await node.waitUntilReady(deadlineMs);
    return node;
  }

  /** Waits until exactly one node is primary and its site serves. Returns it. */
  async waitForPrimary(deadlineMs = 60_000): Promise<ClusterNode> {
    const names = await waitUntil(
      "One node is primary",
      deadlineMs,
      async () => (await this.#primaries()).map(({ name }) => name),
      (primaries) => primaries.length === 1,
    );
    const node = this.getNode(names[0]!);
    await node.waitUntilReady(deadlineMs);
    return node;
  }

  /** Returns each node's position by name; null if it has no copy or LiteFS does not respond. */
  async readPositions(): Promise<Record<string, Position | null>> {
    return Object.fromEntries(
      await Promise.all(
        [...this.nodes.values()].map(
          async (node) => [node.name, await node.readPosition()] as const,
        ),
      ),
    );
  }

  /** Returns the checksum of each node's database by name. */
  async readChecksums(): Promise<Record<string, string | null>> {
    return Object.fromEntries(
      Object.entries(await this.readPositions()).map(([name, position]) => [
        name,
        position?.checksum ?? null,
      ]),
    );
  }

  /**
   * Waits until all running nodes, or those named, have the same transaction and checksum. Returns
   * that position.
   */
  async waitUntilInSync(
    deadlineMs = 30_000,
    names: readonly string[] = [...this.nodes.values()]
      .filter((node) => node.isRunning())
      .map(({ name }) => name),
  ): Promise<Position> {
    const positions = await waitUntil(
      "All nodes are in sync",
      deadlineMs,
      async () =>
        Object.fromEntries(
          Object.entries(await this.readPositions()).filter(([name]) => names.includes(name)),
        ),
      (current) => {
        const [first, ...others] = Object.values(current);
        return (
          !!first &&
          others.every((other) => other?.txid === first.txid && other.checksum === first.checksum)
        );
      },
    );
    return Object.values(positions)[0]!;
  }

  /** Waits until every running node serves. */
  async waitUntilReady(deadlineMs = READY_MS): Promise<void> {
    await Promise.all(
      [...this.nodes.values()]
        .filter((node) => node.isRunning())
        .map((node) => node.waitUntilReady(deadlineMs)),
    );
  }

  /**
   * Waits until all running nodes follow the primary, its site tracks the standby, and the edges use
   * every node. Equal positions don't imply that, because nothing may have been written.
   */
  async waitUntilConnected(deadlineMs = 60_000): Promise<void> {
    const running = [...this.nodes.values()].filter((node) => node.isRunning());
    await waitUntil(
      "All nodes are connected",
      deadlineMs,
      async () => {
        const primary = await this.findPrimary();
        if (!primary) throw new Error("no single primary");
        const response = await fetch(`${primary.url}/readyz`, {
          signal: AbortSignal.timeout(10_000),
        });
        const { standby } = (await response.json()) as { standby: string | null };
        const infos = await Promise.all(running.map((node) => node.readLitefsInfo()));
        const healthy = this.#health.listHealthy().map(({ name }) => name);
        const problems = running.flatMap((node, i) => [
          ...(node === primary || infos[i]?.primary.hostname === primary.name
            ? []
            : [`${node.name} does not follow ${primary.name}`]),
          ...(healthy.includes(node.name) ? [] : [`the edges don't use ${node.name}`]),
        ]);
        return [...problems, ...(standby === "connected" ? [] : [standby])];
      },
      (problems) => problems.length === 0,
    );
  }

  /**
   * Undoes a test's faults: heals all links, restarts Consul and the nodes, and waits until the
   * cluster is healthy. Returns the names of what it repaired. Throws if the cluster does not
   * become healthy.
   */
  async repair(deadlineMs = READY_MS): Promise<string[]> {
    const repaired: string[] = [];
    if (this.network.healLinks()) repaired.push("links");
    this.consul.resume();
    const stopped = this.consul.servers.filter((server) => !server.isRunning());
    repaired.push(...stopped.map(({ name }) => name));
    if (stopped.length > 0) await this.consul.start();
    for (const node of this.nodes.values()) {
      node.resume();
      if (node.isRunning()) continue;
      repaired.push(node.name);
      await node.kill(); // its first process may have left others running
      node.start();
    }
    await this.waitForPrimary(deadlineMs);
    await this.waitUntilReady(deadlineMs);
    await this.waitForStandby(deadlineMs);
    await this.waitUntilInSync(deadlineMs);
    await this.waitUntilConnected(deadlineMs);
    return repaired;
  }

  /** Stops everything. Leaves no process, no mount, and no file unless a folder was given. */
  stop(): Promise<void> {
    return this.#stop();
  }

  async #primaries(): Promise<ClusterNode[]> {
    const nodes = [...this.nodes.values()].filter((node) => node.isRunning());
    const flags = await Promise.all(nodes.map((node) => node.isPrimary()));
    return nodes.filter((_, i) => flags[i]);
  }
}

/**
 * Starts everything and waits until all nodes serve and are in sync. Stops everything and throws if
 * this machine lacks something (see findTools), a port is taken, or a node does not start (with the
 * end of its log).
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const {
    regions = ["dfw", "ams", "syd"],
    consulServers = 1,
    port = 0,
    env = {},
    folder,
    diskSizesMb = {},
  } = options;
  const [primaryRegion] = regions;
  if (!primaryRegion) throw new Error("A cluster needs a region.");
  const { litefs, consul: consulBinary } = await findTools();
  await removeStaleWorkspaces();
  if (folder) await removeStaleWorkspace(resolve(folder), { keep: true });

  const workspace = createWorkspace(folder && resolve(folder));
  const keep = folder !== undefined;
  const atExit = () => workspace.removeSync({ keep });
  process.once("exit", atExit);

  let network: Network | undefined;
  let health: HealthChecks | undefined;
  let consul: Consul | undefined;
  const edges = new Map<string, Edge>();
  const nodes = new Map<string, ClusterNode>();
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      health?.stop();
      await Promise.all([...edges.values()].map((edge) => edge.stop()));
      // Kept data needs an orderly stop: the primary hands over before Consul stops.
      if (keep) await Promise.all([...nodes.values()].map((node) => node.stop()));
      if (keep) await consul?.stop();
      await workspace.remove({ keep });
      await network?.stop();
      process.off("exit", atExit);
    })());

  try {
    let hasLatency = options.latency ?? false;
    const roundTrip = (from: string, to: string) => (hasLatency ? roundTripMs(from, to) : 0);
    const nodeNames = regions.flatMap((region, i) =>
      Array.from({ length: i === 0 ? CANDIDATE_COUNT : 1 }, (_, n) => ({
        name: `${region}-${n + 1}`,
        region,
      })),
    );
    const serverNames = Array.from({ length: consulServers }, (_, i) =>
      consulServers === 1 ? "consul" : `consul-${i + 1}`,
    );
    network = await Network.start({
      consulServers: serverNames,
      consulRegion: primaryRegion,
      roundTripMs: roundTrip,
    });
    await network.addNodes(nodeNames, [APP_PORT, LITEFS_PORT]);
    const { listenAddress, peerAddress, consulAddress } = {
      consulAddress: network.consulAddress.bind(network),
      listenAddress: network.listenAddress.bind(network),
      peerAddress: network.peerAddress.bind(network),
    };

    health = startHealthChecks({
      instances: nodeNames.map(({ name, region }) => ({
        name,
        region,
        host: listenAddress(name),
        port: APP_PORT,
      })),
    });
    for (const [i, region] of regions.entries()) {
      edges.set(
        region,
        await startEdge({
          region,
          port: port === 0 ? 0 : port + i,
          health,
          roundTripMs,
          delayMs: (from, to) => roundTrip(from, to) / 2,
        }),
      );
    }

    consul = createConsul({
      binary: consulBinary,
      addresses: new Map(serverNames.map((name) => [name, consulAddress(name)])),
      workspace,
    });
    await consul.start();

    const shared = makeSharedEnvironment({
      workspace,
      litefs,
      primaryRegion,
      siteUrl: edges.get(primaryRegion)!.url,
    });
    for (const { name, region } of nodeNames) {
      nodes.set(
        name,
        new ClusterNode({
          name,
          region,
          network,
          consulUrl: network.consulUrlFor(name, consul.token),
          workspace,
          cwd: options.imageDir,
          command: options.command ?? (() => [process.execPath, "server/supervisor/main.ts"]),
          env: {
            ...shared,
            CLUSTER_NODES: nodeNames
              .map((peer) => `${peer.name}@${peer.region}=${peerAddress(peer.name, name)}`)
              .join(","),
            ...env,
          },
          ...(diskSizesMb[name] && { diskSizeMb: diskSizesMb[name] }),
          ...(options.beforeStart && { beforeStart: options.beforeStart }),
        }),
      );
    }
    for (const node of nodes.values()) node.start();

    const setLatency = (isOn: boolean) => void (hasLatency = isOn);
    const cluster = new Cluster({ consul, network, nodes, edges, health, setLatency, stop });
    await cluster.waitForPrimary(READY_MS);
    await cluster.waitUntilReady();
    // A joining candidate restarts once it has the data; until then it can't acquire the lease.
    await cluster.waitForStandby();
    await cluster.waitUntilInSync();
    await cluster.waitUntilConnected();
    return cluster;
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

function makeSharedEnvironment({
  workspace,
  litefs,
  primaryRegion,
  siteUrl,
}: {
  workspace: Workspace;
  litefs: string;
  primaryRegion: string;
  siteUrl: string;
}): Environment {
  const secretFile = join(workspace.folder, "secret");
  if (!existsSync(secretFile))
    writeFileSync(secretFile, randomBytes(32).toString("hex"), { mode: 0o600 });
  return {
    // Exclude the shell's variables, as on a separate machine.
    PATH: [dirname(litefs), dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: workspace.folder,
    NODE_ENV: "production",
    REPLICATION: "on",
    TRUST_PROXY: "fly",
    INSTANCE_BANNER: "on",
    FLY_APP_NAME: "lectern",
    PRIMARY_REGION: primaryRegion,
    LITEFS_LEASE_KEY: LEASE_KEY,
    LITEFS_LEASE_TTL: "10s",
    SESSION_SECRET: readFileSync(secretFile, "utf8"),
    SITE_URL: siteUrl,
  };
}
