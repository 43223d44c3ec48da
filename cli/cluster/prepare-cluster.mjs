// Prepares what a cluster needs: builds LiteFS and Consul, and names what this machine lacks.

import { spawnSync } from "node:child_process";

/** The first Go that understands the `tool` lines of cli/cluster/tools/*\/go.mod. */
const GO_MINIMUM = [1, 24];

/**
 * Returns what is missing on this machine, one sentence each with its fix; empty if a cluster can run.
 * Throws if a build fails. `installSystemPackages` installs Debian packages where that is allowed.
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

/** Whether Debian's package of Go is new enough. */
function hasRecentGo() {
  const { stdout = "" } = spawnSync("apt-cache", ["policy", "golang-go"], { encoding: "utf8" });
  const [, major, minor] = /Candidate: (?:\d+:)?(\d+)\.(\d+)/.exec(stdout) ?? [];
  return (
    Number(major) > GO_MINIMUM[0] ||
    (Number(major) === GO_MINIMUM[0] && Number(minor) >= GO_MINIMUM[1])
  );
}
