// Runs the built site as a cluster on this machine: nodes on LiteFS, Consul servers, and one edge
// proxy per region.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { startCluster } from "./cluster.ts";
import { findMissing } from "./tools/find-tools.ts";
import { parseCommandLine, exitWithUsage } from "#cli/command-line.ts";

const usage = `npm run cluster -- [--regions dfw,ams,syd] [--consul 1] [--latency] [--port 4000] [--keep]

  --regions  regions with nodes. The first is the primary region and has two candidates; the others have one replica each.
  --consul   the number of Consul servers, 1 or 3. With three, any one may fail. Default: 1.
  --latency  adds the real round-trip times between regions, including for replication
             (110 ms from dfw to ams, 180 ms to syd).
  --port     port of the first region's edge; each further region uses the next port. Default: 4000.
  --keep     keeps the data in .data/cluster and reuses it on the next run.

Ctrl-C stops everything.`;

const { flags } = parseCommandLine(usage, {
  regions: { type: "string", default: "dfw,ams,syd" },
  consul: { type: "string", default: "1" },
  latency: { type: "boolean", default: false },
  port: { type: "string", default: "4000" },
  keep: { type: "boolean", default: false },
  image: { type: "string", default: join(".data", "image") },
});
const regions = [...new Set(flags.regions.split(",").map((region) => region.trim()))];
const port = Number(flags.port);
if (regions.some((region) => !/^[a-z]{3}$/.test(region)))
  exitWithUsage(
    `--regions ${flags.regions}: use three letters per region, separated by commas.`,
    usage,
  );
if (!Number.isInteger(port) || port < 1 || port + regions.length > 65_535)
  exitWithUsage(`--port ${flags.port}: must be a number from 1 to 65535.`, usage);
if (!["1", "3"].includes(flags.consul))
  exitWithUsage(`--consul ${flags.consul}: must be 1 or 3.`, usage);
if (!existsSync(flags.image))
  exitWithUsage(`${flags.image} does not exist. npm run cluster builds it.`, usage);
const missing = findMissing();
if (missing.length > 0) {
  console.error(`A cluster can't run here:\n${missing.map((line) => `  ${line}`).join("\n")}`);
  process.exit(1);
}

// Until the cluster is running, the exit handler stops everything started so far.
const abort = () => process.exit(130);
process.on("SIGINT", abort).on("SIGTERM", abort);

try {
  const cluster = await startCluster({
    imageDir: flags.image,
    regions,
    consulServers: Number(flags.consul),
    latency: flags.latency,
    port,
    ...(flags.keep && { folder: join(".data", "cluster") }),
  });
  const primary = await cluster.findPrimary();
  console.log(
    `\n  Lectern runs on ${[...cluster.nodes.keys()].join(", ")}; ${primary?.name ?? "none"} is the primary.\n`,
  );
  for (const [region, { url }] of cluster.edges) console.log(`  ${region}  ${url}`);
  if (primary)
    console.log(
      `\n  Login emails: ${join(primary.dataDir, "outbox")}\n  To make a member an admin: DATABASE_FILE=${primary.databaseFile} npm run admin -- grant EMAIL`,
    );
  console.log(
    `\n  Logs: ${join([...cluster.nodes.values()][0]!.folder, "..")}/*/log. Ctrl-C stops everything.\n`,
  );

  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.off(signal, abort);
      process.on(signal, () => resolve());
    }
  });
  await interrupted;
  console.log("\n· stopping");
  await cluster.stop();
  process.exit();
} catch (error) {
  console.error(`\n${(error as Error).message}\n`);
  process.exit(1);
}
