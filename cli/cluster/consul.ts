// Consul, which keeps the lease: one server on an address of the cluster, its data in the cluster's folder.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CONSUL_PORT } from "./network.ts";
import { type Program, readLog, startProgram } from "./program.ts";
import { waitUntil } from "./wait-until.ts";
import type { Workspace } from "./workspace.ts";

export interface Consul {
  readonly url: string;
  /** Starts it, with the data it had. Resolves when it leads itself, in some seconds. Throws with its log's end otherwise. */
  start(): Promise<void>;
  /** Ends it; its data stays. */
  stop(): Promise<void>;
  /** Freezes it: connections stay open and nothing answers. */
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
    // No telemetry, no question after new versions. The timing of one server on one machine: it need not wait for others to vote.
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
          "Consul leads",
          START_MS,
          async () => {
            if (!program?.isRunning()) return { ended: program?.exitStatus() };
            // A write shows it: right after a start Consul names a leader that takes none yet.
            const { ok } = await fetch(`${url}/v1/kv/lectern/started`, {
              method: "PUT",
              body: "yes",
              signal: AbortSignal.timeout(2_000),
            });
            return ok;
          },
          (seen) => seen === true || (typeof seen === "object" && seen.ended != null),
        );
        if (!program.isRunning()) throw new Error(`Consul ended (${program.exitStatus()}).`);
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
