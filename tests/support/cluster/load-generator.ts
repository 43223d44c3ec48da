// Generates load in every region: reads, writes and logins, and records each acknowledgment for
// later verification.

import { setTimeout as sleep } from "node:timers/promises";
import type { TestSmtpServer } from "#tests/support/smtp-server.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { type CompletedLogin, startEmailLogin } from "./login-by-email.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { listCountedSlugs } from "./read-your-writes-load.ts";
import { pick } from "#tests/support/random.ts";
import { ClusterClient } from "./cluster-client.ts";
import { makeReadBeacon } from "./cluster-secret.ts";
import { type SeededMember, queryNode, seedMembers } from "./node-database.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

export interface LoadOptions {
  /** Concurrent readers in each region. */
  readers?: number;
  /** Concurrent writers, each through random regions. */
  writers?: number;
  /** Concurrent logins. Each is a write that must not be lost. */
  logins?: number;
  /** Time after which a reader or writer gives up a request. Default: 30 s. */
  patienceMs?: number;
  /**
   * Pauses of each reader and writer. The defaults are short enough to detect a gap of one second,
   * and long enough to leave the CPU to the cluster.
   */
  readPauseMs?: number;
  writePauseMs?: number;
  /** Called after each successful read with its duration. */
  onRead?: (region: string, ms: number) => void;
}

/** An acknowledged write: the read of a post by a new anonymous reader. */
export interface AcknowledgedWrite {
  /** Identifies the row that must exist. */
  readonly clientId: string;
  /** The transaction id in the txid cookie: the write's, or a later one. */
  readonly txid: number;
  /** When the write was sent, by performance.now(). */
  readonly sentMs: number;
  readonly answeredMs: number;
}

export interface LoadFailure {
  readonly region: string;
  readonly reason: string;
  readonly failedMs: number;
}

const READ_PAUSE_MS = 250;
const WRITE_PAUSE_MS = 100;
const LOGIN_PAUSE_MS = 500;
/** Below the site's limit per address and minute (lib/reading/read-limiter.ts). */
const WRITES_PER_ADDRESS = 50;

export class LoadGenerator {
  readonly writes: AcknowledgedWrite[] = [];
  readonly logins: CompletedLogin[] = [];
  readonly failedReads: LoadFailure[] = [];
  /** Writes and logins without acknowledgment. They may still be stored. */
  readonly refusedWrites: LoadFailure[] = [];
  readonly readsByRegion = new Map<string, number>();
  readonly slowestReadMsByRegion = new Map<string, number>();
  readonly #cluster: Cluster;
  readonly #smtp: TestSmtpServer;
  readonly #slugs: readonly string[];
  readonly #members: readonly SeededMember[];
  readonly #timeoutMs: number | undefined;
  readonly #readPauseMs: number;
  readonly #writePauseMs: number;
  readonly #onRead: (region: string, ms: number) => void;
  #turn = 0;
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(
    cluster: Cluster,
    smtp: TestSmtpServer,
    slugs: readonly string[],
    members: readonly SeededMember[],
    {
      patienceMs,
      readPauseMs = READ_PAUSE_MS,
      writePauseMs = WRITE_PAUSE_MS,
      onRead = () => undefined,
    }: LoadOptions,
  ) {
    this.#cluster = cluster;
    this.#smtp = smtp;
    this.#slugs = slugs;
    this.#members = members;
    this.#timeoutMs = patienceMs;
    this.#readPauseMs = readPauseMs;
    this.#writePauseMs = writePauseMs;
    this.#onRead = onRead;
  }

  /** Starts the load; resolves once every kind of request has succeeded. */
  static async start(
    cluster: Cluster,
    smtp: TestSmtpServer,
    { readers = 1, writers = 2, logins = 1, ...options }: LoadOptions = {},
  ): Promise<LoadGenerator> {
    // The site sends five login emails per hour to one address, so logins need many members.
    const load = new LoadGenerator(
      cluster,
      smtp,
      await listCountedSlugs(cluster),
      await seedMembers(cluster, 200),
      options,
    );
    const repeat = (count: number, run: () => Promise<void>) => Array.from({ length: count }, run);
    load.#running = Promise.all([
      ...[...cluster.edges.keys()].flatMap((region) => repeat(readers, () => load.#read(region))),
      ...repeat(writers, () => load.#write()),
      ...repeat(logins, () => load.#logIn()),
    ]);
    await waitUntil(
      "The load has started",
      60_000,
      () => ({
        writes: load.writes.length,
        logins: load.logins.length,
        reads: load.readsByRegion.size,
        failed: load.failedReads.slice(0, 3),
        refused: load.refusedWrites.slice(0, 3),
      }),
      (progress) =>
        progress.reads === cluster.edges.size &&
        (writers === 0 || progress.writes > 0) &&
        (logins === 0 || progress.logins > 0),
    );
    return load;
  }

  /** Waits until `count` more writes are acknowledged than now. */
  async waitForWrites(count: number, deadlineMs = 30_000): Promise<void> {
    const goal = this.writes.length + count;
    await waitUntil(
      `${count} more writes are acknowledged`,
      deadlineMs,
      () => this.writes.length,
      (writes) => writes >= goal,
    );
  }

  /** Stops once all running requests have completed. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /** Returns the slowest read of all regions in milliseconds. */
  get slowestReadMs(): number {
    return Math.max(...this.slowestReadMsByRegion.values());
  }

  /**
   * Returns the longest time without an acknowledged write between two moments, in milliseconds.
   */
  longestGapMs(fromMs: number, toMs: number): number {
    const times = [
      fromMs,
      ...this.writes
        .map(({ answeredMs }) => answeredMs)
        .filter((atMs) => atMs > fromMs && atMs < toMs)
        .sort((a, b) => a - b),
      toMs,
    ];
    return Math.max(...times.slice(1).map((atMs, i) => atMs - times[i]!));
  }

  /** Returns the acknowledged writes and logins that are missing from the copy on `node`. */
  findLostWrites(node: ClusterNode): { writes: AcknowledgedWrite[]; logins: CompletedLogin[] } {
    const reads = new Set(
      queryNode<{ clientId: string }>(
        node,
        `SELECT "clientId" FROM "PostRead" WHERE "clientId" IS NOT NULL`,
      ).map(({ clientId }) => clientId),
    );
    const sessions = new Set(
      queryNode<{ id: string }>(node, `SELECT "id" FROM "Session"`).map(({ id }) => id),
    );
    return {
      writes: this.writes.filter(({ clientId }) => !reads.has(clientId)),
      logins: this.logins.filter(({ sessionKey }) => !sessions.has(sessionKey)),
    };
  }

  async #read(region: string): Promise<void> {
    const clients = [
      new ClusterClient(this.#cluster),
      new ClusterClient(this.#cluster, { session: pick(Math.random, this.#members).session }),
    ] as const;
    for (let turn = 0; !this.#isOver; turn += 1) {
      const path = turn % 2 === 0 ? `/blog/${pick(Math.random, this.#slugs)}` : "/me";
      try {
        const { status, ms } = await clients[turn % 2]!.request(region, path, {
          timeoutMs: this.#timeoutMs,
        });
        this.slowestReadMsByRegion.set(
          region,
          Math.max(this.slowestReadMsByRegion.get(region) ?? 0, ms),
        );
        if (status === 200) this.#onRead(region, ms);
        if (status === 200)
          this.readsByRegion.set(region, (this.readsByRegion.get(region) ?? 0) + 1);
        else this.#fail(this.failedReads, region, `${status} of ${path}`);
      } catch (error) {
        this.#fail(this.failedReads, region, `${(error as Error).message} of ${path}`);
      }
      await sleep(this.#readPauseMs);
    }
    for (const client of clients) client.close();
  }

  async #write(): Promise<void> {
    let client = new ClusterClient(this.#cluster);
    for (let turn = 1; !this.#isOver; turn += 1) {
      if (turn % WRITES_PER_ADDRESS === 0) {
        client.close();
        client = new ClusterClient(this.#cluster);
      }
      client.cookies.clear();
      const region = this.#pickRegion();
      const sentMs = performance.now();
      try {
        const { status, headers, text } = await client.request(region, "/reads", {
          ...makeReadBeacon(this.#cluster, pick(Math.random, this.#slugs)),
          timeoutMs: this.#timeoutMs,
        });
        const [clientId] = (client.cookies.get("reader") ?? "").split(".");
        const txid = client.readTxid();
        if (status === 204 && headers["x-read"] === "counted" && clientId && txid !== null)
          this.writes.push({ clientId, txid, sentMs, answeredMs: performance.now() });
        else this.#fail(this.refusedWrites, region, `${status} ${text.slice(0, 200)}`);
      } catch (error) {
        this.#fail(this.refusedWrites, region, (error as Error).message);
      }
      await sleep(this.#writePauseMs);
    }
    client.close();
  }

  async #logIn(): Promise<void> {
    while (!this.#isOver) {
      const { email } = this.#members[(this.#turn += 1) % this.#members.length]!;
      try {
        const submit = await startEmailLogin(this.#cluster, this.#smtp, email);
        this.logins.push(await submit());
      } catch (error) {
        this.#fail(this.refusedWrites, "any", `login: ${(error as Error).message}`);
      }
      await sleep(LOGIN_PAUSE_MS);
    }
  }

  #pickRegion(): string {
    return pick(Math.random, [...this.#cluster.edges.keys()]);
  }

  #fail(list: LoadFailure[], region: string, reason: string): void {
    list.push({ region, reason, failedMs: performance.now() });
  }
}
