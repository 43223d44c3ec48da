// A program of ours that runs to its end, as the site's user.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Settings, appUserIds } from "#server/settings.ts";

/** What `server/launcher/apply-migrations.ts` prints. Rejects with what it says when it fails, or takes longer than `timeoutMs`. */
export function runMigrations(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  file: string,
  word?: "pending" | "new",
  timeoutMs = 300_000,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const args = [
      join(settings.root, "server", "launcher", "apply-migrations.ts"),
      file,
      ...(word ? [word] : []),
    ];
    // A new database is made beside the mount: there it is a plain file.
    const own = { ...env, DATABASE_FILE: file, ...(word === "new" && { REPLICATION: "off" }) };
    const child = spawn(process.execPath, args, {
      cwd: settings.root,
      env: own,
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
      // What it logged comes before its answer.
      const lines = out.trim().split("\n");
      const answer = lines.pop() ?? "";
      if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
      if (code === 0) resolve(JSON.parse(answer || "[]") as string[]);
      else
        reject(
          new Error(
            `migrations: ${/^\w*Error: .*$/m.exec(error)?.[0] ?? (error.trim().slice(-500) || `no answer within ${timeoutMs} ms`)}`,
          ),
        );
    });
  });
}
