// Runs Consul, which stores the lease: one or more servers with the configuration of production, on
// the cluster's addresses, with their data in the cluster's folder.

import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { CONSUL_PATH, CONSUL_PORT } from "./network.ts";
import { type Environment, type Program, readLog, startProgram } from "./program.ts";
import { waitUntil } from "./wait-until.ts";
import type { Workspace } from "./workspace.ts";

const START_SCRIPT = resolve(import.meta.dirname, "..", "..", "consul", "start.sh");
const START_MS = 60_000;
/** A busy machine may pause a server for two seconds. */
const PROBE_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 10_000;

interface Secrets {
  readonly gossipKey: string;
  readonly managementToken: string;
  readonly siteToken: string;
}

interface ServerOptions {
  readonly env: Environment;
  readonly folder: string;
  readonly workspace: Workspace;
}

/** One Consul server. */
export class ConsulServer {
  readonly name: string;
  readonly url: string;
  readonly #options: ServerOptions;
  /** A server on a new disk is a new member, so it needs a new name. */
  #disks = 1;
  #program: Program | undefined;

  constructor(name: string, url: string, options: ServerOptions) {
    this.name = name;
    this.url = url;
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
  }

  /** The environment for consul's commands about this server, with all permissions. */
  get commandEnv(): Environment {
    return this.#options.env;
  }

  /** Starts it on its existing data, without waiting until it responds. */
  start(): void {
    if (this.isRunning()) return;
    const { env, folder, workspace } = this.#options;
    this.#program = startProgram({
      command: "sh",
      args: [START_SCRIPT],
      cwd: folder,
      env: { ...env, CONSUL_NODE: this.#disks === 1 ? this.name : `${this.name}-${this.#disks}` },
      logFile: join(folder, "log"),
      workspace,
    });
  }

  /** Stops it and keeps its data. */
  async stop(): Promise<void> {
    this.resume();
    await this.#program?.stop(STOP_TIMEOUT_MS);
  }

  /** Kills it, like a power failure. */
  async kill(): Promise<void> {
    await this.#program?.kill();
  }

  /** Freezes it: connections stay open but get no responses. */
  pause(): void {
    this.#program?.signal("SIGSTOP");
  }

  resume(): void {
    this.#program?.signal("SIGCONT");
  }

  isRunning(): boolean {
    return this.#program?.isRunning() ?? false;
  }

  /** Deletes its data, as on a new disk. Throws if it is running. */
  deleteData(): void {
    if (this.isRunning()) throw new Error(`${this.name} is running.`);
    rmSync(join(this.#options.folder, "data"), { recursive: true, force: true });
    this.#disks += 1;
  }

  readLog(bytes?: number): string {
    return readLog(join(this.#options.folder, "log"), bytes);
  }
}

/** All servers that together store the lease. */
export class Consul {
  readonly servers: readonly ConsulServer[];
  /** The token of the cluster's nodes, a part of their FLY_CONSUL_URL. */
  readonly token: string;

  constructor(servers: readonly ConsulServer[], token: string) {
    this.servers = servers;
    this.token = token;
  }

  /**
   * Starts all servers on their existing data. Resolves once they accept writes; otherwise throws
   * with the end of a log.
   */
  async start(): Promise<void> {
    for (const server of this.servers) server.start();
    await waitUntil("Consul accepts writes", START_MS, () => this.acceptsWrites()).catch(
      (error: Error) => {
        throw new Error(`${error.message}\n${this.servers[0]!.readLog(2_000)}`, { cause: error });
      },
    );
  }

  /** Returns true if every running server accepts the nodes' writes, so there is a leader. */
  async acceptsWrites(): Promise<boolean> {
    const running = this.servers.filter((server) => server.isRunning());
    const results = await Promise.all(
      running.map(({ url }) => this.#request(url, "PUT", "/v1/kv/lectern/started", "yes")),
    );
    return results.length > 0 && results.every(({ ok }) => ok);
  }

  /** Returns the server that leads the others; null while there is no leader. */
  async findLeader(): Promise<ConsulServer | null> {
    for (const { url } of this.servers.filter((server) => server.isRunning())) {
      const response = await this.#request(url, "GET", "/v1/status/leader").catch(() => null);
      const leader = response?.ok ? ((await response.json()) as string).split(":")[0] : null;
      const found = this.servers.find((server) => new URL(server.url).hostname === leader);
      if (found?.isRunning()) return found;
    }
    return null;
  }

  /** Returns the session that holds the lease `key`; null without one. */
  async findLeaseSession(key: string): Promise<string | null> {
    const { url } = this.servers.find((server) => server.isRunning())!;
    const response = await this.#request(url, "GET", `/v1/kv${CONSUL_PATH}/${key}`);
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const [entry] = (await response.json()) as [{ Session?: string }];
    return entry.Session ?? null;
  }

  async destroySession(session: string): Promise<void> {
    const { url } = this.servers.find((server) => server.isRunning())!;
    const { ok, status } = await this.#request(url, "PUT", `/v1/session/destroy/${session}`);
    if (!ok) throw new Error(`Consul did not end the session: ${status}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  pause(): void {
    for (const server of this.servers) server.pause();
  }

  resume(): void {
    for (const server of this.servers) server.resume();
  }

  readLog(): string {
    return this.servers.map((server) => server.readLog()).join("\n");
  }

  #request(url: string, method: string, path: string, body?: string): Promise<Response> {
    return fetch(url + path, {
      method,
      body,
      headers: { "x-consul-token": this.token },
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
  }
}

/** Returns the servers by name, without starting them. */
export function createConsul({
  binary,
  addresses,
  workspace,
}: {
  binary: string;
  /** Their own addresses by name. */
  addresses: ReadonlyMap<string, string>;
  workspace: Workspace;
}): Consul {
  const secrets = readSecrets(workspace);
  const [firstAddress] = [...addresses.values()];
  const servers = [...addresses].map(([name, address]) => {
    const folder = join(workspace.folder, name);
    const url = `http://${address}:${CONSUL_PORT}`;
    const env = {
      PATH: [dirname(binary), process.env.PATH].join(delimiter),
      HOME: folder,
      CONSUL_GOSSIP_KEY: secrets.gossipKey,
      CONSUL_HTTP_TOKEN: secrets.managementToken,
      CONSUL_SITE_TOKEN: secrets.siteToken,
      CONSUL_HTTP_ADDR: url,
      CONSUL_SERVERS: String(addresses.size),
      CONSUL_BIND: address,
      CONSUL_CLIENT: address,
      CONSUL_JOIN: firstAddress,
      CONSUL_DATA_DIR: join(folder, "data"),
    };
    return new ConsulServer(name, url, { env, folder, workspace });
  });
  return new Consul(servers, secrets.siteToken);
}

/** Returns the secrets of the data in this workspace. */
function readSecrets(workspace: Workspace): Secrets {
  const file = join(workspace.folder, "consul-secrets.json");
  if (!existsSync(file)) {
    const secrets: Secrets = {
      gossipKey: randomBytes(32).toString("base64"),
      managementToken: randomUUID(),
      siteToken: randomUUID(),
    };
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, "utf8")) as Secrets;
}
