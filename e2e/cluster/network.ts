// The only way between the nodes of a cluster, and from them to Consul: as far as their regions are, and it can be cut.
//
// A cluster has a number A of its own. Node N listens on 127.A.0.N, and other nodes know it as 127.A.1.N; Consul
// listens on 127.A.0.250, and node N knows it as 127.A.2.N. All nodes use the same ports, as machines do.

import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { type Address, type Joint, type Link, startLink } from "./link.ts";
import { findDialer } from "./processes.ts";

export const CONSUL = "consul";
export const CONSUL_PORT = 8500;

export interface NetworkOptions {
  /** Where Consul stands. */
  consulRegion: string;
  /** The round trip between two regions, in milliseconds. */
  roundTripMs: (from: string, to: string) => number;
}

interface Place {
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
  readonly #places = new Map<string, Place>();
  readonly #joints = new Map<string, Joint>();
  readonly #links: Link[] = [];

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
  async add(name: string, region: string, ports: readonly number[]): Promise<void> {
    const place: Place = { name, region, number: this.#places.size + 1, session: null };
    this.#places.set(name, place);
    for (const port of ports) {
      await this.#open(
        { address: this.addressFor(name), port },
        { address: this.addressOf(name), port },
        place.name,
        place.region,
        ({ remoteAddress = "", remotePort = 0 }) =>
          this.#findDialer(
            { address: this.addressFor(name), port },
            { address: remoteAddress, port: remotePort },
          ),
      );
    }
    await this.#open(
      { address: this.consulFor(name), port: CONSUL_PORT },
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
  addressOf(name: string): string {
    return `127.${this.#number}.0.${this.#place(name).number}`;
  }

  /** Where other nodes reach it. */
  addressFor(name: string): string {
    return `127.${this.#number}.1.${this.#place(name).number}`;
  }

  consulAddress(): string {
    return `127.${this.#number}.0.250`;
  }

  /** Where this node reaches Consul. */
  consulFor(name: string): string {
    return `127.${this.#number}.2.${this.#place(name).number}`;
  }

  /**
   * Cuts the way between two nodes, or a node and `CONSUL`, in both directions. "silent": what is sent does not arrive
   * until the way is healed, and nobody is told; "reset": connections break.
   */
  cut(one: string, other: string, how: Exclude<Joint, "open"> = "silent"): void {
    this.#join(one, other, how);
  }

  /** Cuts a node off from all others and from Consul. Its region's edge still reaches it. */
  isolate(name: string, how: Exclude<Joint, "open"> = "silent"): void {
    for (const other of [...this.#places.keys(), CONSUL])
      if (other !== name) this.#join(name, other, how);
  }

  /** Cuts every node off from Consul. */
  cutConsul(how: Exclude<Joint, "open"> = "silent"): void {
    for (const name of this.#places.keys()) this.#join(name, CONSUL, how);
  }

  /** Heals one way, or with no names given all of them. Returns whether anything was cut. */
  heal(one?: string, other?: string): boolean {
    const wasCut =
      one === undefined || other === undefined
        ? this.#joints.size > 0
        : this.#joints.delete(keyOf(one, other));
    if (one === undefined || other === undefined) this.#joints.clear();
    for (const link of this.#links) link.changed();
    return wasCut;
  }

  /** How many connections there are over all ways. */
  connections(): number {
    return this.#links.reduce((sum, link) => sum + link.connections(), 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
    this.#lock.close();
  }

  async #open(
    listen: Address,
    target: Address,
    to: string,
    region: string,
    findSource: (socket: { remoteAddress?: string; remotePort?: number }) => Place | null,
  ): Promise<void> {
    this.#links.push(
      await startLink<Place>({
        listen,
        target,
        findSource,
        delayMs: (source) => this.#options.roundTripMs(source.region, region) / 2,
        joint: (source) => this.#joints.get(keyOf(source.name, to)) ?? "open",
      }),
    );
  }

  #findDialer(local: Address, remote: Address): Place | null {
    const sessions = new Map(
      [...this.#places.values()].flatMap((place) =>
        place.session === null ? [] : [[place, place.session] as const],
      ),
    );
    return findDialer(sessions, local, remote);
  }

  #join(one: string, other: string, joint: Exclude<Joint, "open">): void {
    for (const name of [one, other]) if (name !== CONSUL) this.#place(name);
    this.#joints.set(keyOf(one, other), joint);
    for (const link of this.#links) link.changed();
  }

  #place(name: string): Place {
    const place = this.#places.get(name);
    if (!place)
      throw new Error(
        `There is no node "${name}". There are: ${[...this.#places.keys()].join(", ")}.`,
      );
    return place;
  }
}

const keyOf = (one: string, other: string) => [one, other].sort().join("|");
