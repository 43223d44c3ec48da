// Simulates the network between the nodes of a cluster and Consul, with latency and partitions.
//
// Cluster number A uses 127.A.0.0/16. Node N listens on 127.A.0.N, and node M reaches it at
// 127.A.(100+N).M. Consul server C (0, 1, …) listens on 127.A.0.(200+C), and node N reaches it at
// 127.A.(10+C).N. So the address tells which link a connection uses. Only the URL in the lease is the
// same for all nodes: 127.A.1.N. All nodes use the same ports.

import { createServer, type Server } from "node:net";
import { once } from "node:events";
import {
  type SocketAddress,
  type LinkState,
  type LatencyProxy,
  startLatencyProxy,
} from "./latency-proxy.ts";
import { findConnectionOwner } from "./process-sessions.ts";

export const CONSUL_PORT = 8500;
/** The prefix of all keys, which the site's token may use (consul/start.sh). */
export const CONSUL_PATH = "/lectern";

export interface NetworkOptions {
  /** The names of the Consul servers. */
  consulServers: readonly string[];
  /** Their region. */
  consulRegion: string;
  /** Returns the round-trip time between two regions in milliseconds. */
  roundTripMs: (from: string, to: string) => number;
}

interface NetworkNode {
  name: string;
  region: string;
  number: number;
  /** The process session of the node; null while it is down. */
  session: number | null;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #lock: Server;
  readonly #number: number;
  readonly #nodes = new Map<string, NetworkNode>();
  readonly #linkStates = new Map<string, LinkState>();
  readonly #links: LatencyProxy[] = [];

  private constructor(options: NetworkOptions, number: number, lock: Server) {
    this.#options = options;
    this.#number = number;
    this.#lock = lock;
  }

  /**
   * Returns a network with addresses that no other cluster on this machine uses. Throws if all are
   * taken.
   */
  static async start(options: NetworkOptions): Promise<Network> {
    for (let number = 77; number < 127; number += 1) {
      const lock = createServer();
      lock.listen(1_024, `127.${number}.3.1`);
      const isFree = await once(lock, "listening").then(
        () => true,
        () => false,
      );
      if (isFree) return new Network(options, number, lock);
    }
    throw new Error("All fifty address ranges for clusters are in use on this machine.");
  }

  /**
   * Assigns addresses to the nodes, and opens their links to each other on each of `ports`, and to
   * the Consul servers.
   */
  async addNodes(
    nodes: readonly { readonly name: string; readonly region: string }[],
    ports: readonly number[],
  ): Promise<void> {
    for (const [i, { name, region }] of nodes.entries())
      this.#nodes.set(name, { name, region, number: i + 1, session: null });
    for (const node of this.#nodes.values()) {
      for (const port of ports) {
        const target = { address: this.listenAddress(node.name), port };
        for (const peer of this.#nodes.values())
          await this.#open(
            { address: this.peerAddress(node.name, peer.name), port },
            target,
            node.name,
            node.region,
            () => peer,
          );
        const shared = { address: this.sharedAddress(node.name), port };
        await this.#open(
          shared,
          target,
          node.name,
          node.region,
          ({ remoteAddress = "", remotePort = 0 }) =>
            this.#findDialer(shared, { address: remoteAddress, port: remotePort }),
        );
      }
      for (const server of this.#options.consulServers)
        await this.#open(
          { address: this.#consulPeerAddress(server, node), port: CONSUL_PORT },
          { address: this.consulAddress(server), port: CONSUL_PORT },
          server,
          this.#options.consulRegion,
          () => node,
        );
    }
  }

  /** Sets the session that identifies the node's connections; null while it is down. */
  setSession(name: string, session: number | null): void {
    this.#getNode(name).session = session;
  }

  /** Returns the node's own address, used by the node itself, the edge and tests. */
  listenAddress(name: string): string {
    return `127.${this.#number}.0.${this.#getNode(name).number}`;
  }

  /** Returns the address at which `from` reaches the node. */
  peerAddress(name: string, from: string): string {
    return `127.${this.#number}.${100 + this.#getNode(name).number}.${this.#getNode(from).number}`;
  }

  /**
   * Returns the node's address for all its peers. Each connection costs about 15 ms of CPU time,
   * because its source must be searched in /proc.
   */
  sharedAddress(name: string): string {
    return `127.${this.#number}.1.${this.#getNode(name).number}`;
  }

  /** Returns a Consul server's own address, used by the servers themselves and tests. */
  consulAddress(server: string): string {
    return `127.${this.#number}.0.${200 + this.#options.consulServers.indexOf(server)}`;
  }

  /** Returns the URLs at which this node reaches the Consul servers, separated by commas. */
  consulUrlFor(name: string, token: string): string {
    const node = this.#getNode(name);
    return this.#options.consulServers
      .map((server) => this.#consulPeerAddress(server, node))
      .map((address) => `http://:${token}@${address}:${CONSUL_PORT}${CONSUL_PATH}`)
      .join(",");
  }

  #consulPeerAddress(server: string, node: NetworkNode): string {
    return `127.${this.#number}.${10 + this.#options.consulServers.indexOf(server)}.${node.number}`;
  }

  /**
   * Cuts the link between two nodes, or a node and a Consul server, in both directions. "silent"
   * holds data back until the link is healed; "reset" breaks connections.
   */
  cutLink(one: string, other: string, state: Exclude<LinkState, "open"> = "silent"): void {
    this.#setLinkState(one, other, state);
  }

  /** Partitions a node from all others and from Consul. Its region's edge still reaches it. */
  isolateNode(name: string, state: Exclude<LinkState, "open"> = "silent"): void {
    for (const other of [...this.#nodes.keys(), ...this.#options.consulServers])
      if (other !== name) this.#setLinkState(name, other, state);
  }

  /** Heals all links. Returns true if any was cut. */
  healLinks(): boolean {
    const wasCut = this.#linkStates.size > 0;
    this.#linkStates.clear();
    for (const link of this.#links) link.applyLinkState();
    return wasCut;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
    this.#lock.close();
  }

  async #open(
    listen: SocketAddress,
    target: SocketAddress,
    to: string,
    region: string,
    findSource: (socket: { remoteAddress?: string; remotePort?: number }) => NetworkNode | null,
  ): Promise<void> {
    this.#links.push(
      await startLatencyProxy<NetworkNode>({
        listen,
        target,
        findSource,
        delayMs: (source) => this.#options.roundTripMs(source.region, region) / 2,
        linkState: (source) => this.#linkStates.get(linkKey(source.name, to)) ?? "open",
      }),
    );
  }

  #findDialer(local: SocketAddress, remote: SocketAddress): NetworkNode | null {
    const sessions = new Map(
      [...this.#nodes.values()].flatMap((node) =>
        node.session === null ? [] : [[node, node.session] as const],
      ),
    );
    return findConnectionOwner(sessions, local, remote);
  }

  #setLinkState(one: string, other: string, state: Exclude<LinkState, "open">): void {
    for (const name of [one, other])
      if (!this.#options.consulServers.includes(name)) this.#getNode(name);
    this.#linkStates.set(linkKey(one, other), state);
    for (const link of this.#links) link.applyLinkState();
  }

  #getNode(name: string): NetworkNode {
    const node = this.#nodes.get(name);
    if (!node)
      throw new Error(`There is no node "${name}". Nodes: ${[...this.#nodes.keys()].join(", ")}.`);
    return node;
  }
}

const linkKey = (one: string, other: string) => [one, other].sort().join("|");
