// Writes through one region, each followed at once by a read through another, as a visitor who travels fast would.

import { parseForms } from "#tests/support/no-js-browser.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { pick } from "#tests/support/random.ts";
import { ClusterClient } from "./cluster-client.ts";
import { makeReadBeacon } from "./cluster-secret.ts";
import { seedMembers } from "./node-database.ts";
import { sumMetrics } from "./node-metrics.ts";

/** What the site allows one reader in a minute (lib/reading/read-limiter.ts). */
const MAX_READS_PER_MEMBER = 10;

export interface ReadYourWritesReport {
  readonly pairCount: number;
  /** What was not seen, or failed. */
  readonly failures: readonly string[];
  readonly seconds: number;
  /** Milliseconds of the write and of the read after it, as the visitor has them. */
  readonly write: { readonly p50: number; readonly p99: number };
  readonly read: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Reads on replicas that came with a number to wait for, those that waited (over one millisecond), and how long in bounds of milliseconds. */
  readonly readsWithTxid: number;
  readonly readsThatWaited: number;
  readonly waitHistogram: Readonly<Record<string, number>>;
  /** Reads that the primary answered in the end. */
  readonly replayedReads: number;
}

/** The posts whose reads count. */
export async function listCountedSlugs(cluster: Cluster): Promise<string[]> {
  const visitor = new ClusterClient(cluster);
  const { text } = await visitor.request("dfw", "/blog");
  const found = [
    ...new Set([...text.matchAll(/href="\/blog\/([\w-]+)"/g)].map(([, slug]) => slug!)),
  ];
  const asked = await Promise.all(
    found.map(async (slug) =>
      (await visitor.request("dfw", `/reads/token?slug=${slug}`)).status === 200 ? slug : null,
    ),
  );
  visitor.close();
  return asked.filter((slug) => slug !== null);
}

/** Half of the pairs change the first name with a form without scripts and read it, half report a read and read how many there are. */
export async function runReadYourWritesLoad(
  cluster: Cluster,
  pairs: number,
  atOnce: number,
): Promise<ReadYourWritesReport> {
  const regions = [...cluster.edges.keys()];
  const slugs = (await listCountedSlugs(cluster)).slice(0, MAX_READS_PER_MEMBER);
  const perMember = slugs.length * 2;
  const members = await seedMembers(cluster, Math.ceil(pairs / perMember));
  const before = await sumMetrics(cluster);
  const unseen: string[] = [];
  const writes: number[] = [];
  const reads: number[] = [];
  const beganAt = Date.now();
  let left = pairs;
  const fromMs = performance.now();

  /** One write, then one read elsewhere that must show `expected`. */
  async function pair(
    visitor: ClusterClient,
    what: string,
    expected: string,
    write: (region: string) => Promise<{ status: number; ms: number }>,
  ): Promise<void> {
    const there = pick(Math.random, regions);
    const here = pick(
      Math.random,
      regions.filter((region) => region !== there),
    );
    const written = await write(there);
    writes.push(written.ms);
    if (written.status !== 200 && written.status !== 204)
      return void unseen.push(`${what}: the write through ${there} gave ${written.status}`);
    const read = await visitor.request(here, "/me");
    reads.push(read.ms);
    if (read.status !== 200 || !read.text.includes(expected))
      unseen.push(`${what}: written through ${there}, not there through ${here} (${read.status})`);
  }

  async function travel(member: (typeof members)[number], number: number): Promise<void> {
    const visitor = new ClusterClient(cluster, { session: member.session });
    const page = await visitor.request(pick(Math.random, regions), "/me");
    const form = parseForms(page.text).find(({ editableNames }) =>
      editableNames.includes("firstName"),
    );
    if (!form) throw new Error(`/me (${page.status}) has no form for the name.`);
    for (const [i, slug] of slugs.entries()) {
      if ((left -= 2) < -1) break;
      const name = `Traveller ${number} the ${i + 1}th`;
      await pair(visitor, name, `value="${name}"`, (region) =>
        visitor.submitForm(region, "/me", form, { firstName: name }),
      );
      await pair(
        visitor,
        `read ${i + 1} of ${number}`,
        i === 0 ? "You have read one post" : `You have read ${i + 1} posts`,
        (region) => visitor.request(region, "/reads", makeReadBeacon(cluster, slug)),
      );
    }
    visitor.close();
  }

  const waiting = members.map((member, i) => () => travel(member, i + 1));
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await next();
    }),
  );

  for (const edge of cluster.edges.values())
    for (const { occurredMs, kind, detail, method, path } of edge.listEvents())
      if (occurredMs >= beganAt && kind !== "replay")
        unseen.push(`the edge in ${edge.region}: ${kind} of ${method} ${path}: ${detail}`);
  const seconds = (performance.now() - fromMs) / 1_000;
  const after = await sumMetrics(cluster);
  const grown = (pattern: RegExp) =>
    [...after]
      .filter(([name]) => pattern.test(name))
      .reduce((sum, [name, value]) => sum + value - (before.get(name) ?? 0), 0);
  const bound = (le: string) =>
    grown(new RegExp(`txid_wait_seconds_bucket.*le="${le.replace("+", "\\+")}"`));
  const asked = bound("+Inf");
  const waits = Object.fromEntries(
    ["0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5"].map((le) => [
      `≤ ${Number(le) * 1_000}`,
      bound(le),
    ]),
  );
  return {
    pairCount: reads.length,
    failures: unseen,
    seconds: roundToTenth(seconds),
    write: { p50: roundToTenth(quantile(writes, 0.5)), p99: roundToTenth(quantile(writes, 0.99)) },
    read: {
      p50: roundToTenth(quantile(reads, 0.5)),
      p99: roundToTenth(quantile(reads, 0.99)),
      max: roundToTenth(Math.max(...reads)),
    },
    readsWithTxid: asked,
    readsThatWaited: asked - bound("0.001"),
    waitHistogram: waits,
    replayedReads: grown(/^lectern_replays_total.*read_your_writes/),
  };
}

/** Returns the value below which `share` of all values are, 0 without any. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const roundToTenth = (value: number) => Math.round(value * 10) / 10;
