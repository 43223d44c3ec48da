// One node of the cluster: LiteFS, the launcher and the site as one machine would run them, with folders and addresses of its own.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Network } from "./network.ts";
import { type Environment, type Program, readLog, startProgram } from "./program.ts";
import { listSessionProcesses } from "./process-sessions.ts";
import { waitUntil } from "./wait-until.ts";
import { type Workspace, listMounts, unmount } from "./workspace.ts";

export const APP_PORT = 8080;
export const LITEFS_PORT = 20202;
const DATABASE = "lectern.db";
/** How long a look at a node may take; it is on this machine. */
const PROBE_TIMEOUT_MS = 2_000;
/** What fly.toml gives a machine, and a little. */
const STOP_TIMEOUT_MS = 35_000;

export interface Position {
  txid: number;
  /** Of the whole database after that transaction: equal on all nodes that are equal. */
  checksum: string;
}

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
  workspace: Workspace;
  /** Where it runs, and what. */
  cwd: string;
  command: (env: Environment) => readonly string[];
  /** What all nodes share. */
  env: Environment;
  /** Its data on a disk of that size, in MB; root only. Without it the machine's. */
  diskSizeMb?: number;
}

export class ClusterNode {
  readonly name: string;
  readonly region: string;
  /** The site on this node, without an edge. */
  readonly url: string;
  readonly litefsUrl: string;
  readonly folder: string;
  /** What LiteFS mounts, the file in it, and where LiteFS and the site keep what is theirs. */
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
      if (status !== 0)
        throw new Error(`${this.name} can't have a disk of its own: ${stderr.trim()}`);
    }
  }

  /** Starts its processes, on the data it has, from another image if `cwd` names one; returns before it serves (see `waitUntilReady`). Throws if it runs. */
  start(env: Environment = {}, { cwd = this.#options.cwd }: { cwd?: string } = {}): void {
    if (this.isRunning()) throw new Error(`${this.name} runs already.`);
    if (listMounts(this.mount).length > 0) unmount(this.mount);
    const full = { ...this.#environment(), ...env };
    const [command, ...args] = this.#options.command(full);
    this.#program = startProgram({
      command: command!,
      args,
      cwd,
      env: full,
      readLog: join(this.folder, "log"),
      workspace: this.#options.workspace,
    });
    this.#options.network.setSession(this.name, this.#program.session);
  }

  /** Waits until the site on it answers /healthz with success. */
  async waitUntilReady(deadlineMs = 60_000): Promise<void> {
    await waitUntil(
      `${this.name} serves`,
      deadlineMs,
      async () => {
        if (!this.isRunning())
          throw new Error(
            `it ended (${this.#program?.exitStatus() ?? "never started"}): ${this.log(1_500)}`,
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

  /** SIGTERM, as a deploy does it. Resolves to the exit code, or the signal if it had to be killed after 35 seconds. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    const ended = (await this.#program?.stop(STOP_TIMEOUT_MS)) ?? null;
    this.#afterEnd();
    return ended;
  }

  /** The machine dies: everything on it at once, LiteFS too, nobody is told. */
  async kill(): Promise<void> {
    await this.#program?.kill();
    this.#afterEnd();
  }

  /** Freezes everything on it; connections stay. */
  pause(): void {
    this.#program?.signal("SIGSTOP");
  }

  resume(): void {
    this.#program?.signal("SIGCONT");
  }

  isRunning(): boolean {
    return this.#program?.isRunning() ?? false;
  }

  /** The processes of this node. */
  processes(): number[] {
    return this.#program ? listSessionProcesses(this.#program.session) : [];
  }

  /** What LiteFS says of itself; null when it doesn't answer. */
  async readLitefsInfo(): Promise<LitefsInfo | null> {
    return (await this.#look(`${this.litefsUrl}/info`)) as LitefsInfo | null;
  }

  async isPrimary(): Promise<boolean> {
    return (await this.readLitefsInfo())?.isPrimary ?? false;
  }

  /** Where its copy of the database is; null without one, or when LiteFS doesn't answer. */
  async readPosition(): Promise<Position | null> {
    // Over HTTP, not from the file in the mount: a look at a node that hangs must end.
    const vars = (await this.#look(`${this.litefsUrl}/debug/vars`)) as {
      store?: { dbs?: Record<string, { txid: string; checksum: string }> };
    } | null;
    const db = vars?.store?.dbs?.[DATABASE];
    return db ? { txid: parseInt(db.txid, 16), checksum: db.checksum } : null;
  }

  /** The end of what its processes printed. */
  log(bytes?: number): string {
    return readLog(join(this.folder, "log"), bytes);
  }

  /** One of the files or folders in which LiteFS keeps its copy: database, wal, ltx. */
  storePath(name: string): string {
    return join(this.dataDir, "litefs", "dbs", DATABASE, name);
  }

  /** Deletes its data, as a machine with a new disk. Only when it is down. */
  deleteData(): void {
    if (this.isRunning()) throw new Error(`${this.name} runs.`);
    for (const name of readdirSync(this.dataDir))
      rmSync(join(this.dataDir, name), { recursive: true, force: true });
  }

  #afterEnd(): void {
    this.#options.network.setSession(this.name, null);
    if (listMounts(this.mount).length > 0) unmount(this.mount);
  }

  #environment(): Environment {
    const { network, env } = this.#options;
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
      LITEFS_ADVERTISE_URL: `http://${network.peerAddress(this.name)}:${LITEFS_PORT}`,
      FLY_CONSUL_URL: `http://${network.consulAddressFor(this.name)}:8500`,
      HOST: network.listenAddress(this.name),
      PORT: String(APP_PORT),
    };
  }

  async #look(url: string): Promise<unknown> {
    // Twice: the first connection may be one that a process kept open that is gone.
    for (let left = 2; left > 0; left -= 1) {
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
