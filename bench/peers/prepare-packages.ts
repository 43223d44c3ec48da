// Installs and builds the peers that are npm packages, each from its own lockfile.

import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPackages, runQuietly } from "#bench/support/install-packages.ts";
import { PACKAGES, PEERS_DIR, SOURCES_DIR } from "./folders.ts";

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
