// Provides the command `fly` for a cluster on this machine, so that tests run the commands of
// runbooks. It implements the subcommands they use, and fails for anything else.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import type { Cluster } from "#cli/cluster/cluster.ts";
import type { ConsulServer } from "#cli/cluster/consul.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import type { Environment } from "#cli/cluster/program.ts";
import { findTools } from "#cli/cluster/tools/find-tools.ts";

const COMMAND_TIMEOUT_MS = 180_000;

/** Sends its arguments to the test, and prints the response. */
const CLIENT = `#!/usr/bin/env node
const request = require("node:http").request({ socketPath: process.env.FLY_SOCKET, method: "POST" }, (response) => {
  response.pipe(process.stdout);
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.end(JSON.stringify(process.argv.slice(2)));
`;

/** The parts of a command line that runbooks use. */
interface Arguments {
  readonly words: readonly string[];
  readonly app: "site" | "consul";
  readonly region: string | undefined;
  readonly excludedRegion: string | undefined;
  readonly machine: string | undefined;
  readonly command: string | undefined;
  readonly image: string | undefined;
  readonly isStaged: boolean;
}

/** Runs LiteFS's commands with the URL of the node. On Fly, each machine has the default one. */
const LITEFS = `#!/bin/sh
command="$1"; shift
exec "$LITEFS" "$command" -url "$LITEFS_URL" "$@"
`;

export class FlyCommand {
  /** The image that `fly deploy` builds, a folder. Default: that of the cluster. */
  builtImage: string | undefined;
  readonly #cluster: Cluster;
  /** Secrets and configuration of the site, in addition to what the cluster sets. */
  readonly #siteEnv: Environment = {};
  /** The image of the last deploy. */
  #image: string | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), "lectern-fly-"));
  /** The configuration that scripts may change: a copy of the project's. */
  readonly #flyToml = join(this.#folder, "fly.toml");
  /** What *.internal names resolve to, as URLs. */
  readonly #resolve: (url: string, node: ClusterNode) => string;

  /** `resolve` replaces a URL of FLY_CONSUL_URL with those of the servers, like Fly's DNS. */
  constructor(cluster: Cluster, resolve: (url: string, node: ClusterNode) => string) {
    this.#cluster = cluster;
    this.#resolve = resolve;
    copyFileSync("fly.toml", this.#flyToml);
  }

  /** Runs a script with the command. Returns its output. Throws with it if the script fails. */
  async run(script: string, env: Environment = {}): Promise<string> {
    const folder = this.#folder;
    const socket = join(folder, "socket");
    const server = createServer((request, response) => {
      let text = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      request.on("end", () => {
        this.#execute(JSON.parse(text) as string[]).then(
          (output) => response.end(output),
          (error: Error) => response.writeHead(500).end(`${error.message}\n`),
        );
      });
    });
    try {
      server.listen(socket);
      await once(server, "listening");
      for (const [name, text] of [
        ["fly", CLIENT],
        ["litefs", LITEFS],
      ] as const)
        writeFileSync(join(folder, name), text, { mode: 0o755 });
      return await runShell(script, folder, {
        PATH: [folder, process.env.PATH].join(delimiter),
        HOME: folder,
        FLY_SOCKET: socket,
        ...env,
      });
    } finally {
      server.close();
    }
  }

  /** Deletes its folder. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #execute(argv: readonly string[]): Promise<string> {
    const given = parseArguments(argv);
    const [noun, verb, ...rest] = given.words;
    switch (`${noun} ${verb}`) {
      case "secrets set":
        return this.#setSecrets(given, rest);
      case "secrets deploy":
        return this.#restartAll(given);
      case "machine list":
        return this.#machines(given)
          .map((machine) => `${machine.name}\n`)
          .join("");
      case "machine stop":
        for (const name of rest) await this.#find(given, name).stop();
        return "";
      case "machine start":
        for (const name of rest) await this.#startMachine(this.#find(given, name));
        return "";
      case "machine cordon":
      case "machine uncordon":
        // Who is routed to a machine is not simulated.
        for (const name of rest) this.#find(given, name);
        return "";
      case "machine destroy":
        for (const name of rest) {
          const machine = this.#find(given, name);
          await machine.kill();
          machine.deleteData();
        }
        return "";
      case "scale count":
        return this.#scale(given, Number(rest[0]));
      case "ssh console":
        return this.#ssh(given);
    }
    if (noun === "deploy") {
      const [, region] = /^primary_region = "(\w+)"/m.exec(readFileSync(this.#flyToml, "utf8"))!;
      this.#siteEnv.PRIMARY_REGION = region;
      this.#image = given.image ?? this.builtImage;
      return this.#restartAll(given);
    }
    throw new Error(`This fly does not know: ${argv.join(" ")}`);
  }

  #machines({ app, region, excludedRegion }: Arguments): (ClusterNode | ConsulServer)[] {
    if (app === "consul") return [...this.#cluster.consul.servers];
    return [...this.#cluster.nodes.values()].filter(
      (node) => (region === undefined || node.region === region) && node.region !== excludedRegion,
    );
  }

  #find(given: Arguments, name: string): ClusterNode | ConsulServer {
    const machine = this.#machines(given).find((each) => each.name === name);
    if (!machine) throw new Error(`There is no machine "${name}".`);
    return machine;
  }

  async #startMachine(machine: ClusterNode | ConsulServer): Promise<void> {
    if (!("region" in machine)) return void machine.start();
    const url = this.#siteEnv.FLY_CONSUL_URL;
    machine.start(
      { ...this.#siteEnv, ...(url && { FLY_CONSUL_URL: this.#resolve(url, machine) }) },
      { cwd: this.#image },
    );
    await machine.waitUntilReady();
  }

  async #setSecrets(given: Arguments, pairs: readonly string[]): Promise<string> {
    if (given.app !== "site") throw new Error("Only the site's secrets can be changed here.");
    for (const pair of pairs)
      this.#siteEnv[pair.slice(0, pair.indexOf("="))] = pair.slice(pair.indexOf("=") + 1);
    return given.isStaged ? "" : this.#restartAll(given);
  }

  /** Restarts one machine at a time, and waits until each serves. */
  async #restartAll(given: Arguments): Promise<string> {
    for (const machine of this.#machines(given)) {
      if (!machine.isRunning()) continue;
      await machine.stop();
      await this.#startMachine(machine);
      if (given.app === "consul") await this.#cluster.consul.start();
    }
    return "";
  }

  /** Starts machines on new disks, or destroys machines, until `count` run in the region. */
  async #scale(given: Arguments, count: number): Promise<string> {
    const machines = this.#machines(given);
    const running = machines.filter((machine) => machine.isRunning());
    for (const machine of machines
      .filter((each) => !each.isRunning())
      .slice(0, count - running.length))
      await this.#startMachine(machine);
    for (const machine of count < running.length ? running.slice(count) : []) {
      await machine.stop();
      machine.deleteData();
    }
    return "";
  }

  /** Runs a command with the environment of a machine. */
  async #ssh(given: Arguments): Promise<string> {
    const machine = given.machine
      ? this.#find(given, given.machine)
      : this.#machines(given).find((each) => each.isRunning())!;
    const { litefs } = await findTools();
    const env =
      "region" in machine
        ? {
            ...machine.readEnvironment(),
            LITEFS: litefs,
            PATH: [this.#folder, process.env.PATH].join(delimiter),
          }
        : machine.commandEnv;
    return runShell(given.command!, this.#folder, env);
  }
}

function parseArguments(argv: readonly string[]): Arguments {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      app: { type: "string", short: "a" },
      config: { type: "string", short: "c" },
      region: { type: "string" },
      "only-regions": { type: "string" },
      "exclude-regions": { type: "string" },
      machine: { type: "string" },
      command: { type: "string", short: "C" },
      image: { type: "string" },
      "build-arg": { type: "string" },
      "build-secret": { type: "string" },
      "with-new-volumes": { type: "boolean" },
      stage: { type: "boolean" },
      force: { type: "boolean" },
      quiet: { type: "boolean" },
      yes: { type: "boolean" },
    },
  });
  // fly ssh console uses -C for the command, all others -c for the configuration.
  const isConsul = values.app === "lectern-consul" || values.config === "fly.consul.toml";
  return {
    words: positionals,
    app: isConsul ? "consul" : "site",
    region: values.region ?? values["only-regions"],
    excludedRegion: values["exclude-regions"],
    machine: values.machine,
    command: values.command,
    image: values.image,
    isStaged: values.stage ?? false,
  };
}

async function runShell(script: string, cwd: string, env: Environment): Promise<string> {
  const shell = spawn("sh", ["-euc", script], {
    cwd,
    env: env as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_TIMEOUT_MS,
  });
  let output = "";
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const [code] = (await once(shell, "close")) as [number | null];
  if (code !== 0) throw new Error(`${script}\nfailed (${code}):\n${output}`);
  return output;
}
