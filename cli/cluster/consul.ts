// Runs Consul, which stores the lease: one server on one of the cluster's addresses, with its data
// in the cluster's folder.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CONSUL_PORT } from "./network.ts";
import { type Program, readLog, startProgram } from "./program.ts";
import { waitUntil } from "./wait-until.ts";
import type { Workspace } from "./workspace.ts";

export interface Consul {
  readonly url: string;
  /**
   * Starts Consul on its existing data. Resolves once it accepts writes; otherwise throws with the
   * end of its log.
   */
  start(): Promise<void>;
  /** Stops Consul and keeps its data. */
  stop(): Promise<void>;
  /** Freezes Consul: connections stay open but get no responses. */
  pause(): void;
  resume(): void;
  isRunning(): boolean;
  readLog(): string;
}

const START_MS = 60_000;

export function createConsul({
  binary,
  address,
  workspace,
}: {
  binary: string;
  address: string;
  workspace: Workspace;
}): Consul {
  const folder = join(workspace.folder, "consul");
  const log = join(folder, "log");
  const url = `http://${address}:${CONSUL_PORT}`;
  let program: Program | undefined;

  mkdirSync(folder, { recursive: true });
  const args = [
    ...[
      "agent",
      "-server",
      "-bootstrap",
      "-node=consul",
      "-datacenter=local",
      `-data-dir=${join(folder, "data")}`,
    ],
    ...[
      `-bind=${address}`,
      `-client=${address}`,
      `-http-port=${CONSUL_PORT}`,
      "-dns-port=-1",
      "-serf-wan-port=-1",
      "-log-level=warn",
    ],
    // Disable the update check, and use fast Raft timing, because a single server has no votes to
    // wait for.
    ...[
      "-hcl=disable_update_check = true",
      "-hcl=performance { raft_multiplier = 1 }",
      "-hcl=ports { grpc = -1 }",
      "-hcl=connect { enabled = false }",
    ],
  ];

  return {
    url,
    async start() {
      if (program?.isRunning()) return;
      program = startProgram({
        command: binary,
        args,
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder },
        logFile: log,
        workspace,
      });
      try {
        await waitUntil(
          "Consul accepts writes",
          START_MS,
          async () => {
            if (!program?.isRunning()) return { exitStatus: program?.exitStatus() };
            // Right after a start, Consul names a leader that does not accept writes yet.
            const { ok } = await fetch(`${url}/v1/kv/lectern/started`, {
              method: "PUT",
              body: "yes",
              signal: AbortSignal.timeout(2_000),
            });
            return ok;
          },
          (state) => state === true || (typeof state === "object" && state.exitStatus != null),
        );
        if (!program.isRunning()) throw new Error(`Consul exited (${program.exitStatus()}).`);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${readLog(log, 2_000)}`, { cause: error });
      }
    },
    async stop() {
      program?.signal("SIGCONT");
      await program?.stop(10_000);
    },
    pause: () => program?.signal("SIGSTOP"),
    resume: () => program?.signal("SIGCONT"),
    isRunning: () => program?.isRunning() ?? false,
    readLog: () => readLog(log),
  };
}
