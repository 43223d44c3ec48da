// Runs the launcher without LiteFS, on a plain database file.

import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Settings } from "#server/settings.ts";

/** Resolves to the launcher's exit code. Aborting `stop` sends it SIGTERM. */
export function runLauncher(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  stop: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(settings.root, "server", "launcher", "main.ts")], {
      cwd: settings.root,
      env,
      stdio: "inherit",
    });
    const end = () => child.kill("SIGTERM");
    stop.addEventListener("abort", end, { once: true });
    if (stop.aborted) end();
    child.once("error", reject);
    child.once("exit", (code) => {
      stop.removeEventListener("abort", end);
      resolve(code ?? 1);
    });
  });
}
