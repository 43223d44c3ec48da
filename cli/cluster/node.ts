// Runs one node of the cluster like a separate machine: LiteFS, the supervisor and the site, with
// their own folders and addresses.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Position, fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import type { Network } from "./network.ts";
import { type Environment, type Program, readLog, startProgram } from "./program.ts";
import {
  listSessionProcesses,
  readCommandLine,
  readProcessEnvironment,
} from "./process-sessions.ts";
import { waitUntil } from "./wait-until.ts";
import { type Workspace, listMounts, unmount } from "./workspace.ts";

export const APP_PORT = 8080;
export const LITEFS_PORT = 20202;
const DATABASE = "lectern.db";
const SITE_PROGRAM = "server/site.ts";
const PROBE_TIMEOUT_MS = 2_000;
/** A little more than kill_timeout in fly.toml. */
const STOP_TIMEOUT_MS = 35_000;

export interface LitefsInfo {
  clusterID?: string;
  isPrimary: boolean;
  candidate: boolean;
  primary: { hostname?: string };
}

export interface NodeOptions {
  name: string;
  region: string;
  network: Network;
  /** The URLs at which it reaches the Consul servers, separated by commas. */
  consulUrl: string;
  workspace: Workspace;
  cwd: string;
  command: (env: Environment) => readonly string[];
  /** The environment shared by all nodes. */
  env: Environment;
  /** Puts its data on a separate disk of this size in MB. Requires root. */
  diskSizeMb?: number;
  /** Called with the node's data folder before each start. */
  beforeStart?: (dataDir: string) => void;
}

export class ClusterNode {
  readonly name: string;
  readonly region: string;
  /** The site's URL on this node, without an edge. */
  readonly url: string;
  readonly litefsUrl: string;
  readonly folder: string;
  /** The mount point of LiteFS. */
  readonly mount: string;
  readonly databaseFile: string;
  readonly dataDir: string;
  readonly #options: NodeOptions;
  #program: Program | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.region = options.region;
    const address = options.network.listenAddress(options.name);
    this.url = `http://${address}:${APP_PORT}`;
    this.litefsUrl = `http://${address}:${LITEFS_PORT}`;
    this.folder = join(options.workspace.folder, options.name);
    this.mount = join(this.folder, "litefs");
    this.databaseFile = join(this.mount, DATABASE);
    this.dataDir = join(this.folder, "data");
    for (const folder of [this.mount, this.dataDir]) mkdirSync(folder, { recursive: true });
    if (options.diskSizeMb) {
      const { status, stderr } = spawnSync(
        "mount",
        ["-t", "tmpfs", "-o", `size=${options.diskSizeMb}m`, "tmpfs", this.dataDir],
        { encoding: "utf8" },
      );
      if (status !== 0) throw new Error(`${this.name} can't mount a disk: ${stderr.trim()}`);
    }
  }

  /**
   * Starts its processes on its existing data, without waiting until it serves. `cwd` selects
   * another image. Throws if it is running.
   */
  start(env: Environment = {}, { cwd = this.#options.cwd }: { cwd?: string } = {}): void {
    if (this.isRunning()) throw new Error(`${this.name} is already running.`);
    if (listMounts(this.mount).length > 0) unmount(this.mount);
    this.#options.beforeStart?.(this.dataDir);
    const full = { ...this.#environment(), ...env };
    const [command, ...args] = this.#options.command(full);
    this.#program = startProgram({
      command: command!,
      args,
      cwd,
      env: full,
      logFile: join(this.folder, "log"),
      workspace: this.#options.workspace,
    });
    this.#options.network.setSession(this.name, this.#program.session);
  }

  /** Waits until its site responds to /healthz with 200. */
  async waitUntilReady(deadlineMs = 60_000): Promise<void> {
    await waitUntil(
      `${this.name} serves`,
      deadlineMs,
      async () => {
        if (!this.isRunning())
          throw new Error(
            `it exited (${this.#program?.exitStatus() ?? "never started"}): ${this.log(1_500)}`,
          );
        const response = await fetch(`${this.url}/healthz`, {
          signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
        });
        await response.body?.cancel();
        return response.status;
      },
      (status) => status === 200,
    );
  }

  /**
   * Sends SIGTERM, like a deploy. Returns the exit code, or the signal if it was killed after
   * STOP_TIMEOUT_MS.
   */
  async stop(): Promise<number | NodeJS.Signals | null> {
    const exitStatus = (await this.#program?.stop(STOP_TIMEOUT_MS)) ?? null;
    this.#cleanUp();
    return exitStatus;
  }

  /** Kills all its processes simultaneously, like a power failure. */
  async kill(): Promise<void> {
    await this.#program?.kill();
    this.#cleanUp();
  }

  /** Freezes all its processes; connections stay open. */
  pause(): void {
    this.#program?.signal("SIGSTOP");
  }

  /** Freezes only its site, like an endless loop; other processes keep running. Returns the PID. */
  pauseSite(): number {
    const pid = this.listProcesses().find((each) => readCommandLine(each).includes(SITE_PROGRAM));
    if (pid === undefined) throw new Error(`${this.name} runs no site.`);
    process.kill(pid, "SIGSTOP");
    return pid;
  }

  /** Ends pause() and pauseSite(). */
  resume(): void {
    this.#program?.signal("SIGCONT");
  }

  isRunning(): boolean {
    return this.#program?.isRunning() ?? false;
  }

  /** Returns the PIDs of its processes. */
  listProcesses(): number[] {
    return this.#program ? listSessionProcesses(this.#program.session) : [];
  }

  /** Returns the environment of its first process, for running a command on the node. */
  readEnvironment(): NodeJS.ProcessEnv {
    return readProcessEnvironment(this.#program!.session);
  }

  /** Returns LiteFS's /info; null if LiteFS does not respond. */
  async readLitefsInfo(): Promise<LitefsInfo | null> {
    return (await this.#fetchJson(`${this.litefsUrl}/info`)) as LitefsInfo | null;
  }

  async isPrimary(): Promise<boolean> {
    return (await this.readLitefsInfo())?.isPrimary ?? false;
  }

  /** Returns the position of its copy; null if it has no copy or LiteFS does not respond. */
  async readPosition(): Promise<Position | null> {
    // Over HTTP with a timeout, because reading a file in the mount of a hanging node blocks.
    const read = () =>
      fetchLitefsNodeState(this.litefsUrl, DATABASE, { timeoutMs: PROBE_TIMEOUT_MS });
    // Retries once: a busy machine may pause the node for two seconds.
    const state = await read()
      .catch(() => (this.isRunning() ? read() : null))
      .catch(() => null);
    return state?.position ?? null;
  }

  /** Returns the end of its processes' output. */
  log(bytes?: number): string {
    return readLog(join(this.folder, "log"), bytes);
  }

  /** Returns the path of a file or folder in LiteFS's store: database, wal, ltx. */
  storePath(name: string): string {
    return join(this.dataDir, "litefs", "dbs", DATABASE, name);
  }

  /** Deletes its data, as on a new disk. Throws if it is running. */
  deleteData(): void {
    if (this.isRunning()) throw new Error(`${this.name} is running.`);
    for (const name of readdirSync(this.dataDir))
      rmSync(join(this.dataDir, name), { recursive: true, force: true });
  }

  #cleanUp(): void {
    this.#options.network.setSession(this.name, null);
    if (listMounts(this.mount).length > 0) unmount(this.mount);
  }

  #environment(): Environment {
    const { network, env, consulUrl } = this.#options;
    return {
      ...env,
      INSTANCE: this.name,
      FLY_REGION: this.region,
      FLY_LITEFS_DIR: this.mount,
      DATABASE_FILE: this.databaseFile,
      DATA_DIR: this.dataDir,
      LITEFS_DATA_DIR: join(this.dataDir, "litefs"),
      LITEFS_ADDR: `${network.listenAddress(this.name)}:${LITEFS_PORT}`,
      LITEFS_PORT: String(LITEFS_PORT),
      LITEFS_URL: this.litefsUrl,
      LITEFS_ADVERTISE_URL: `http://${network.sharedAddress(this.name)}:${LITEFS_PORT}`,
      FLY_CONSUL_URL: consulUrl,
      HOST: network.listenAddress(this.name),
      PORT: String(APP_PORT),
    };
  }

  async #fetchJson(url: string): Promise<unknown> {
    // Retries once: the first attempt may use a kept-alive connection to a process that has exited.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
        return response.ok ? await response.json() : null;
      } catch {
        if (!this.isRunning()) return null;
      }
    }
    return null;
  }
}
