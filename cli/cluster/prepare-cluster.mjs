// Prepares this machine for a cluster: builds LiteFS and Consul, and reports what is missing.

import { spawnSync } from "node:child_process";

/** The first Go version that supports the `tool` lines in cli/cluster/tools/*\/go.mod. */
const GO_MINIMUM = [1, 24];

/**
 * Returns what is missing on this machine, one sentence each with its fix; empty if a cluster can
 * run. Throws if a build fails. `installSystemPackages` installs Debian packages if that is
 * allowed.
 */
export async function prepareCluster({ installSystemPackages }) {
  const { findMissing, findTools } = await import("./tools/find-tools.ts");
  const lacking = findMissing();
  const packages = [];
  if (lacking.some((line) => line.includes("apt install fuse3"))) packages.push("fuse3");
  if (lacking.some((line) => line.includes("apt install golang-go")) && hasRecentGo())
    packages.push("golang-go", "gcc", "libc6-dev");
  if (packages.length > 0) await installSystemPackages(packages);
  const missing = findMissing();
  if (missing.length === 0) await findTools();
  return missing;
}

/** Returns true if Debian's Go package is new enough. */
function hasRecentGo() {
  const { stdout } = spawnSync("apt-cache", ["policy", "golang-go"], { encoding: "utf8" });
  const [, major, minor] = /Candidate: (?:\d+:)?(\d+)\.(\d+)/.exec(stdout) ?? [];
  return (
    Number(major) > GO_MINIMUM[0] ||
    (Number(major) === GO_MINIMUM[0] && Number(minor) >= GO_MINIMUM[1])
  );
}
