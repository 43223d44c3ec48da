// A whole cluster on this machine: Consul, nodes that run the image on LiteFS, the network between them, an edge per region.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { type Consul, createConsul } from "./consul.ts";
import { roundTripMs } from "./region-round-trip.ts";
import { type Edge, startEdge } from "./edge/edge.ts";
import { type HealthChecks, startHealthChecks } from "./edge/instances.ts";
import { CONSUL, Network } from "./network.ts";
import { APP_PORT, ClusterNode, LITEFS_PORT, type Position } from "./node.ts";
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
  /** The folder that scripts/build-app-image.ts filled. */
  imageDir: string;
  /** The first is the primary region; it has two candidates, the others one replica each. */
  regions?: readonly string[];
  /** Ways between regions as long as they are; otherwise all are near. */
  latency?: boolean;
  /** Of the first region's edge, the others follow; 0: any free ones. */
  port?: number;
  /** Of every node, besides what makes it a node. */
  env?: Environment;
  /** Keep the data here and go on with it; without it, a temporary folder that ends with the cluster. */
  folder?: string;
  /** Nodes whose data is on a disk of its own, by name, in MB; root only. */
  diskSizesMb?: Readonly<Record<string, number>>;
  /** What a node runs, if not `node server/supervisor/main.ts` in the image. */
  command?: (env: Environment) => readonly string[];
}

/** Two machines can take the lease. */
const CANDIDATE_COUNT = 2;
const READY_MS = 120_000;

export class Cluster {
  readonly consul: Consul;
  readonly network: Network;
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  /** By region. */
  readonly edges: ReadonlyMap<string, Edge>;
  readonly #stop: () => Promise<void>;

  constructor(parts: {
    consul: Consul;
    network: Network;
    nodes: ReadonlyMap<string, ClusterNode>;
    edges: ReadonlyMap<string, Edge>;
    stop: () => Promise<void>;
  }) {
    ({
      consul: this.consul,
      network: this.network,
      nodes: this.nodes,
      edges: this.edges,
      stop: this.#stop,
    } = parts);
  }

  getNode(name: string): ClusterNode {
    const node = this.nodes.get(name);
    if (!node)
      throw new Error(
        `There is no node "${name}". There are: ${[...this.nodes.keys()].join(", ")}.`,
      );
    return node;
  }

  /** The site's URL in a region. */
  getEdgeUrl(region: string): string {
    const edge = this.edges.get(region);
    if (!edge)
      throw new Error(
        `There is no edge in "${region}". There are: ${[...this.edges.keys()].join(", ")}.`,
      );
    return edge.url;
  }

  /** The node that LiteFS says is primary; null while none is, and while more than one says so. */
  async findPrimary(): Promise<ClusterNode | null> {
    const [first, ...others] = await this.#primaries();
    return first && others.length === 0 ? first : null;
  }

  /** The candidate that is not primary and runs; null without one. */
  async findStandby(): Promise<ClusterNode | null> {
    for (const node of this.nodes.values()) {
      const info = node.isRunning() ? await node.readLitefsInfo() : null;
      if (info?.candidate && !info.isPrimary) return node;
    }
    return null;
  }

  /** Waits until another candidate stands by, with all data, and its site serves. Resolves to it. */
  async waitForStandby(deadlineMs = 60_000): Promise<ClusterNode> {
    const name = await waitUntil(
      "A candidate stands by",
      deadlineMs,
      async () => (await this.findStandby())?.name ?? null,
    );
    const node = this.getNode(name!);
    await node.waitUntilReady(deadlineMs);
    return node;
  }

  /** Waits until exactly one node is primary, and its site serves. Resolves to it. */
  async waitForPrimary(deadlineMs = 60_000): Promise<ClusterNode> {
    const found = await waitUntil(
      "One node is primary",
      deadlineMs,
      async () => (await this.#primaries()).map(({ name }) => name),
      (names) => names.length === 1,
    );
    const node = this.getNode(found[0]!);
    await node.waitUntilReady(deadlineMs);
    return node;
  }

  /** Where each node's copy is, by name; null where there is none or LiteFS doesn't answer. */
  async readPositions(): Promise<Record<string, Position | null>> {
    return Object.fromEntries(
      await Promise.all(
        [...this.nodes.values()].map(
          async (node) => [node.name, await node.readPosition()] as const,
        ),
      ),
    );
  }

  /** The checksum of each node's whole database, by name. */
  async readChecksums(): Promise<Record<string, string | null>> {
    return Object.fromEntries(
      Object.entries(await this.readPositions()).map(([name, position]) => [
        name,
        position?.checksum ?? null,
      ]),
    );
  }

  /** Waits until all nodes that run (or those named) are at the same transaction with the same checksum. Resolves to it. */
  async waitUntilInSync(
    deadlineMs = 30_000,
    names: readonly string[] = [...this.nodes.values()]
      .filter((node) => node.isRunning())
      .map(({ name }) => name),
  ): Promise<Position> {
    const seen = await waitUntil(
      "All nodes are equal",
      deadlineMs,
      async () =>
        Object.fromEntries(
          Object.entries(await this.readPositions()).filter(([name]) => names.includes(name)),
        ),
      (positions) => {
        const [first, ...others] = Object.values(positions);
        return (
          !!first &&
          others.every((other) => other?.txid === first.txid && other.checksum === first.checksum)
        );
      },
    );
    return Object.values(seen)[0]!;
  }

  /** Waits until every node that runs serves. */
  async waitUntilReady(deadlineMs = READY_MS): Promise<void> {
    await Promise.all(
      [...this.nodes.values()]
        .filter((node) => node.isRunning())
        .map((node) => node.waitUntilReady(deadlineMs)),
    );
  }

  /**
   * Undoes what a test did to it: heals all ways, lets Consul and all nodes run, and waits until the cluster is whole.
   * Returns what it had to mend. Throws when it does not become whole.
   */
  async repair(deadlineMs = READY_MS): Promise<string[]> {
    const mended: string[] = [];
    if (this.network.healLinks()) mended.push("ways");
    this.consul.resume();
    if (!this.consul.isRunning()) {
      mended.push(CONSUL);
      await this.consul.start();
    }
    for (const node of this.nodes.values()) {
      node.resume();
      if (node.isRunning()) continue;
      mended.push(node.name);
      await node.kill(); // what a first process that ended by itself left running
      node.start();
    }
    await this.waitForPrimary(deadlineMs);
    await this.waitUntilReady(deadlineMs);
    await this.waitForStandby(deadlineMs);
    await this.waitUntilInSync(deadlineMs);
    return mended;
  }

  /** Ends everything. Leaves no process, no mount, and no file unless a folder was given. */
  stop(): Promise<void> {
    return this.#stop();
  }

  async #primaries(): Promise<ClusterNode[]> {
    const nodes = [...this.nodes.values()].filter((node) => node.isRunning());
    const are = await Promise.all(nodes.map((node) => node.isPrimary()));
    return nodes.filter((_, i) => are[i]);
  }
}

/**
 * Starts everything and waits until all nodes serve and are equal. Throws, after it ended what it had started, when this
 * machine lacks something (see findTools), a port is taken, or a node does not come up (with the end of its log).
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const {
    regions = ["dfw", "ams", "syd"],
    latency = false,
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
      // What is kept ends in order: the primary hands on what it has before Consul goes.
      if (keep) await Promise.all([...nodes.values()].map((node) => node.stop()));
      if (keep) await consul?.stop();
      await workspace.remove({ keep });
      await network?.stop();
      process.off("exit", atExit);
    })());

  try {
    const roundTrip = latency ? roundTripMs : () => 0;
    const places = regions.flatMap((region, i) =>
      Array.from({ length: i === 0 ? CANDIDATE_COUNT : 1 }, (_, n) => ({
        name: `${region}-${n + 1}`,
        region,
      })),
    );
    network = await Network.start({ consulRegion: primaryRegion, roundTripMs: roundTrip });
    for (const { name, region } of places)
      await network.addNode(name, region, [APP_PORT, LITEFS_PORT]);
    const { addressOf, addressFor } = {
      addressOf: network.listenAddress.bind(network),
      addressFor: network.peerAddress.bind(network),
    };

    health = startHealthChecks({
      instances: places.map(({ name, region }) => ({
        name,
        region,
        host: addressOf(name),
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

    consul = createConsul({ binary: consulBinary, address: network.consulAddress(), workspace });
    await consul.start();

    const shared = makeSharedEnvironment({
      workspace,
      litefs,
      primaryRegion,
      siteUrl: edges.get(primaryRegion)!.url,
      nodes: places.map(({ name, region }) => `${name}@${region}=${addressFor(name)}`).join(","),
    });
    for (const { name, region } of places) {
      nodes.set(
        name,
        new ClusterNode({
          name,
          region,
          network,
          workspace,
          cwd: options.imageDir,
          command: options.command ?? (() => [process.execPath, "server/supervisor/main.ts"]),
          env: { ...shared, ...env },
          ...(diskSizesMb[name] && { diskSizeMb: diskSizesMb[name] }),
        }),
      );
    }
    for (const node of nodes.values()) node.start();

    const cluster = new Cluster({ consul, network, nodes, edges, stop });
    await cluster.waitForPrimary(READY_MS);
    await cluster.waitUntilReady();
    // A candidate that joins starts anew when it has the data: until then it can't take the lease.
    await cluster.waitForStandby();
    await cluster.waitUntilInSync();
    await health.checkAll();
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
  nodes,
}: {
  workspace: Workspace;
  litefs: string;
  primaryRegion: string;
  siteUrl: string;
  nodes: string;
}): Environment {
  const secretFile = join(workspace.folder, "secret");
  if (!existsSync(secretFile))
    writeFileSync(secretFile, randomBytes(32).toString("hex"), { mode: 0o600 });
  return {
    // Not what the shell has set: a node knows what its machine would.
    PATH: [dirname(litefs), dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: workspace.folder,
    NODE_ENV: "production",
    REPLICATION: "on",
    TRUST_PROXY: "fly",
    CLUSTER_STRIP: "on",
    FLY_APP_NAME: "lectern",
    PRIMARY_REGION: primaryRegion,
    CLUSTER_NODES: nodes,
    LITEFS_LEASE_KEY: "litefs/lectern",
    LITEFS_LEASE_TTL: "10s",
    SESSION_SECRET: readFileSync(secretFile, "utf8"),
    SITE_URL: siteUrl,
  };
}
