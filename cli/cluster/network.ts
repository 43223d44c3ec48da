// The only way between the nodes of a cluster, and from them to Consul: as far as their regions are, and it can be cut.
//
// A cluster has a number A of its own. Node N listens on 127.A.0.N, and other nodes know it as 127.A.1.N; Consul
// listens on 127.A.0.250, and node N knows it as 127.A.2.N. All nodes use the same ports, as machines do.

import { createServer, type Server } from "node:net";
import { once } from "node:events";
import {
  type SocketAddress,
  type LinkState,
  type LatencyProxy,
  startLatencyProxy,
} from "./latency-proxy.ts";
import { findConnectionOwner } from "./process-sessions.ts";

export const CONSUL = "consul";
export const CONSUL_PORT = 8500;

export interface NetworkOptions {
  /** Where Consul stands. */
  consulRegion: string;
  /** The round trip between two regions, in milliseconds. */
  roundTripMs: (from: string, to: string) => number;
}

interface NetworkNode {
  name: string;
  region: string;
  /** From 1. */
  number: number;
  /** The session of its processes, while it runs. */
  session: number | null;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #lock: Server;
  readonly #number: number;
  readonly #places = new Map<string, NetworkNode>();
  readonly #joints = new Map<string, LinkState>();
  readonly #links: LatencyProxy[] = [];

  private constructor(options: NetworkOptions, number: number, lock: Server) {
    this.#options = options;
    this.#number = number;
    this.#lock = lock;
  }

  /** A network with addresses that no other cluster on this machine uses. Throws when all are taken. */
  static async start(options: NetworkOptions): Promise<Network> {
    for (let number = 77; number < 127; number += 1) {
      const lock = createServer();
      lock.listen(1_024, `127.${number}.3.1`);
      // Rejects at an error.
      const isOurs = await once(lock, "listening").then(
        () => true,
        () => false,
      );
      if (isOurs) return new Network(options, number, lock);
    }
    throw new Error("There are fifty clusters on this machine already.");
  }

  /** Gives `name` its addresses and opens the ways to it, on each of `ports`, and its way to Consul. */
  async addNode(name: string, region: string, ports: readonly number[]): Promise<void> {
    const place: NetworkNode = { name, region, number: this.#places.size + 1, session: null };
    this.#places.set(name, place);
    for (const port of ports) {
      await this.#open(
        { address: this.peerAddress(name), port },
        { address: this.listenAddress(name), port },
        place.name,
        place.region,
        ({ remoteAddress = "", remotePort = 0 }) =>
          this.#findDialer(
            { address: this.peerAddress(name), port },
            { address: remoteAddress, port: remotePort },
          ),
      );
    }
    await this.#open(
      { address: this.consulAddressFor(name), port: CONSUL_PORT },
      { address: this.consulAddress(), port: CONSUL_PORT },
      CONSUL,
      this.#options.consulRegion,
      () => place,
    );
  }

  /** Says whose connections are `name`'s: those of the processes in `session`; null when it is down. */
  setSession(name: string, session: number | null): void {
    this.#place(name).session = session;
  }

  /** Where the node listens. Only itself, the edge and tests use it. */
  listenAddress(name: string): string {
    return `127.${this.#number}.0.${this.#place(name).number}`;
  }

  /** Where other nodes reach it. */
  peerAddress(name: string): string {
    return `127.${this.#number}.1.${this.#place(name).number}`;
  }

  consulAddress(): string {
    return `127.${this.#number}.0.250`;
  }

  /** Where this node reaches Consul. */
  consulAddressFor(name: string): string {
    return `127.${this.#number}.2.${this.#place(name).number}`;
  }

  /**
   * Cuts the way between two nodes, or a node and `CONSUL`, in both directions. "silent": what is sent does not arrive
   * until the way is healed, and nobody is told; "reset": connections break.
   */
  cutLink(one: string, other: string, how: Exclude<LinkState, "open"> = "silent"): void {
    this.#join(one, other, how);
  }

  /** Cuts a node off from all others and from Consul. Its region's edge still reaches it. */
  isolateNode(name: string, how: Exclude<LinkState, "open"> = "silent"): void {
    for (const other of [...this.#places.keys(), CONSUL])
      if (other !== name) this.#join(name, other, how);
  }

  /** Cuts every node off from Consul. */
  cutConsul(how: Exclude<LinkState, "open"> = "silent"): void {
    for (const name of this.#places.keys()) this.#join(name, CONSUL, how);
  }

  /** Heals one way, or with no names given all of them. Returns whether anything was cut. */
  healLinks(one?: string, other?: string): boolean {
    const wasCut =
      one === undefined || other === undefined
        ? this.#joints.size > 0
        : this.#joints.delete(linkKey(one, other));
    if (one === undefined || other === undefined) this.#joints.clear();
    for (const link of this.#links) link.applyLinkState();
    return wasCut;
  }

  /** How many connections there are over all ways. */
  countConnections(): number {
    return this.#links.reduce((sum, link) => sum + link.countConnections(), 0);
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
        linkState: (source) => this.#joints.get(linkKey(source.name, to)) ?? "open",
      }),
    );
  }

  #findDialer(local: SocketAddress, remote: SocketAddress): NetworkNode | null {
    const sessions = new Map(
      [...this.#places.values()].flatMap((place) =>
        place.session === null ? [] : [[place, place.session] as const],
      ),
    );
    return findConnectionOwner(sessions, local, remote);
  }

  #join(one: string, other: string, joint: Exclude<LinkState, "open">): void {
    for (const name of [one, other]) if (name !== CONSUL) this.#place(name);
    this.#joints.set(linkKey(one, other), joint);
    for (const link of this.#links) link.applyLinkState();
  }

  #place(name: string): NetworkNode {
    const place = this.#places.get(name);
    if (!place)
      throw new Error(
        `There is no node "${name}". There are: ${[...this.#places.keys()].join(", ")}.`,
      );
    return place;
  }
}

const linkKey = (one: string, other: string) => [one, other].sort().join("|");
