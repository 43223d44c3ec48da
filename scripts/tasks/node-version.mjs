// Restarts the command with a Node that is new enough, installed from the npm registry into .node.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { Stop, isInterrupted, npm, say } from "./run.mjs";

/** The Node of tests, `npm start` and the image. Raise it here, in the Dockerfile and in .nvmrc. */
const NODE_VERSION = "24.21.0";
/**
 * The first Node that runs TypeScript without a flag, which scripts and the compile worker need.
 */
const NODE_MINIMUM = [22, 18];

function localNode(root) {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const folder = join(root, ".node", "node_modules", `node-${platform}-${process.arch}`);
  return { folder, binary: join(folder, "bin", platform === "win" ? "node.exe" : "node") };
}

function nodeVersion(binary) {
  const { status, stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim().slice(1) : null;
}

/**
 * Returns true if it started `script` again with another Node; that process's exit ends this one.
 */
export async function restartWithRightNode(root, script, args) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1]))
    return false;
  const { folder, binary } = localNode(root);
  if (!existsSync(binary) || nodeVersion(binary) !== NODE_VERSION) {
    say(
      `Node ${process.versions.node} is older than 22.18: installing Node ${NODE_VERSION} into .node`,
    );
    mkdirSync(join(root, ".node"), { recursive: true });
    writeFileSync(join(root, ".node", "package.json"), '{"private":true}\n');
    const name = relative(join(root, ".node", "node_modules"), folder);
    const failed = `Couldn't install Node ${NODE_VERSION} for ${process.platform} ${process.arch}. Install Node 24 and try again.`;
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
      throw new Stop(isInterrupted() ? "Stopped." : `${failed}\n${error.message}`);
    }
    if (!existsSync(binary)) throw new Stop(failed);
  }
  const child = spawn(binary, [script, ...args], {
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
