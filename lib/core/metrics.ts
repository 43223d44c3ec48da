// Collects counters, histograms and gauges, and renders them for Prometheus.

import { resetSingleton, singleton } from "./singleton.ts";

export type Labels = Readonly<Record<string, string | number | boolean>>;

interface Series {
  /** In the Prometheus text format, such as `reason="write"`; "" for none. */
  readonly labels: string;
  value: number;
}

interface Histogram {
  readonly labels: string;
  /** Observations per bucket; the last bucket is +Inf. */
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

/**
 * Maximum series per name. Later ones share the label other="true", so that user input can't grow
 * memory.
 */
const MAX_SERIES = 100;
const MAX_NAMES = 200;
const MAX_LABEL_LENGTH = 60;

const SECONDS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
const COUNT_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;

const NAME_PATTERN = /^[a-z][a-z0-9_]{0,60}$/;

/** HELP lines. A metric without one uses its name. */
const HELP_TEXTS: Readonly<Record<string, string>> = {
  requests: "Completed requests by route class and status.",
  request_seconds:
    "Request duration, from the first byte of the request to the end of the response.",
  replays: "Requests replayed to another instance, by reason.",
  replays_in: "Requests replayed from another instance.",
  txid_wait_seconds:
    "Time that reads waited for their reader's own transaction (read-your-writes), by result.",
  durable_wait_seconds: "Time that durable writes waited for a standby, by result.",
  writes_refused: "Refused writes, by reason.",
  db_query_seconds: "Duration of a database query in SQLite.",
  write_queue_length: "Writes waiting in the queue.",
  write_batch: "Writes per group commit.",
  write_commit_seconds: "Duration of a group commit.",
  cache:
    "Cache lookups by result: memory, stored (in the file, or joined a production), or produced.",
  cache_produce_seconds: "Time to produce a cache entry.",
  cached_pages_rendered: "Responses rendered for the page cache.",
  personal_pages_sent: "Cached pages sent with a reader's own parts.",
  compiles: "Posts compiled, by result.",
  compile_seconds: "Time to compile a post.",
  replication_lag_seconds:
    "Time since the newest transaction applied here was committed; 0 on the primary.",
  replication_txid: "The newest transaction applied here.",
  replication_role: "2 on the primary, 1 on a replica, 0 if unknown.",
  replication_silence_seconds: "Age of the primary's last heartbeat; 0 on the primary.",
  backup_age_seconds: "Time since the object store was last complete.",
  backup_snapshot_age_seconds: "Time since the newest snapshot of the backup.",
  backup_drill_age_seconds: "Time since the last restore drill.",
  backup_drill_problems: "Number of problems the last restore drill found; 0 if it passed.",
  standbys: "Standbys that keep up; reported by the primary.",
  event_loop_delay_seconds: "Event loop delay since the last scrape, by quantile.",
  memory_bytes: "Process memory, by kind.",
  uptime_seconds: "Time since the process started.",
};

function escapeLabelValue(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
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
  let seriesByLabels = metrics.get(name);
  if (!seriesByLabels) {
    if (!NAME_PATTERN.test(name) || metrics.size >= MAX_NAMES) return null;
    metrics.set(name, (seriesByLabels = new Map()));
  }
  let text = formatLabels(labels);
  let series = seriesByLabels.get(text);
  if (!series) {
    if (seriesByLabels.size >= MAX_SERIES) text = 'other="true"';
    series = seriesByLabels.get(text) ?? make(text);
    seriesByLabels.set(text, series);
  }
  return series;
}

const createSeries = (labels: string): Series => ({ labels, value: 0 });

/** Returns the bucket bounds: seconds if the name ends with "_seconds", otherwise counts. */
const bucketsFor = (name: string): readonly number[] =>
  name.endsWith("_seconds") ? SECONDS_BUCKETS : COUNT_BUCKETS;

/**
 * Adds to counter `name` (snake case, without prefix and "_total"). Keep label cardinality low:
 * never pass an address, a path or a key.
 */
export function incrementCounter(name: string, labels?: Labels, by = 1): void {
  const series = findOrCreateSeries(metricsRegistry().counters, name, labels, createSeries);
  if (series) series.value += by;
}

/** Records an observation: seconds if `name` ends with "_seconds", otherwise a count. */
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
 * Registers a gauge that is read on scrape; `read` returns null to omit it. Registering the same
 * `name`, such as `memory_bytes{kind="heap"}`, replaces it.
 */
export function registerGauge(name: string, read: () => number | null): void {
  const { gauges } = metricsRegistry();
  if (gauges.size < MAX_NAMES || gauges.has(name)) gauges.set(name, read);
}

const formatNumber = (value: number) => (Number.isFinite(value) ? String(value) : "0");
const wrapLabels = (labels: string, more = "") =>
  labels || more ? `{${labels}${labels && more ? "," : ""}${more}}` : "";

/** Renders all metrics in Prometheus's text format 0.0.4. A gauge that throws is omitted. */
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
  // Sorted, because the format requires the series of a family to be adjacent.
  for (const [name, read] of [...gauges].sort(([a], [b]) => (a < b ? -1 : 1))) {
    let value: number | null = null;
    try {
      value = read();
    } catch {
      // Omitted.
    }
    if (value === null || !Number.isFinite(value)) continue;
    const family = name.split("{")[0]!;
    if (family !== last) head(family, `lectern_${family}`, "gauge");
    last = family;
    lines.push(`lectern_${name} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Clears all metrics. For tests. */
export function resetMetrics(): void {
  resetSingleton("metrics");
}
