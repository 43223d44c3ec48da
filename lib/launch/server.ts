// The site's process: started, started anew when it dies, drained.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { firstRead } from "./first-read.ts";
import { say } from "./say.ts";
import { type Settings, asAppUser } from "./settings.ts";

export interface Server {
  /** The launcher's exit code, once the site died too often. Pends for ever otherwise. */
  readonly failed: Promise<number>;
  /** Takes no new connection, lets what runs finish for at most `timeoutMs`, ends the process. */
  drain(timeoutMs: number): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** Deaths within the window that are answered with a new start. */
const MAX_DEATHS = 5;
const WINDOW_MS = 600_000;
const PAUSE_MS = 1_000;
/**
 * How long a connection may wait for its next request: longer than a proxy keeps one (Fly's: a minute). Node's own five seconds end
 * connections on which a request is just arriving, and a proxy can't know whether a write that got no answer was made.
 */
const KEEP_ALIVE_MS = 90_000;

/** Starts server.js of the image with the site's user and address; `flags` are Node's. After a death it waits `pauseMs`, and longer after each. */
export function startServer(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  flags: readonly string[],
  pauseMs = PAUSE_MS,
): Server {
  const { app, root } = settings;
  let child: ChildProcess | null = null;
  let isStopping = false;
  const deaths: number[] = [];
  const { promise: failed, resolve: fail } = Promise.withResolvers<number>();

  function start(): void {
    if (isStopping) return;
    // HOSTNAME is the address that Next's server binds to, and nobody else's business.
    const own: NodeJS.ProcessEnv = {
      ...env,
      NODE_ENV: "production",
      NEXT_TELEMETRY_DISABLED: "1",
      HOSTNAME: app.host,
      PORT: app.port,
      KEEP_ALIVE_TIMEOUT: String(KEEP_ALIVE_MS),
    };
    const started = spawn(process.execPath, [...flags, join(root, "server.js")], {
      cwd: root,
      env: own,
      stdio: "inherit",
      ...asAppUser(settings),
    });
    child = started;
    started.once("error", (error) => died(error.message));
    started.once("exit", (code, signal) => died(signal ?? `exit code ${code}`));
    if (settings.isReplicated) void firstRead(app, () => isStopping || child !== started);
    function died(why: string): void {
      if (child !== started) return;
      child = null;
      if (isStopping) return;
      const nowMs = performance.now();
      deaths.push(nowMs);
      const recent = deaths.filter((atMs) => atMs > nowMs - WINDOW_MS).length;
      say("error", "launch.site_died", { why, deaths: recent });
      if (recent >= MAX_DEATHS) fail(1);
      else setTimeout(start, pauseMs * recent);
    }
  }
  start();

  return {
    failed,
    async drain(timeoutMs) {
      isStopping = true;
      const running = child;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => running.once("exit", () => resolve()));
      const timer = setTimeout(() => {
        say("warn", "launch.killed", { after_ms: timeoutMs });
        running.kill("SIGKILL");
      }, timeoutMs);
      running.kill("SIGTERM");
      await ended;
      clearTimeout(timer);
    },
    kill() {
      isStopping = true;
      child?.kill("SIGKILL");
    },
  };
}
