// What this process counts and measures, and how Prometheus reads it.

import { resetSingleton, singleton } from "./singleton.ts";

export type Labels = Readonly<Record<string, string | number | boolean>>;

interface Series {
  /** As it stands in the text: `reason="write"`, or "". */
  readonly labels: string;
  value: number;
}

interface Histogram {
  readonly labels: string;
  /** How many values fell into each bound and, last, above all of them. */
  readonly bucketCounts: number[];
  sum: number;
}

interface Registry {
  readonly counters: Map<string, Map<string, Series>>;
  readonly histograms: Map<string, Map<string, Histogram>>;
  readonly gauges: Map<string, () => number | null>;
}

const metricsRegistry = (): Registry =>
  singleton("metrics", () => ({ counters: new Map(), histograms: new Map(), gauges: new Map() }));

/** More series of one name than this are summed up in one, with the label other="true": what a stranger sends must not grow it. */
const MAX_SERIES = 100;
const MAX_NAMES = 200;
const MAX_LABEL_LENGTH = 60;

const SECONDS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
const COUNT_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;

const NAME_PATTERN = /^[a-z][a-z0-9_]{0,60}$/;

/** Said in HELP. A name that is not here is said by itself. */
const HELP_TEXTS: Readonly<Record<string, string>> = {
  requests: "Answered requests by class of route and status.",
  request_seconds: "From a request's first byte to the end of its answer.",
  replays: "Requests handed to another instance, by reason.",
  replays_in: "Requests that came from another instance.",
  txid_wait_seconds:
    "How long reads waited for a transaction of their reader, by how the wait ended.",
  durable_wait_seconds:
    "How long writes that must not be lost waited for the standby, by how the wait ended.",
  writes_refused: "Writes refused because nobody could take them, by reason.",
  write_queue_length: "Writes that wait for their transaction now.",
  write_batch: "Writes that were committed together.",
  write_commit_seconds: "How long one commit of the write queue took.",
  cache:
    "Look-ups in the cache of derived things: from memory, stored (in the file, or being made for somebody else), or made.",
  cache_make_seconds: "How long making an entry of the cache took.",
  compiles: "Posts compiled, by result.",
  compile_seconds: "How long compiling a post took.",
  replication_lag_seconds:
    "Since the newest transaction applied here was committed; 0 on the primary.",
  replication_txid: "The newest transaction applied here.",
  replication_role: "2 on the primary, 1 on a replica, 0 where it is not known.",
  replication_silence_seconds: "Since the primary was last heard of; 0 on the primary.",
  standbys: "Standbys that keep up, on the primary.",
  event_loop_delay_seconds: "Delay of the event loop since the last look, by quantile.",
  memory_bytes: "Memory of the process, by kind.",
  uptime_seconds: "Since the process began.",
};

function escapeLabelValue(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}

function formatLabels(labels: Labels | undefined): string {
  if (!labels) return "";
  let text = "";
  for (const name of Object.keys(labels).sort()) {
    if (!NAME_PATTERN.test(name)) continue;
    text += `${text === "" ? "" : ","}${name}="${escapeLabelValue(String(labels[name]).slice(0, MAX_LABEL_LENGTH))}"`;
  }
  return text;
}

function findOrCreateSeries<T>(
  metrics: Map<string, Map<string, T>>,
  name: string,
  labels: Labels | undefined,
  make: (labels: string) => T,
): T | null {
  let all = metrics.get(name);
  if (!all) {
    if (!NAME_PATTERN.test(name) || metrics.size >= MAX_NAMES) return null;
    metrics.set(name, (all = new Map()));
  }
  let text = formatLabels(labels);
  let series = all.get(text);
  if (!series) {
    if (all.size >= MAX_SERIES) text = 'other="true"';
    series = all.get(text) ?? make(text);
    all.set(text, series);
  }
  return series;
}

const createSeries = (labels: string): Series => ({ labels, value: 0 });

/** The bounds of a histogram: of seconds where its name ends so, else of plain numbers. */
const bucketsFor = (name: string): readonly number[] =>
  name.endsWith("_seconds") ? SECONDS_BUCKETS : COUNT_BUCKETS;

/** One more of `name` (lower case, words joined by "_", without prefix and "_total"). Labels are few and known: never an address, a path or a key. */
export function incrementCounter(name: string, labels?: Labels, by = 1): void {
  const series = findOrCreateSeries(metricsRegistry().counters, name, labels, createSeries);
  if (series) series.value += by;
}

/** A measured value of `name`: seconds where the name ends with "_seconds", else a plain number. */
export function observeHistogram(name: string, value: number, labels?: Labels): void {
  if (!Number.isFinite(value)) return;
  const bounds = bucketsFor(name);
  const histogram = findOrCreateSeries(
    metricsRegistry().histograms,
    name,
    labels,
    (text): Histogram => ({
      labels: text,
      bucketCounts: new Array<number>(bounds.length + 1).fill(0),
      sum: 0,
    }),
  );
  if (!histogram) return;
  let i = 0;
  while (i < bounds.length && value > bounds[i]!) i += 1;
  histogram.bucketCounts[i]! += 1;
  histogram.sum += value;
}

/**
 * A value that is read when somebody looks; null: not known now. `name` may carry labels as `name{kind="heap"}`. Said again, the
 * newer `read` counts.
 */
export function registerGauge(name: string, read: () => number | null): void {
  const { gauges } = metricsRegistry();
  if (gauges.size < MAX_NAMES || gauges.has(name)) gauges.set(name, read);
}

const formatNumber = (value: number) => (Number.isFinite(value) ? String(value) : "0");
const wrapLabels = (labels: string, more = "") =>
  labels || more ? `{${labels}${labels && more ? "," : ""}${more}}` : "";

/** All of it in Prometheus' text format 0.0.4. A gauge that throws is left out. */
export function renderMetrics(): string {
  const { counters, histograms, gauges } = metricsRegistry();
  const lines: string[] = [];
  const head = (name: string, full: string, type: string) =>
    lines.push(
      `# HELP ${full} ${HELP_TEXTS[name] ?? name.replaceAll("_", " ")}`,
      `# TYPE ${full} ${type}`,
    );
  for (const [name, all] of counters) {
    const full = `lectern_${name}_total`;
    head(name, full, "counter");
    for (const { labels, value } of all.values())
      lines.push(`${full}${wrapLabels(labels)} ${formatNumber(value)}`);
  }
  for (const [name, all] of histograms) {
    const full = `lectern_${name}`;
    const bounds = bucketsFor(name);
    head(name, full, "histogram");
    for (const { labels, bucketCounts, sum } of all.values()) {
      let below = 0;
      bucketCounts.forEach((n, i) => {
        below += n;
        lines.push(
          `${full}_bucket${wrapLabels(labels, `le="${i < bounds.length ? bounds[i]! : "+Inf"}"`)} ${below}`,
        );
      });
      lines.push(
        `${full}_sum${wrapLabels(labels)} ${formatNumber(sum)}`,
        `${full}_count${wrapLabels(labels)} ${below}`,
      );
    }
  }
  let last = "";
  // One family stays together, as the format wants it.
  for (const [name, read] of [...gauges].sort(([a], [b]) => (a < b ? -1 : 1))) {
    let value: number | null = null;
    try {
      value = read();
    } catch {
      // What can't be read is not known.
    }
    if (value === null || !Number.isFinite(value)) continue;
    const family = name.split("{")[0]!;
    if (family !== last) head(family, `lectern_${family}`, "gauge");
    last = family;
    lines.push(`lectern_${name} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Forgets everything. For tests. */
export function resetMetrics(): void {
  resetSingleton("metrics");
}
