import { beforeEach, expect, test } from "vitest";
import {
  incrementCounter,
  registerGauge,
  observeHistogram,
  renderMetrics,
  resetMetrics,
} from "./metrics.ts";

beforeEach(resetMetrics);

test("counters add up by name and labels, in any order of the labels", () => {
  incrementCounter("replays", { reason: "write", how: "action" });
  incrementCounter("replays", { how: "action", reason: "write" });
  incrementCounter("replays", { reason: "read", how: "page" }, 3);
  const text = renderMetrics();
  expect(text).toContain("# TYPE lectern_replays_total counter");
  expect(text).toContain('lectern_replays_total{how="action",reason="write"} 2');
  expect(text).toContain('lectern_replays_total{how="page",reason="read"} 3');
});

test("a histogram counts a value in its bucket and every wider one", () => {
  observeHistogram("wait_seconds", 0.004);
  observeHistogram("wait_seconds", 0.005);
  observeHistogram("wait_seconds", 99);
  const lines = renderMetrics().split("\n");
  expect(lines).toContain('lectern_wait_seconds_bucket{le="0.0025"} 0');
  expect(lines).toContain('lectern_wait_seconds_bucket{le="0.005"} 2');
  expect(lines).toContain('lectern_wait_seconds_bucket{le="10"} 2');
  expect(lines).toContain('lectern_wait_seconds_bucket{le="+Inf"} 3');
  expect(lines).toContain("lectern_wait_seconds_count 3");
  expect(lines.find((line) => line.startsWith("lectern_wait_seconds_sum "))).toMatch(/ 99\.009/);
});

test("counts and seconds have different buckets", () => {
  observeHistogram("write_batch", 150);
  expect(renderMetrics()).toContain('lectern_write_batch_bucket{le="200"} 1');
});

test("a gauge is read on scrape, and omitted if it is null or throws", () => {
  let value = 1;
  registerGauge("a", () => value);
  registerGauge("b", () => null);
  registerGauge("c", () => {
    throw new Error("gone");
  });
  registerGauge('memory_bytes{kind="rss"}', () => 10);
  registerGauge('memory_bytes{kind="heap"}', () => 5);
  value = 7;
  const text = renderMetrics();
  expect(text).toContain("lectern_a 7\n");
  expect(text).not.toMatch(/lectern_[bc]/);
  expect(text.match(/# TYPE lectern_memory_bytes gauge/g)).toHaveLength(1);
});

test("label values are escaped", () => {
  incrementCounter("requests", { route: 'a"}\n# TYPE x counter\\' });
  const lines = renderMetrics().trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[2]).toBe('lectern_requests_total{route="a\\"}\\n# TYPE x counter\\\\"} 1');
});

test("ten thousand label values make a hundred series plus one for the rest", () => {
  for (let i = 0; i < 10_000; i++) incrementCounter("requests", { route: `r${i}` });
  const lines = renderMetrics()
    .split("\n")
    .filter((line) => line.startsWith("lectern_requests_total"));
  expect(lines).toHaveLength(101);
  expect(lines.at(-1)).toBe('lectern_requests_total{other="true"} 9900');
});

test("long labels are truncated; invalid names and values are dropped", () => {
  incrementCounter("requests", { route: "x".repeat(500), "Bad-Name": "y" });
  incrementCounter("no such name");
  observeHistogram("wait_seconds", Number.NaN);
  const text = renderMetrics();
  expect(text).toContain(`route="${"x".repeat(60)}"`);
  expect(text).not.toContain("Bad-Name");
  expect(text).not.toContain("no such");
  expect(text).not.toContain("NaN");
});
