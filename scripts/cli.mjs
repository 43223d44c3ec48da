#!/usr/bin/env node
// Every npm command starts here. Plain JavaScript without dependencies, because it runs before there are any,
// on any Node from 20. It gets the right Node, installs, generates and builds what is missing or out of date, and
// then runs the command. What is up to date is skipped: a second start takes seconds.

import { spawn, spawnSync } from "node:child_process";
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
import { createServer } from "node:net";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { POSTGRES_MISSING, findPostgres } from "./find-postgres.mjs";
import { digest, readPlaywright, readVitest } from "./test-report.mjs";
import { SERVER_FLAGS } from "../server/server-flags.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
// The same file that Next reads by itself; what the shell has set wins.
if (existsSync(".env")) process.loadEnvFile(".env");

/** The Node that tests, start and image share. Raised by hand, with the Dockerfile. */
const NODE_VERSION = "24.21.0";
/** From here on Node runs TypeScript by itself, which the scripts and the compile worker need. */
const NODE_MINIMUM = [22, 18];

const bin = (name) => join("node_modules", ".bin", name);
const say = (text) => console.log(`\x1b[2m· ${text}\x1b[0m`);

class Stop extends Error {}

// ---- Node ------------------------------------------------------------------------------------------------

function ownNode() {
  const folder = join(
    root,
    ".node",
    "node_modules",
    `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`,
  );
  return {
    folder,
    binary: join(folder, "bin", process.platform === "win32" ? "node.exe" : "node"),
  };
}

/** Starts this file again with a Node that is new enough, got from the npm registry; returns if this one is. */
async function withRightNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1])) return;
  const { folder, binary } = ownNode();
  if (!existsSync(binary) || nodeVersion(binary) !== NODE_VERSION) {
    say(
      `Node ${process.versions.node} is too old (22.18 or newer is needed): getting Node ${NODE_VERSION} into .node`,
    );
    mkdirSync(join(root, ".node"), { recursive: true });
    writeFileSync(join(root, ".node", "package.json"), '{"private":true}\n');
    const name = relative(join(root, ".node", "node_modules"), folder);
    const failed = `Node ${NODE_VERSION} could not be had from the npm registry for ${process.platform} ${process.arch}. Install Node 24 and start again.`;
    try {
      await npm(
        [
          "install",
          "--no-save",
          "--no-package-lock",
          "--prefix",
          join(root, ".node"),
          `${name}@${NODE_VERSION}`,
        ],
        { NPM_CONFIG_PREFIX: undefined },
      );
    } catch (error) {
      throw new Stop(interrupted ? "Stopped." : `${failed}\n${error.message}`);
    }
    if (!existsSync(binary)) throw new Stop(failed);
  }
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: `${dirname(binary)}${delimiter}${process.env.PATH}`,
      npm_config_nodedir: folder,
    },
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
  return true;
}

function nodeVersion(binary) {
  const result = spawnSync(binary, ["--version"], { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim().slice(1) : null;
}

// ---- Running -----------------------------------------------------------------------------------------------

/** Runs npm to its end, in the same process group and ended with it: an install that goes on alone ruins the next one. */
async function npm(args, env = {}) {
  // npm_execpath is npm's own JavaScript: it runs with the Node that runs this.
  const own = process.env.npm_execpath;
  const [command, before] =
    own && /\.c?js$/.test(own)
      ? [process.execPath, [own]]
      : [process.platform === "win32" ? "npm.cmd" : "npm", []];
  await must(run(command, [...before, ...args], { quiet: true, env }), `npm ${args[0]} failed.`);
}

let interrupted = false;

/** Runs a program to its end. Returns its exit code; `quiet` shows what it printed only if it failed, `onFailure` gets that as well. */
function run(command, args, { env = {}, quiet = false, onFailure } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
      env: { ...process.env, ...env },
    });
    let printed = "";
    child.stdout?.on("data", (data) => (printed += data));
    child.stderr?.on("data", (data) => (printed += data));
    const pass = (signal) => {
      interrupted = true;
      child.kill(signal);
      // Who does not listen within some seconds is ended: nothing of ours stays behind.
      setTimeout(() => child.kill("SIGKILL"), 5_000).unref();
    };
    process.on("SIGINT", pass).on("SIGTERM", pass);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", pass).off("SIGTERM", pass);
      if (quiet && code !== 0) process.stdout.write(printed);
      if (code !== 0) onFailure?.(printed);
      resolve(code ?? (signal ? 130 : 1));
    });
  });
}

const node = (file, args = [], options = {}) =>
  run(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], options);

async function must(promise, message) {
  const code = await promise;
  if (interrupted) throw new Stop("Stopped.");
  if (code !== 0) throw new Stop(message);
}

// ---- What is up to date ----------------------------------------------------------------------------------

function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => filesBelow(join(path, name)));
}

function hashOf(paths, keep = () => true) {
  const hash = createHash("sha256").update(process.version);
  for (const file of paths.flatMap(filesBelow).filter(keep))
    hash.update(file).update("\0").update(readFileSync(file));
  return hash.digest("hex");
}

/** Does `work` unless it was done for the same inputs before; `output` must still be there. */
async function once(stamp, hash, output, work) {
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

// ---- Set-up ------------------------------------------------------------------------------------------------

async function packages() {
  await once(
    join("node_modules", ".lectern-install"),
    hashOf(["package-lock.json"]),
    "node_modules",
    async () => {
      say("installing packages");
      await npm(["ci", "--no-fund", "--no-audit"]);
    },
  );
}

async function install() {
  await packages();
  await once(
    join("prisma", "generated", ".stamp"),
    hashOf(["prisma/schema.prisma", "package-lock.json"]),
    join("prisma", "generated", "client.ts"),
    async () => {
      say("generating the Prisma client");
      // `generate` wants to download an engine that it then does not use: any program stands in for it.
      await must(
        run(process.execPath, [bin("prisma"), "generate"], {
          quiet: true,
          env: {
            PRISMA_SCHEMA_ENGINE_BINARY:
              process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
          },
        }),
        "The Prisma client could not be generated.",
      );
    },
  );
  await must(node("scripts/check-env.ts"), "Nothing was started.");
  await must(
    node("scripts/generate-component-registry.ts", [], { quiet: true }),
    "The list of components beside posts could not be made.",
  );
  await must(
    node("scripts/build-images.ts", [], { quiet: true }),
    "The pictures could not be prepared.",
  );
}

async function prepareDatabase() {
  await must(node("scripts/prepare-database.ts"), "The database could not be brought up to date.");
}

async function build({ env = {} } = {}) {
  const sources = [
    "app",
    "components",
    "lib",
    "prisma/schema.prisma",
    "public",
    "content",
    "next.config.mjs",
    "middleware.ts",
    "instrumentation.ts",
    "tsconfig.json",
    "package.json",
    "package-lock.json",
    ...(env.BENCH ? ["bench"] : []),
  ];
  const hash =
    hashOf(
      sources,
      (file) =>
        !/\.test\.tsx?$/.test(file) &&
        !(file.startsWith("content") && file.endsWith(".mdx")) &&
        !file.startsWith(join("public", "_")),
    ) + JSON.stringify(env);
  await once(join(".next", "lectern-build"), hash, join(".next", "BUILD_ID"), async () => {
    say("building");
    rmSync(join(".next", "lectern-build"), { force: true });
    await must(
      run(process.execPath, [bin("next"), "build"], {
        quiet: true,
        env: { ...env, NODE_ENV: "production", PRECOMPRESSED: "on", NEXT_TELEMETRY_DISABLED: "1" },
      }),
      "The build failed.",
    );
    await must(node("scripts/precompress.ts"), "The built scripts could not be compressed.");
  });
}

function portIsFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

async function serve(mode, args) {
  const port = process.env.PORT ?? "3000";
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw new Stop(`PORT is "${port}": it must be a number from 1 to 65535.`);
  if (!(await portIsFree(Number(port))))
    throw new Stop(
      `Port ${port} is taken. Stop what runs there, or choose another: PORT=3001 npm ${mode === "dev" ? "run dev" : "start"}`,
    );
  console.log(`\n  Lectern is at http://localhost:${port}\n`);
  // Development hands its flags on in NODE_OPTIONS, which takes none of V8's.
  return run(
    process.execPath,
    [...(mode === "start" ? SERVER_FLAGS : []), bin("next"), mode, "-p", port, ...args],
    {
      env: {
        NODE_ENV: mode === "dev" ? "development" : "production",
        NEXT_TELEMETRY_DISABLED: "1",
        SITE_URL: process.env.SITE_URL ?? `http://localhost:${port}`,
      },
    },
  );
}

// ---- Browser for e2e -----------------------------------------------------------------------------------------

const CHROMIUM = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** A browser that Playwright can drive: the system's, else Playwright's own, installed if need be. */
async function browser() {
  const own = () => {
    const found = spawnSync(
      process.execPath,
      ["-e", "console.log(require('playwright').chromium.executablePath())"],
      { encoding: "utf8" },
    ).stdout?.trim();
    return found && existsSync(found) ? found : undefined;
  };
  const find = () =>
    process.env.CHROMIUM_PATH ?? CHROMIUM.find((path) => existsSync(path)) ?? own();
  if (find()) return find();
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    say("installing Chromium from the system's packages");
    await run("apt-get", ["update", "-qq"], { quiet: true });
    await run("apt-get", ["install", "-y", "-qq", "chromium"], {
      quiet: true,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
  } else {
    say("installing Playwright's Chromium");
    await run(process.execPath, [bin("playwright"), "install", "chromium"], { quiet: true });
  }
  if (!find())
    throw new Stop(
      "The browser tests need Chromium, which could not be installed. Install it (Debian: apt install chromium) or set CHROMIUM_PATH.",
    );
  return find();
}

// ---- PostgreSQL for the move -----------------------------------------------------------------------------------

/** The server that tests, demo and benchmark start by themselves, installed if need be. Returns whether it is there. */
async function postgres() {
  if (!findPostgres() && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    say("installing PostgreSQL from the system's packages");
    await run("apt-get", ["update", "-qq"], { quiet: true });
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "postgresql"], {
      quiet: true,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
  }
  return findPostgres() !== null;
}

/** The same for the tests, which go on without it and count as skipped. */
async function postgresOrSkip() {
  if (!(await postgres()))
    say(`the tests of the move from Postgres are skipped: ${POSTGRES_MISSING}`);
}

// ---- Checks ------------------------------------------------------------------------------------------------

const total = { passed: 0, failed: 0, skipped: 0, failures: [], secondTry: [] };
const REPORTS = join(".data", "reports");
/** Of the whole run alone: a busy machine fails one test of thousands now and then. It is named at the end (decision 028). */
const SECOND_TRY = { vitest: ["--retry=1"], playwright: ["--retries=1"] };

function add(name, { passed = 0, failed = 0, skipped = 0, failures = [], secondTry = [] }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  for (const [list, more] of [
    [total.failures, failures],
    [total.secondTry, secondTry],
  ])
    list.push(...more.map((one) => ({ ...one, name: `${name}: ${one.name}` })));
}

/** One check that passes or fails as a whole. */
async function check(name, command, args) {
  const startedMs = Date.now();
  let said = "";
  const ok =
    (await run(command, args, { quiet: true, onFailure: (printed) => (said = printed) })) === 0;
  add(name, ok ? { passed: 1 } : { failed: 1, failures: [{ name: "as a whole", said }] });
  say(`${name}: ${ok ? "ok" : "FAILED"} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
}

/** A runner that counts its own tests into a JSON report. */
async function counted(name, report, runner, read) {
  rmSync(report, { force: true });
  mkdirSync(dirname(report), { recursive: true });
  const code = await runner();
  const counts = existsSync(report)
    ? read(JSON.parse(readFileSync(report, "utf8")))
    : { passed: 0, failed: 0, skipped: 0 };
  // A runner that fails without a failed test (a crash, nothing found) must not look green.
  if (code !== 0 && counts.failed === 0)
    Object.assign(counts, {
      failed: 1,
      failures: [{ name: `ended with ${code}, and no test failed`, said: "" }],
    });
  add(name, counts);
  say(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
}

async function lint() {
  await check("lint", process.execPath, [bin("eslint"), "--max-warnings", "0", "."]);
  await check("imports", process.execPath, [
    bin("depcruise"),
    "--config",
    ".dependency-cruiser.cjs",
    "app",
    "components",
    "lib",
    "server",
    "cli",
    "scripts",
    "tests",
    "e2e",
    "bench",
    "prisma",
    "instrumentation.ts",
    "middleware.ts",
  ]);
}

async function types() {
  await must(
    run(process.execPath, [bin("next"), "typegen"], { quiet: true }),
    "Next could not generate its types.",
  );
  await check("types", process.execPath, [bin("tsc"), "--noEmit"]);
}

function unit(args) {
  const report = join(REPORTS, "unit.json");
  return counted(
    "unit",
    report,
    () =>
      run(
        process.execPath,
        [
          bin("vitest"),
          "run",
          "--reporter=default",
          "--reporter=json",
          `--outputFile.json=${report}`,
          ...args,
        ],
        { env: { NODE_ENV: "test" } },
      ),
    readVitest,
  );
}

function playwright(name, args, env) {
  const report = join(REPORTS, `${name}.json`);
  return counted(
    name,
    report,
    () =>
      run(process.execPath, [bin("playwright"), "test", "--reporter=list,json", ...args], {
        env: { ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
      }),
    readPlaywright,
  );
}

async function e2e(args) {
  const chromium = await browser();
  await build();
  return playwright("e2e", args, { CHROMIUM_PATH: chromium });
}

async function image(args, options = {}) {
  await build();
  return node("scripts/build-app-image.ts", args, options);
}

/** Gets LiteFS and Consul ready; returns what is missing. Loaded late: the image's build has no cli/cluster. */
async function prepareCluster() {
  const module = await import("../cli/cluster/prepare-cluster.mjs");
  return module.prepareCluster({ run, say });
}

/** The site as several instances on LiteFS. Where that can't be, its tests are skipped, and say why. */
async function cluster(args, runner = []) {
  const missing = await prepareCluster();
  for (const line of missing) say(`no cluster here: ${line}`);
  const chromium = missing.length === 0 ? await browser() : "";
  if (missing.length === 0) await must(image([], { quiet: true }), "The image could not be made.");
  await playwright("cluster", ["-c", "playwright.cluster.config.ts", ...runner, ...args], {
    CHROMIUM_PATH: chromium,
    ...(missing.length > 0 && { CLUSTER_MISSING: missing.join("\n") }),
  });
  // Which of the cluster's own tests are asked for says nothing of these.
  if (missing.length === 0 && args.length === 0)
    await playwright("members", ["-c", "playwright.members.config.ts", ...runner], {
      CHROMIUM_PATH: chromium,
    });
}

function closing() {
  const said = digest(total.failures, total.secondTry);
  if (said) console.log(`\n${said}`);
  console.log(
    `\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ""}`,
  );
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

// ---- Commands ----------------------------------------------------------------------------------------------

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
  async check(args) {
    await install();
    await postgresOrSkip();
    await lint();
    await types();
    await unit(args);
    return closing();
  },
  async e2e(args) {
    await install();
    await postgresOrSkip();
    await e2e(args);
    return closing();
  },
  async test(args) {
    await install();
    await postgresOrSkip();
    await lint();
    await types();
    await unit([...SECOND_TRY.vitest, ...args]);
    await check("content", process.execPath, [
      "--disable-warning=ExperimentalWarning",
      "cli/content-check/main.ts",
      "--offline",
    ]);
    await e2e(SECOND_TRY.playwright);
    await cluster([], SECOND_TRY.playwright);
    return closing();
  },
  async "test:cluster"(args) {
    await install();
    await cluster(args);
    return closing();
  },
  async cluster(args) {
    await install();
    const missing = await prepareCluster();
    if (missing.length > 0)
      throw new Stop(`A cluster can't run here:\n${missing.map((line) => `  ${line}`).join("\n")}`);
    await must(image([], { quiet: true }), "The image could not be made.");
    return node("cli/cluster/main.ts", args);
  },
  async bench([name, ...args]) {
    const names = readdirSync("bench")
      .filter((file) => /^[a-z-]+\.ts$/.test(file))
      .map((file) => file.slice(0, -3));
    if (!names.includes(name)) throw new Stop(`Which one? npm run bench -- ${names.join(" | ")}`);
    await install();
    const missing = name === "cluster" ? await prepareCluster() : [];
    if (missing.length > 0)
      throw new Stop(`A cluster can't run here:\n${missing.map((line) => `  ${line}`).join("\n")}`);
    if (name === "migrate" && !(await postgres())) throw new Stop(POSTGRES_MISSING);
    // A move needs no site.
    if (name !== "migrate") await build({ env: { BENCH: "on" } });
    if (name === "cluster")
      await must(
        node("scripts/build-app-image.ts", ["--out", join(".data", "bench-image")], {
          quiet: true,
        }),
        "The image could not be made.",
      );
    return node(join("bench", `${name}.ts`), args, { env: { NODE_ENV: "production" } });
  },
  async "migrate:demo"(args) {
    await install();
    if (!args.includes("--help")) {
      if (!(await postgres())) throw new Stop(POSTGRES_MISSING);
      await build();
    }
    return node("cli/migrate-postgres/demo.ts", args);
  },
  // A layer of its own in the Dockerfile.
  async packages() {
    await packages();
  },
  async image(args) {
    await install();
    return image(args);
  },
  async script([file, ...args]) {
    await install();
    return node(file, args);
  },
};

const [name, ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(commands, name))
    throw new Stop(
      `Unknown command "${name}". There are: ${Object.keys(commands)
        .filter((known) => !["script", "packages"].includes(known))
        .join(", ")}`,
    );
  if (!(await withRightNode())) process.exitCode = await commands[name](args);
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}
