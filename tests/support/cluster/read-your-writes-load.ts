// Generates pairs of a write through one region and an immediate read through another, to verify
// read-your-writes.

import { parseForms } from "#tests/support/no-js-browser.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { pick } from "#tests/support/random.ts";
import { ClusterClient } from "./cluster-client.ts";
import { makeReadBeacon } from "./cluster-secret.ts";
import { seedMembers } from "./node-database.ts";
import { sumMetrics } from "./node-metrics.ts";

/** The site's limit per reader and minute (lib/reading/read-limiter.ts). */
const MAX_READS_PER_MEMBER = 10;

export interface ReadYourWritesReport {
  readonly pairCount: number;
  /** Writes that were not visible, and failed requests. */
  readonly failures: readonly string[];
  readonly seconds: number;
  /** Milliseconds, measured by the client. */
  readonly write: { readonly p50: number; readonly p99: number };
  readonly read: { readonly p50: number; readonly p99: number; readonly max: number };
  /** The number of reads on replicas with a txid cookie. */
  readonly readsWithTxid: number;
  /** The number of those reads that waited for more than a millisecond. */
  readonly readsThatWaited: number;
  /** Cumulative counts by upper bound in milliseconds. */
  readonly waitHistogram: Readonly<Record<string, number>>;
  /** Reads that were replayed to the primary. */
  readonly replayedReads: number;
}

/** Returns the slugs of the posts whose reads count. */
export async function listCountedSlugs(cluster: Cluster): Promise<string[]> {
  const client = new ClusterClient(cluster);
  const { text } = await client.request("dfw", "/blog");
  const slugs = [
    ...new Set([...text.matchAll(/href="\/blog\/([\w-]+)"/g)].map(([, slug]) => slug!)),
  ];
  const counted = await Promise.all(
    slugs.map(async (slug) =>
      (await client.request("dfw", `/reads/token?slug=${slug}`)).status === 200 ? slug : null,
    ),
  );
  client.close();
  return counted.filter((slug) => slug !== null);
}

/**
 * Runs the pairs: half change the first name and read it, half report a read and check the count on
 * /me.
 */
export async function runReadYourWritesLoad(
  cluster: Cluster,
  pairs: number,
  concurrency: number,
): Promise<ReadYourWritesReport> {
  const regions = [...cluster.edges.keys()];
  // Enough members for `concurrency`, each with two pairs a post.
  const readsPerMember = Math.min(MAX_READS_PER_MEMBER, Math.ceil(pairs / concurrency / 2));
  const slugs = (await listCountedSlugs(cluster)).slice(0, readsPerMember);
  const perMember = slugs.length * 2;
  const members = await seedMembers(cluster, Math.ceil(pairs / perMember));
  const before = await sumMetrics(cluster);
  const failures: string[] = [];
  const writes: number[] = [];
  const reads: number[] = [];
  const startedAtMs = Date.now();
  let remaining = pairs;
  const startedMs = performance.now();

  /** Sends one write, then one read through another region that must show `expected`. */
  async function runPair(
    client: ClusterClient,
    name: string,
    expected: string,
    write: (region: string) => Promise<{ status: number; ms: number }>,
  ): Promise<void> {
    const writeRegion = pick(Math.random, regions);
    const readRegion = pick(
      Math.random,
      regions.filter((region) => region !== writeRegion),
    );
    const written = await write(writeRegion);
    writes.push(written.ms);
    if (written.status !== 200 && written.status !== 204)
      return void failures.push(`${name}: the write through ${writeRegion} gave ${written.status}`);
    const read = await client.request(readRegion, "/me");
    reads.push(read.ms);
    if (read.status !== 200 || !read.text.includes(expected))
      failures.push(
        `${name}: written through ${writeRegion}, not visible through ${readRegion} (${read.status})`,
      );
  }

  async function runMember(member: (typeof members)[number], number: number): Promise<void> {
    const client = new ClusterClient(cluster, { session: member.session });
    const page = await client.request(pick(Math.random, regions), "/me");
    const form = parseForms(page.text).find(({ editableNames }) =>
      editableNames.includes("firstName"),
    );
    if (!form) throw new Error(`/me (${page.status}) has no form for the name.`);
    for (const [i, slug] of slugs.entries()) {
      if ((remaining -= 2) < -1) break;
      const name = `Member ${number} the ${i + 1}th`;
      await runPair(client, name, `value="${name}"`, (region) =>
        client.submitForm(region, "/me", form, { firstName: name }),
      );
      await runPair(
        client,
        `read ${i + 1} of ${number}`,
        i === 0 ? "You’ve finished 1 post" : `You’ve finished ${i + 1} posts`,
        (region) => client.request(region, "/reads", makeReadBeacon(cluster, slug)),
      );
    }
    client.close();
  }

  const queue = members.map((member, i) => () => runMember(member, i + 1));
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await next();
    }),
  );

  for (const edge of cluster.edges.values())
    for (const { occurredMs, kind, detail, method, path } of edge.listEvents())
      if (occurredMs >= startedAtMs && kind !== "replay")
        failures.push(`the edge in ${edge.region}: ${kind} of ${method} ${path}: ${detail}`);
  const seconds = (performance.now() - startedMs) / 1_000;
  const after = await sumMetrics(cluster);
  const sumGrowth = (pattern: RegExp) =>
    [...after]
      .filter(([name]) => pattern.test(name))
      .reduce((sum, [name, value]) => sum + value - (before.get(name) ?? 0), 0);
  const bound = (le: string) =>
    sumGrowth(new RegExp(`txid_wait_seconds_bucket.*le="${le.replace("+", "\\+")}"`));
  const waited = bound("+Inf");
  const waits = Object.fromEntries(
    ["0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5"].map((le) => [
      `≤ ${Number(le) * 1_000}`,
      bound(le),
    ]),
  );
  return {
    pairCount: reads.length,
    failures,
    seconds: roundToTenth(seconds),
    write: { p50: roundToTenth(quantile(writes, 0.5)), p99: roundToTenth(quantile(writes, 0.99)) },
    read: {
      p50: roundToTenth(quantile(reads, 0.5)),
      p99: roundToTenth(quantile(reads, 0.99)),
      max: roundToTenth(Math.max(...reads)),
    },
    readsWithTxid: waited,
    readsThatWaited: waited - bound("0.001"),
    waitHistogram: waits,
    replayedReads: sumGrowth(/^lectern_replays_total.*read_your_writes/),
  };
}

/** Returns the quantile `share` of the values; 0 if there are no values. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const roundToTenth = (value: number) => Math.round(value * 10) / 10;
