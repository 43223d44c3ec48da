// Installs and builds the peers that are npm packages, each from its own lockfile.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PACKAGES, PEERS_DIR, SOURCES_DIR } from "./folders.ts";

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
function installPackages(dir: string): void {
  const stamp = join(dir, "node_modules", ".lockfile");
  const lockfile = readFileSync(join(dir, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lockfile) return;
  // Not `npm ci`, which fails if an optional package of another platform is not in the registry.
  const options = ["--no-save", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
  runQuietly("npm", ["install", ...options], { cwd: dir });
  writeFileSync(stamp, lockfile);
}

/** Copies, installs and builds the peers. A page that is rendered by the build reads `databaseFile`. */
export function preparePackages(databaseFile: string): void {
  cpSync(join(SOURCES_DIR, "shared"), join(PEERS_DIR, "shared"), { recursive: true });
  for (const name of PACKAGES) {
    const dir = join(PEERS_DIR, name);
    mkdirSync(dir, { recursive: true });
    for (const entry of readdirSync(dir))
      if (entry !== "node_modules") rmSync(join(dir, entry), { recursive: true });
    cpSync(join(SOURCES_DIR, name), dir, { recursive: true });
    cpSync(join(SOURCES_DIR, "shared", "site.css"), join(dir, "public", "site.css"));
    console.log(`Preparing ${name}`);
    installPackages(dir);
    const { scripts } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as {
      scripts?: Record<string, string>;
    };
    if (!scripts?.build) continue;
    runQuietly("npm", ["run", "build"], {
      cwd: dir,
      env: {
        DATABASE_FILE: databaseFile,
        ASTRO_TELEMETRY_DISABLED: "1",
        // Without it, `prisma generate` downloads an engine that it never runs.
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      },
    });
  }
}
