// Installs, generates and builds whatever is missing or out of date. What is up to date is skipped.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { bin, must, node, npm, run, say } from "./run.mjs";
import { withSetupLock } from "./setup-lock.mjs";

function listFiles(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => listFiles(join(path, name)));
}

function hashFiles(paths, isIncluded = () => true) {
  const hash = createHash("sha256").update(process.version);
  for (const file of paths.flatMap(listFiles).filter(isIncluded))
    hash.update(file).update("\0").update(readFileSync(file));
  return hash.digest("hex");
}

/** Runs `work` unless it ran for the same inputs before and `output` still exists. */
async function once(stamp, hash, output, work) {
  const isDone = () =>
    existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
  if (isDone()) return;
  await withSetupLock(async () => {
    if (isDone()) return;
    await work();
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, hash);
  });
}

export async function installPackages() {
  await once(
    join("node_modules", ".lectern-install"),
    hashFiles(["package-lock.json"]),
    "node_modules",
    async () => {
      say("installing packages");
      await npm(["ci", "--no-fund", "--no-audit"]);
    },
  );
}

async function generatePrismaClient() {
  await once(
    join("prisma", "generated", ".stamp"),
    hashFiles(["prisma/schema.prisma", "package-lock.json"]),
    join("prisma", "generated", "client.ts"),
    async () => {
      say("generating the Prisma client");
      // Without this variable, `generate` downloads an engine that it never runs.
      const engine = process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath;
      await must(
        run(process.execPath, [bin("prisma"), "generate"], {
          quiet: true,
          env: { PRISMA_SCHEMA_ENGINE_BINARY: engine },
        }),
        "The Prisma client could not be generated.",
      );
    },
  );
}

/** Prepares everything that is generated from sources; every command needs it. */
export async function installWithoutChecks() {
  await installPackages();
  await generatePrismaClient();
}

/** Prepares a command that needs a valid configuration. */
export async function install() {
  await installWithoutChecks();
  await must(node("scripts/check-env.ts"), "Nothing was started.");
}

export async function prepareDatabase() {
  await must(node("scripts/prepare-database.ts"), "The database could not be prepared.");
}

export const BUILD_INPUTS = [
  "app",
  "components",
  "lib",
  "prisma/schema.prisma",
  "public",
  "content",
  "next.config.mjs",
  "scripts/build-page-script.ts",
  "middleware.ts",
  "mdx-components.tsx",
  "instrumentation.ts",
  "tsconfig.json",
  "package.json",
  "package-lock.json",
];

const isBuildInput = (file) =>
  !/\.test\.tsx?$/.test(file) &&
  !(file.startsWith("content") && file.endsWith(".mdx")) &&
  !file.startsWith(join("public", "_"));

/** Builds the site for production, unless the last build has the same inputs. */
export async function build() {
  const hash = hashFiles(BUILD_INPUTS, isBuildInput);
  await once(join(".next", "lectern-build"), hash, join(".next", "BUILD_ID"), async () => {
    say("building");
    rmSync(join(".next", "lectern-build"), { force: true });
    await must(
      run(process.execPath, [bin("next"), "build"], {
        quiet: true,
        env: { NODE_ENV: "production", PRECOMPRESSED: "on", NEXT_TELEMETRY_DISABLED: "1" },
      }),
      "The build failed.",
    );
    await must(node("scripts/build-page-script.ts"), "The page script could not be built.");
    await must(node("scripts/precompress.ts"), "The built scripts could not be compressed.");
  });
}

export const BENCH_SITE = join(".data", "bench-site");

/**
 * Builds the copy of the site that benchmarks measure, unless the last build has the same inputs.
 */
export async function buildBenchSite() {
  const inputs = [...BUILD_INPUTS, "bench/site", "bench/support", "cli", "server", "scripts"];
  await once(
    join(BENCH_SITE, ".next", "lectern-build"),
    hashFiles(inputs, isBuildInput),
    join(BENCH_SITE, ".next", "BUILD_ID"),
    async () => {
      say("building the bench site");
      await must(
        node("bench/support/build-bench-site.ts", [], { quiet: true }),
        "The bench site could not be built.",
      );
    },
  );
}

/** Builds the site and collects what the image contains. Returns the exit code. */
export async function buildImage(args = [], options = {}) {
  await build();
  return node("scripts/build-app-image.ts", args, options);
}
