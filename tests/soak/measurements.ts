// Collects the latency of reads by minute, and the memory and descriptors of the sites.

import { readFileSync, readdirSync } from "node:fs";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { readCommandLine } from "#cli/cluster/process-sessions.ts";

export interface Minute {
  readonly minute: number;
  readonly reads: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface SiteSample {
  readonly minute: number;
  /** The largest of all nodes. */
  readonly memoryMb: number;
  readonly descriptors: number;
}

/** Returns the `share` quantile of sorted numbers; 0 if there are none. */
const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;

export class Measurements {
  readonly samples: SiteSample[] = [];
  readonly #readsByMinute = new Map<number, number[]>();
  readonly #startedMs = performance.now();

  currentMinute(): number {
    return Math.floor((performance.now() - this.#startedMs) / 60_000);
  }

  addRead(ms: number): void {
    const minute = this.currentMinute();
    const reads = this.#readsByMinute.get(minute) ?? [];
    this.#readsByMinute.set(minute, reads);
    reads.push(ms);
  }

  /** Measures the sites' processes once. */
  sample(cluster: Cluster): void {
    const sites = [...cluster.nodes.values()]
      .flatMap((node) => node.listProcesses())
      .filter((pid) => readCommandLine(pid).includes("server/site.ts"))
      .flatMap((pid) => measureProcess(pid) ?? []);
    if (sites.length === 0) return;
    this.samples.push({
      minute: this.currentMinute(),
      memoryMb: Math.round(Math.max(...sites.map(({ memoryMb }) => memoryMb))),
      descriptors: Math.max(...sites.map(({ descriptors }) => descriptors)),
    });
  }

  listMinutes(): Minute[] {
    return [...this.#readsByMinute].map(([minute, reads]) => {
      const sorted = reads.toSorted((a, b) => a - b);
      return {
        minute,
        reads: reads.length,
        p50Ms: quantile(sorted, 0.5),
        p99Ms: quantile(sorted, 0.99),
      };
    });
  }

  /** Returns the medians of the second and of the last quarter of the run. */
  growth(key: "memoryMb" | "descriptors"): { early: number; late: number } {
    const values = this.samples.map((sample) => sample[key]);
    const median = (from: number, to: number) =>
      quantile(
        values
          .slice(Math.floor(from * values.length), Math.ceil(to * values.length))
          .sort((a, b) => a - b),
        0.5,
      );
    return { early: median(0.25, 0.5), late: median(0.75, 1) };
  }
}

/** Returns null if the process has exited. */
function measureProcess(pid: number): { memoryMb: number; descriptors: number } | null {
  try {
    const kb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return { memoryMb: Number(kb) / 1_024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return null;
  }
}
