// Starts and stops the process of a peer.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { round } from "#bench/support/measurements.ts";

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 5_000;

export interface PeerProcess {
  readonly url: string;
  /** Returns the resident memory in MB (Linux). */
  rssMb(): number;
  stop(): Promise<void>;
}

/**
 * Starts `entry` with Node in `cwd`. Resolves when `readyPath` responds with 2xx. Rejects with the
 * output if the process ends, or after two minutes.
 */
export async function startPeer({
  cwd,
  entry,
  port,
  readyPath,
  env = {},
}: {
  cwd: string;
  entry: string;
  port: number;
  readyPath: string;
  env?: Record<string, string>;
}): Promise<PeerProcess> {
  const child = spawn(process.execPath, [entry], {
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_ENV: "production",
      HOST: "127.0.0.1",
      PORT: String(port),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (output = `${output}${data.toString()}`.slice(-5_000)));
  const kill = () => void child.kill("SIGKILL");
  process.on("exit", kill);
  const stop = async () => {
    await stopProcess(child);
    process.off("exit", kill);
  };
  const url = `http://127.0.0.1:${port}`;
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (!(await respondsWithSuccess(url + readyPath))) {
    if (child.exitCode === null && Date.now() < deadlineMs) await sleep(200);
    else {
      await stop();
      throw new Error(`${entry} in ${cwd} did not start:\n${output}`);
    }
  }
  return {
    url,
    rssMb() {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      return round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024, 0);
    },
    stop,
  };
}

const respondsWithSuccess = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
    ({ ok }) => ok,
    () => false,
  );

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => void child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
