// Backs up the site while it runs. server/launcher and npm start run this program. With the
// argument "drill", runs one restore drill.

import { spawn } from "node:child_process";
import { basename, join } from "node:path";
import { HOUR_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { log } from "#lib/core/log.ts";
import { runBackupLoop } from "./backup-loop.ts";
import { runDrill } from "./drill.ts";
import { openArchive } from "./open-archive.ts";

const PARENT_POLL_MS = 1_000;

function startDrill(): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = [...process.execArgv, import.meta.filename, "drill"];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, PARENT_PID: String(process.pid) },
      stdio: "inherit",
      timeout: HOUR_MS,
      killSignal: "SIGKILL",
    });
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`the drill ended with exit code ${code}`)),
    );
  });
}

/**
 * Exits if the launcher was killed, so that no second process writes the backup. PARENT_PID shows
 * whether it was killed before this line.
 */
function exitWithParent(): void {
  const parent = Number(process.env.PARENT_PID ?? process.ppid);
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, PARENT_POLL_MS).unref();
}

try {
  exitWithParent();
  if (process.argv[2] === "drill") {
    const { problems, restoreMs, totalMs, rows, bytes } = await runDrill(openArchive(), {
      folder: join(env.DATA_DIR, "backup-drill"),
      liveFile: env.DATABASE_FILE,
      instance: currentInstance(),
    });
    const level = problems.length > 0 ? "error" : "info";
    log(level, "backup.drill", { problems, restoreMs, totalMs, rows, bytes });
  } else {
    const stop = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.on(signal, () => stop.abort(signal));
    log("info", "backup.started", { database: basename(env.DATABASE_FILE) });
    // The next interval retries.
    await runBackupLoop(openArchive({ attempts: 1 }), stop.signal, startDrill);
  }
} catch (error) {
  log("error", "backup.failed", { error });
  process.exitCode = 1;
}
process.exit();
