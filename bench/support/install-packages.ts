// Installs packages that only a benchmark needs, from a separate lockfile.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs a command without output. Throws with its output if it fails. */
export function runQuietly(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Record<string, string> },
): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    ...options,
    env: { ...process.env, ...options.env },
    encoding: "utf8",
    maxBuffer: 64 * 1_048_576,
  });
  if (status === 0) return;
  const output = error?.message ?? `${stdout}${stderr}`.slice(-5_000);
  throw new Error(`${command} ${args.join(" ")} failed in ${options.cwd}:\n${output}`);
}

/** Installs the packages of `dir`, unless they are from the same lockfile. */
export function installPackages(dir: string): void {
  const stamp = join(dir, "node_modules", ".lockfile");
  const lockfile = readFileSync(join(dir, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lockfile) return;
  // Not `npm ci`, which fails if an optional package of another platform is not in the registry.
  const options = ["--no-save", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
  runQuietly("npm", ["install", ...options], { cwd: dir });
  writeFileSync(stamp, lockfile);
}
