// What a cluster needs of the machine: installed where that can be done, as Chromium is; built; else named.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Older ones don't know what go.mod in cli/cluster/tools says. */
const GO_MINIMUM = [1, 24];

/**
 * Gets LiteFS and Consul ready. Returns what is missing on this machine, one sentence each with what would mend it; empty
 * when a cluster can run. Throws if a build fails. `run` runs a program to its end, `say` prints a line.
 */
export async function prepareCluster({ run, say }) {
  const { findMissing, findTools } = await import("./tools/find-tools.ts");
  const wanted = findMissing();
  if (wanted.length > 0 && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    const packages = [];
    if (wanted.some((line) => line.includes("apt install fuse3"))) packages.push("fuse3");
    if (wanted.some((line) => line.includes("apt install golang-go")) && aptHasGo())
      packages.push("golang-go", "gcc", "libc6-dev");
    if (packages.length > 0) {
      say(`installing ${packages.join(" ")} from the system's packages`);
      await run("apt-get", ["update", "-qq"], { quiet: true });
      await run("apt-get", ["install", "-y", "-qq", ...packages], {
        quiet: true,
        env: { DEBIAN_FRONTEND: "noninteractive" },
      });
    }
  }
  const missing = findMissing();
  if (missing.length === 0) await findTools();
  return missing;
}

function aptHasGo() {
  const { stdout = "" } = spawnSync("apt-cache", ["policy", "golang-go"], { encoding: "utf8" });
  const [, major, minor] = /Candidate: (?:\d+:)?(\d+)\.(\d+)/.exec(stdout) ?? [];
  return (
    Number(major) > GO_MINIMUM[0] ||
    (Number(major) === GO_MINIMUM[0] && Number(minor) >= GO_MINIMUM[1])
  );
}
