// Watches the site's event loop, and captures the stack of a site that no longer responds.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageFromSite, MessageToSite } from "#server/launcher-messages.ts";

const PING_INTERVAL_MS = 500;
const MAX_STACK_FRAMES = 20;

export interface WatchdogLimits {
  /** Silence after which a site that has answered before counts as hung. */
  readonly silenceMs: number;
  /** The same, before its first answer. */
  readonly startMs: number;
  /** How long reading its stack may take. */
  readonly stackMs: number;
}

export const WATCHDOG_LIMITS: WatchdogLimits = {
  silenceMs: 5_000,
  startMs: 120_000,
  stackMs: 2_000,
};

/**
 * Pings `site` and calls `onHang` once when it is silent for too long. Counts only the time in which
 * its main thread ran or slept, not that in which the machine was frozen or too busy.
 * Returns a function that stops it.
 */
export function watchEventLoop(
  site: ChildProcess,
  onHang: (silentMs: number) => void,
  { silenceMs, startMs }: WatchdogLimits,
): () => void {
  let [lastPing, lastPong, silentMs, lastCpuMs] = [0, 0, 0, 0];
  site.on("message", (message: MessageFromSite) => {
    if (message.kind !== "pong") return;
    lastPong = message.id;
    silentMs = 0;
  });
  const timer = setInterval(() => {
    const thread = readMainThread(site.pid);
    if (lastPing > lastPong && thread && "RD".includes(thread.letter))
      silentMs += Math.min(PING_INTERVAL_MS, thread.cpuMs - lastCpuMs);
    else if (lastPing > lastPong) silentMs += PING_INTERVAL_MS;
    lastCpuMs = thread?.cpuMs ?? 0;
    if (silentMs >= (lastPong > 0 ? silenceMs : startMs)) {
      clearInterval(timer);
      return onHang(silentMs);
    }
    sendToSite(site, { kind: "ping", id: (lastPing += 1) });
  }, PING_INTERVAL_MS);
  site.once("exit", () => clearInterval(timer));
  return () => clearInterval(timer);
}

/** Resolves to a TCP port of this machine that is free now. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Sends nothing if the site has exited. */
export function sendToSite(site: ChildProcess, message: MessageToSite): void {
  if (site.connected) site.send(message, () => undefined);
}

/**
 * Resolves to the stack of a hung site whose Node flags include `--inspect-port`. If it is stopped,
 * or the debugger can't pause it within `stackMs`, resolves to the state of its process.
 */
export async function describeHang(
  site: ChildProcess,
  inspectPort: number,
  stackMs: number,
): Promise<{ stack: string[] | null; heap_mb?: number; state?: string }> {
  const letter = readMainThread(site.pid)?.letter ?? "";
  const state = STATES[letter] ?? letter;
  if (letter === "T") return { stack: null, state };
  const signal = AbortSignal.timeout(stackMs);
  // Node opens its debugger on this signal, even in an endless loop.
  site.kill("SIGUSR1");
  try {
    return await readPausedStack(await findDebugger(inspectPort, signal), signal);
  } catch {
    return { stack: null, state };
  }
}

/** Resolves to the debugger's address once it is open. Rejects when `signal` aborts. */
async function findDebugger(port: number, signal: AbortSignal): Promise<string> {
  for (;;) {
    const [target] = await fetch(`http://127.0.0.1:${port}/json/list`, { signal })
      .then((response) => response.json() as Promise<{ webSocketDebuggerUrl: string }[]>)
      .catch(() => []);
    if (target) return target.webSocketDebuggerUrl;
    signal.throwIfAborted();
    await sleep(20);
  }
}

interface DebuggerMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly callFrames?: {
      readonly functionName: string;
      readonly url: string;
      readonly location: { readonly lineNumber: number; readonly columnNumber: number };
    }[];
  };
  readonly result?: { readonly usedSize?: number };
}

/** Pauses the process through the Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/v8/). */
function readPausedStack(
  url: string,
  signal: AbortSignal,
): Promise<{ stack: string[]; heap_mb: number }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const request = (id: number, method: string) => socket.send(JSON.stringify({ id, method }));
    let stack: string[] = [];
    signal.addEventListener("abort", () => {
      socket.close();
      reject(signal.reason as Error);
    });
    socket.addEventListener("error", () => reject(new Error("the debugger refused")));
    socket.addEventListener("open", () => {
      request(1, "Debugger.enable");
      request(2, "Debugger.pause");
    });
    socket.addEventListener("message", ({ data }) => {
      const { id, method, params, result } = JSON.parse(String(data)) as DebuggerMessage;
      if (method === "Debugger.paused") {
        stack = (params?.callFrames ?? [])
          .slice(0, MAX_STACK_FRAMES)
          .map(
            ({ functionName, url: file, location }) =>
              `${functionName || "(anonymous)"} ${file}:${location.lineNumber + 1}:${location.columnNumber + 1}`,
          );
        request(3, "Runtime.getHeapUsage");
      } else if (id === 3) {
        socket.close();
        resolve({ stack, heap_mb: Math.round((result?.usedSize ?? 0) / 1_048_576) });
      }
    });
  });
}

const STATES: Record<string, string> = {
  T: "stopped by a signal",
  D: "waiting for a disk or a mount",
  R: "running native code",
  S: "sleeping",
};

/** The kernel counts CPU time in these (sysconf(_SC_CLK_TCK)). */
const CLOCK_TICK_MS = 10;

/**
 * Returns the state and the CPU time of the main thread (proc_pid_stat(5)); null on systems without
 * /proc.
 */
function readMainThread(pid: number | undefined): { letter: string; cpuMs: number } | null {
  try {
    // The name may contain spaces and parentheses; utime and stime are the 14th and 15th field.
    const fields = readFileSync(`/proc/${pid}/task/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return {
      letter: fields[0] ?? "",
      cpuMs: (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS,
    };
  } catch {
    return null;
  }
}
