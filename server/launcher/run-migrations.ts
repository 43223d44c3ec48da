// Runs server/launcher/apply-migrations.ts as the site's user.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Settings, appUserIds } from "#server/settings.ts";

/** Returns the migration names that it prints. Rejects with its error, or after `timeoutMs`. */
export function runMigrations(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  file: string,
  mode?: "pending" | "new",
  timeoutMs = 300_000,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const args = [
      join(settings.root, "server", "launcher", "apply-migrations.ts"),
      file,
      ...(mode ? [mode] : []),
    ];
    // A new database is a plain file outside the mount.
    const childEnv = { ...env, DATABASE_FILE: file, ...(mode === "new" && { REPLICATION: "off" }) };
    const child = spawn(process.execPath, args, {
      cwd: settings.root,
      env: childEnv,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      ...appUserIds(settings),
    });
    let out = "";
    let error = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (error += data.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      // The result is the last line, after any log lines.
      const lines = out.trim().split("\n");
      const result = lines.pop() ?? "";
      if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
      if (code === 0) resolve(JSON.parse(result || "[]") as string[]);
      else
        reject(
          new Error(
            `migrations: ${/^\w*Error: .*$/m.exec(error)?.[0] ?? (error.trim().slice(-500) || `no result within ${timeoutMs} ms`)}`,
          ),
        );
    });
  });
}
