#!/usr/bin/env node
// Runs every npm command: sets up whatever is missing or out of date, then runs the command. Plain
// JavaScript without packages, because it runs before they are installed, on Node 20 or newer.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVER_ENV, SERVER_FLAGS } from "../server/server-flags.mjs";
import * as checks from "./tasks/checks.mjs";
import { restartWithRightNode } from "./tasks/node-version.mjs";
import {
  prepareFfmpeg,
  preparePostgres,
  requireChromium,
  requireCluster,
  requirePostgres,
} from "./tasks/requirements.mjs";
import { Stop, bin, isInterrupted, must, node, run } from "./tasks/run.mjs";
import {
  BENCH_SITE,
  build,
  buildBenchSite,
  buildImage,
  install,
  installPackages,
  installWithoutChecks,
  prepareDatabase,
} from "./tasks/setup.mjs";

const script = fileURLToPath(import.meta.url);
const root = join(dirname(script), "..");
process.chdir(root);

/** Next reads the same file. Shell variables take precedence. */
function loadVariables() {
  if (!existsSync(".env")) return;
  try {
    process.loadEnvFile(".env");
  } catch {
    // Node reports ENOENT for every reason.
    throw new Stop(
      ".env can't be read. Check that it is a file and that you may read it: ls -l .env",
    );
  }
}

/** Returns the error code if `port` can't be listened on, or null. */
function findPortError(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }) => resolve(code));
    server.listen(port, () => server.close(() => resolve(null)));
  });
}

async function serve(mode, args) {
  const port = process.env.PORT ?? "3000";
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw new Stop(`PORT is "${port}": it must be a number from 1 to 65535.`);
  const error = await findPortError(Number(port));
  if (error !== null) {
    const problem =
      error === "EACCES"
        ? `You don't have permission to use port ${port}. Choose`
        : `Port ${port} is in use. Stop the program there, or choose`;
    const command = mode === "dev" ? "npm run dev" : "npm start";
    throw new Stop(`${problem} another port: PORT=3001 ${command}`);
  }
  console.log(`\n  Lectern is at http://localhost:${port}\n`);
  const stopBackup = mode === "start" ? startBackup() : undefined;
  // Next's dev server passes its flags on in NODE_OPTIONS, which rejects V8 flags.
  const flags = mode === "start" ? SERVER_FLAGS : [];
  try {
    return await run(
      process.execPath,
      [
        ...flags,
        "--disable-warning=ExperimentalWarning",
        join("server", "site.ts"),
        "--port",
        port,
        ...args,
      ],
      {
        env: {
          ...SERVER_ENV,
          NODE_ENV: mode === "dev" ? "development" : "production",
          NEXT_TELEMETRY_DISABLED: "1",
          PORT: port,
        },
      },
    );
  } finally {
    await stopBackup?.();
  }
}

/**
 * Starts the backup process next to the site, if it is configured. Returns a function that stops
 * it.
 */
function startBackup() {
  if (!process.env.BACKUP_BUCKET) return undefined;
  const flags = ["--disable-warning=ExperimentalWarning"];
  const backup = spawn(process.execPath, [...flags, join("server", "backup", "main.ts")], {
    stdio: "inherit",
    // In its own process group, so that after Ctrl-C, it can store the last transactions once the
    // site has stopped.
    detached: true,
  });
  const ended = once(backup, "exit");
  return async () => {
    backup.kill("SIGTERM");
    await ended;
  };
}

/** Returns a command that installs, runs checks, and prints a summary. */
const checking = (work) => async (args) => {
  await install();
  await work(args);
  return checks.summarize();
};

/** Returns a command that runs a program from node_modules with the command-line arguments. */
const program =
  (name, ...defaults) =>
  async (args) => {
    await installPackages();
    return run(process.execPath, [bin(name), ...defaults, ...args]);
  };

const listBenchmarks = () =>
  readdirSync("bench")
    .filter((file) => /^[a-z-]+\.ts$/.test(file))
    .map((file) => file.slice(0, -3));

async function runBenchmark(name, args = []) {
  if (name === "cluster") await requireCluster();
  if (name === "migrate") await requirePostgres();
  else if (name !== "search") await buildBenchSite();
  if (name === "cluster")
    await must(
      node(
        join(BENCH_SITE, "scripts", "build-app-image.ts"),
        ["--out", join(".data", "bench-image")],
        { quiet: true },
      ),
      "The image could not be built.",
    );
  return node(join("bench", `${name}.ts`), args, { env: { NODE_ENV: "production" } });
}

/** Runs every benchmark. One that fails keeps its saved result, and the others still run. */
async function runAllBenchmarks() {
  const failed = [];
  for (const name of listBenchmarks()) {
    console.log(`\n\x1b[1m${name}\x1b[0m\n`);
    try {
      const code = await runBenchmark(name);
      if (isInterrupted()) return code;
      if (code === 0) await saveBenchmarks([name]);
      else failed.push(name);
    } catch (error) {
      if (!(error instanceof Stop) || isInterrupted()) throw error;
      console.error(`\n${error.message}\n`);
      failed.push(name);
    }
  }
  if (failed.length > 0) throw new Stop(`Failed and not saved: ${failed.join(", ")}.`);
  return 0;
}

/** Saves the last result of benchmarks, and writes the documents that quote it. */
const saveBenchmarks = (names) => node("bench/report/main.ts", names);

const commands = {
  async start(args) {
    await install();
    await prepareDatabase();
    await build();
    return serve("start", args);
  },
  async dev(args) {
    await install();
    await prepareDatabase();
    return serve("dev", args);
  },
  async studio(args) {
    await install();
    return run(process.execPath, [bin("prisma"), "studio", ...args]);
  },
  lint: checking(checks.lint),
  knip: checking(checks.knip),
  unit: checking(async (args) => {
    await preparePostgres();
    await prepareFfmpeg();
    await checks.unit(args);
  }),
  check: checking(async (args) => {
    await preparePostgres();
    await prepareFfmpeg();
    await checks.quick(args);
  }),
  e2e: checking(async (args) => {
    await preparePostgres();
    await prepareFfmpeg();
    await checks.e2e(args);
  }),
  "test:cluster": checking(async (args) => {
    // The members' tests run only if no specific cluster test was requested.
    if ((await checks.cluster(args)) && args.length === 0) await checks.members([]);
  }),
  test: checking(async (args) => {
    await preparePostgres();
    await prepareFfmpeg();
    await checks.all(args);
  }),
  /** Runs a cluster under load, with faults drawn from a seed. */
  async soak(args) {
    await install();
    await requireCluster();
    await must(buildImage([], { quiet: true }), "The image could not be built.");
    return node("tests/soak/main.ts", args);
  },
  format: program("prettier", "--write", "--log-level", "warn", "."),
  async fix(args) {
    await install();
    await run(process.execPath, [bin("oxlint"), "--fix", ".", ...args]);
    return run(process.execPath, [bin("prettier"), "--write", "--log-level", "warn", "."]);
  },
  async cluster(args) {
    await install();
    if (!args.includes("--help")) {
      await requireCluster();
      await must(buildImage([], { quiet: true }), "The image could not be built.");
    }
    return node("cli/cluster/main.ts", args);
  },
  /** Runs one benchmark. Without a name, runs all and saves their results to docs/benchmarks.json. */
  async bench([name, ...args]) {
    const names = listBenchmarks();
    if (name !== undefined && name !== "save" && !names.includes(name))
      throw new Stop(
        `Choose one: npm run bench -- ${names.join(" | ")} | save. Without a name, all benchmarks run.`,
      );
    await install();
    if (name === undefined) return runAllBenchmarks();
    if (name === "save") return saveBenchmarks(args);
    const isSaved = args.includes("--save");
    const code = await runBenchmark(
      name,
      args.filter((arg) => arg !== "--save"),
    );
    return code === 0 && isSaved ? saveBenchmarks([name]) : code;
  },
  /** Makes the README's pictures, and a screenshot of every kind of page. */
  async screenshots() {
    await install();
    const CHROMIUM_PATH = await requireChromium();
    await build();
    return node("scripts/take-screenshots.ts", [], { env: { CHROMIUM_PATH } });
  },
  async "migrate:demo"(args) {
    await install();
    if (!args.includes("--help")) {
      await requirePostgres();
      await build();
    }
    return node("cli/migrate-postgres/demo.ts", args);
  },
  /** Installs packages, for a layer of the Dockerfile. */
  async packages() {
    await installPackages();
  },
  async image(args) {
    await install();
    return buildImage(args);
  },
  /** Checks the configuration itself. */
  async doctor(args) {
    await installWithoutChecks();
    return node("cli/doctor/main.ts", args);
  },
  async script([file, ...args]) {
    await install();
    return node(file, args);
  },
};

const INTERNAL = ["script", "packages"];

const [name, ...args] = process.argv.slice(2);
try {
  loadVariables();
  if (!Object.hasOwn(commands, name)) {
    const known = Object.keys(commands).filter((command) => !INTERNAL.includes(command));
    throw new Stop(`Unknown command "${name}". Commands: ${known.join(", ")}`);
  }
  if (!(await restartWithRightNode(root, script, [name, ...args])))
    process.exitCode = await commands[name](args);
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}
