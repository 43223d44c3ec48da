// Runs the cluster under load with faults drawn from a seed, then verifies that nothing is lost:
// npm run soak -- [--minutes 30] [--seed N]

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Cluster, startCluster } from "#cli/cluster/cluster.ts";
import { LoadGenerator } from "#tests/support/cluster/load-generator.ts";
import { LEGACY_SITE_ENV } from "#tests/support/e2e/site-under-test.ts";
import { assertInvariant } from "#tests/support/invariants.ts";
import { seededRandom } from "#tests/support/random.ts";
import { startSmtpServer } from "#tests/support/smtp-server.ts";
import { ContentChanges } from "./content-changes.ts";
import { applyFault, drawFault } from "./faults.ts";
import { canShiftClocks, commandWithClock } from "./node-clock.ts";
import { Measurements } from "./measurements.ts";
import { type FaultMark, plotLatency } from "./plot.ts";
import { RecordedCalls } from "./recorded-calls.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    image: { type: "string", default: join(".data", "image") },
    out: { type: "string", default: join(".data", "soak") },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error(
    "Usage: npm run soak -- [--minutes 30] [--seed N]. Minutes must be positive, the seed an integer.",
  );
  process.exit(1);
}
/** Each node has its own disk, which a fault can fill. */
const DISK_MB = 512;
const SAMPLE_INTERVAL_MS = 5_000;
/** Clients give up requests to a frozen machine after this. */
const PATIENCE_MS = 6_000;
/** A fault may lose writes that are not durable: those of the last second, or of a cut-off primary. */
const LOSS_WINDOW_MS = { beforeMs: 1_000, afterMs: 11_000 };
/** More than this is a leak. */
const MAX_GROWTH = 1.5;

if (!canShiftClocks)
  console.log("No clock faults: libfaketime is not installed (Debian: apt install libfaketime).");
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
const smtp = await startSmtpServer();
const content = await ContentChanges.open();
const cluster = await startCluster({
  imageDir: values.image,
  command: commandWithClock,
  diskSizesMb: { "dfw-1": DISK_MB, "dfw-2": DISK_MB, "ams-1": DISK_MB, "syd-1": DISK_MB },
  env: { SMTP_URL: smtp.url, ...LEGACY_SITE_ENV, ...content.siteEnv },
});
try {
  await soak(cluster);
} catch (error) {
  // Its cause is in the nodes' logs, which are deleted with the cluster.
  for (const node of cluster.nodes.values())
    cpSync(join(node.folder, "log"), join(values.out, `seed-${seed}-${node.name}.log`));
  throw error;
} finally {
  await cluster.stop();
  await smtp.close();
  await content.close();
}
process.exit();

async function soak(cluster: Cluster): Promise<void> {
  const measurements = new Measurements();
  const load = await LoadGenerator.start(cluster, smtp, {
    readers: 2,
    writers: 4,
    readPauseMs: 40,
    writePauseMs: 20,
    patienceMs: PATIENCE_MS,
    onRead: (_, ms) => measurements.addRead(ms),
  });
  const calls = await RecordedCalls.start(cluster, PATIENCE_MS);
  content.start(cluster);
  const sampling = setInterval(() => measurements.sample(cluster), SAMPLE_INTERVAL_MS);
  const startedMs = performance.now();
  const marks: (FaultMark & { readonly atMs: number })[] = [];
  const random = seededRandom(seed);
  while (performance.now() - startedMs < minutes * 60_000) {
    await load.waitForWrites(50, 60_000);
    const fault = drawFault(random);
    const atMs = performance.now();
    const node = await applyFault(cluster, fault);
    const label = `${fault.kind} ${fault.target} ${node}`;
    marks.push({ atMs, atMinute: (atMs - startedMs) / 60_000, label });
    console.log(
      `${new Date(performance.timeOrigin + atMs).toISOString()} ${((atMs - startedMs) / 60_000).toFixed(1)} min: ${label}, ${Math.round(fault.lastsMs / 1_000)} s, healthy after ${Math.round((performance.now() - atMs) / 1_000)} s`,
    );
  }
  clearInterval(sampling);
  await Promise.all([load.stop(), calls.stop(), content.stop()]);
  await content.expectOnAllNodes(cluster);
  await cluster.waitUntilInSync(60_000);
  mkdirSync(values.out, { recursive: true });
  const plot = join(values.out, `soak-${seed}.svg`);
  const title = `Soak with seed ${seed}: ${marks.length} faults in ${minutes} minutes`;
  writeFileSync(plot, plotLatency(title, measurements.listMinutes(), marks));
  await verify({ cluster, load, calls, measurements, faults: marks });
  console.log(plot);
}

interface Outcome {
  readonly cluster: Cluster;
  readonly load: LoadGenerator;
  readonly calls: RecordedCalls;
  readonly measurements: Measurements;
  readonly faults: readonly { readonly atMs: number }[];
}

async function verify({ cluster, load, calls, measurements, faults }: Outcome): Promise<void> {
  const primary = await cluster.waitForPrimary();
  const lost = { ...load.findLostWrites(primary), calls: calls.findLost(primary) };
  const isNearFault = (answeredMs: number) =>
    faults.some(
      ({ atMs }) =>
        answeredMs > atMs - LOSS_WINDOW_MS.beforeMs && answeredMs < atMs + LOSS_WINDOW_MS.afterMs,
    );
  const [memory, descriptors] = [
    measurements.growth("memoryMb"),
    measurements.growth("descriptors"),
  ];
  const checksums = Object.values(await cluster.readChecksums());
  const reads = [...load.readsByRegion.values()].reduce((sum, count) => sum + count, 0);
  const delaysMs = content.delaysMs.toSorted((a, b) => a - b);
  console.log(
    `seed ${seed}: ${faults.length} faults, ${load.logins.length} logins, ${lost.logins.length} lost; ${calls.sent.length} recorded calls, ${lost.calls.length} lost, ${calls.refusals.length} refused; ` +
      `${load.writes.length} counted reads, ${lost.writes.length} lost; ${reads} page reads, ${load.failedReads.length} failed; ` +
      `${delaysMs.length} content changes shown, median after ${Math.round(delaysMs[Math.floor(delaysMs.length / 2)] ?? 0)} ms, ${content.lateCount} late, ${content.refusedCount} refused; ` +
      `memory ${memory.early} → ${memory.late} MB, descriptors ${descriptors.early} → ${descriptors.late}; copies ${new Set(checksums).size === 1 ? "equal" : "differ"}`,
  );
  const reasons = summarize(calls.refusals);
  if (reasons) console.log(`Calls were refused because of: ${reasons}`);
  assertInvariant("no durable write is lost", [...lost.logins, ...lost.calls]);
  assertInvariant(
    "other writes are lost only around a fault",
    lost.writes.filter(({ answeredMs }) => !isNearFault(answeredMs)),
  );
  assertInvariant("all copies are equal", new Set(checksums).size === 1 ? [] : checksums);
  for (const [name, { early, late }] of Object.entries({ memory, descriptors }))
    assertInvariant(`${name} stays flat`, late > early * MAX_GROWTH ? [{ early, late }] : []);
}

/** Returns how often each text occurs. */
function summarize(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => `${text} (${count})`).join(", ");
}
