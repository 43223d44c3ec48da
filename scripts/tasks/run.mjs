// Runs other programs: with their output shown, kept for a failure, or prefixed with a name.

import { spawn } from "node:child_process";
import { join } from "node:path";

/** An error that the user can fix: its message is printed without a stack. */
export class Stop extends Error {}

export const bin = (name) => join("node_modules", ".bin", name);
export const say = (text) => console.log(`\x1b[2m· ${text}\x1b[0m`);

const KILL_AFTER_MS = 5_000;
let interrupted = false;
export const isInterrupted = () => interrupted;

/** Writes each line that a stream prints with `name` in front of it. */
function printLines(stream, name) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) console.log(`\x1b[2m${name} │\x1b[0m ${line}`);
  });
  stream.on("end", () => rest && console.log(`\x1b[2m${name} │\x1b[0m ${rest}`));
}

/**
 * Runs a program and resolves with its exit code. `quiet` prints its output only if it fails;
 * `prefix` prints each line with that name in front; `onFailure` receives the output of a quiet
 * run.
 */
export function run(command, args, { env = {}, quiet = false, prefix, onFailure } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: quiet || prefix ? ["ignore", "pipe", "pipe"] : "inherit",
      env: { ...process.env, ...env },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      if (prefix) printLines(stream, prefix);
      else stream.on("data", (data) => (output += data));
    }
    const pass = (signal) => {
      interrupted = true;
      child.kill(signal);
      setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS).unref();
    };
    process.on("SIGINT", pass).on("SIGTERM", pass);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", pass).off("SIGTERM", pass);
      if (quiet && code !== 0) process.stdout.write(output);
      if (code !== 0) onFailure?.(output);
      resolve(code ?? (signal ? 130 : 1));
    });
  });
}

/** Runs a TypeScript file of this repository with Node. */
export const node = (file, args = [], options = {}) =>
  run(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], options);

/** Throws Stop with `message` unless the program exits with 0. */
export async function must(promise, message) {
  const code = await promise;
  if (interrupted) throw new Stop("Stopped.");
  if (code !== 0) throw new Stop(message);
}

/** Runs npm in this process group, so that Ctrl-C ends an install, too. */
export async function npm(args, env = {}) {
  // npm_execpath is npm's own JavaScript: this way it runs with the current Node.
  const execPath = process.env.npm_execpath;
  const [command, before] =
    execPath && /\.c?js$/.test(execPath)
      ? [process.execPath, [execPath]]
      : [process.platform === "win32" ? "npm.cmd" : "npm", []];
  await must(run(command, [...before, ...args], { quiet: true, env }), `npm ${args[0]} failed.`);
}
