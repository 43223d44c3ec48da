// What of the process and of replication is read when somebody looks at the metrics.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { gauge } from "../base/metrics.ts";
import { diskRoom } from "../db/disk-room.ts";
import { isReplicated } from "../litefs/instance.ts";
import { readPosition, silenceMs } from "../litefs/position.ts";
import { followed, role } from "../litefs/role.ts";
import { standbys } from "../litefs/standby.ts";

const SAMPLE_MS = 10;

const shared = globalThis as { __lecternGauges?: true };

/** Begins to measure. Once per process. */
export function startProcessMetrics(): void {
  if (shared.__lecternGauges) return;
  shared.__lecternGauges = true;
  const delay = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  delay.enable();
  // The timer's own pace is part of what it measures.
  const late = (ns: number) => Math.max(0, ns / 1e9 - SAMPLE_MS / 1e3);
  gauge('event_loop_delay_seconds{quantile="0.5"}', () => late(delay.percentile(50)));
  gauge('event_loop_delay_seconds{quantile="0.99"}', () => late(delay.percentile(99)));
  gauge('event_loop_delay_seconds{quantile="1"}', () => {
    const max = late(delay.max);
    // Read last (by name): from here on it is the next look's.
    delay.reset();
    return max;
  });
  gauge('memory_bytes{kind="rss"}', () => process.memoryUsage.rss());
  gauge('memory_bytes{kind="heap"}', () => process.memoryUsage().heapUsed);
  gauge('memory_bytes{kind="external"}', () => process.memoryUsage().external);
  gauge("uptime_seconds", () => process.uptime());
  const replicated = (read: () => number | null) => () => (isReplicated() ? read() : null);
  gauge(
    "replication_role",
    replicated(() => ({ primary: 2, replica: 1, unknown: 0 })[role()]),
  );
  gauge(
    "replication_txid",
    replicated(() => readPosition()?.txid ?? null),
  );
  gauge(
    "replication_lag_seconds",
    replicated(() => (role() === "primary" ? 0 : seconds(followed().delayMs))),
  );
  gauge(
    "replication_silence_seconds",
    replicated(() => seconds(silenceMs())),
  );
  gauge("disk_free_bytes", replicated(diskRoom));
  gauge(
    "standbys",
    replicated(() =>
      role() === "primary" ? standbys().filter(({ isStalled }) => !isStalled).length : null,
    ),
  );
}

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000);
