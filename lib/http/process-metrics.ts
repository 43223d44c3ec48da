// Registers gauges for the process and for replication, which are read on scrape.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { findBackupStatus, isBackupOn } from "#lib/core/backup-status.ts";
import { nowMs } from "#lib/core/clock.ts";
import { registerGauge } from "#lib/core/metrics.ts";
import { freeDiskBytes } from "#lib/replication/disk-space.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { readPosition, heartbeatAgeMs } from "#lib/replication/position.ts";
import { litefsState, currentRole } from "#lib/replication/role.ts";
import { listStandbys } from "#lib/replication/standbys.ts";
import { singleton } from "#lib/core/singleton.ts";

const SAMPLE_INTERVAL_MS = 10;

const shared = singleton("process-metrics", () => ({ isStarted: false }));

/** Starts measuring, once per process. */
export function startProcessMetrics(): void {
  if (shared.isStarted) return;
  shared.isStarted = true;
  const delay = monitorEventLoopDelay({ resolution: SAMPLE_INTERVAL_MS });
  delay.enable();
  registerBackupGauges();
  // The measured delay includes the sampling interval.
  const late = (ns: number) => Math.max(0, ns / 1e9 - SAMPLE_INTERVAL_MS / 1e3);
  registerGauge('event_loop_delay_seconds{quantile="0.5"}', () => late(delay.percentile(50)));
  registerGauge('event_loop_delay_seconds{quantile="0.99"}', () => late(delay.percentile(99)));
  registerGauge('event_loop_delay_seconds{quantile="1"}', () => {
    const max = late(delay.max);
    // Gauges are read in the order of their names, so of these three this one is read last.
    delay.reset();
    return max;
  });
  registerGauge('memory_bytes{kind="rss"}', () => process.memoryUsage.rss());
  registerGauge('memory_bytes{kind="heap"}', () => process.memoryUsage().heapUsed);
  registerGauge('memory_bytes{kind="external"}', () => process.memoryUsage().external);
  registerGauge("uptime_seconds", () => process.uptime());
  const replicated = (read: () => number | null) => () => (isReplicated() ? read() : null);
  registerGauge(
    "replication_role",
    replicated(() => ({ primary: 2, replica: 1, unknown: 0 })[currentRole()]),
  );
  registerGauge(
    "replication_txid",
    replicated(() => readPosition()?.txid ?? null),
  );
  registerGauge(
    "replication_lag_seconds",
    replicated(() => (currentRole() === "primary" ? 0 : toSeconds(litefsState().lastTxDelayMs))),
  );
  registerGauge(
    "replication_silence_seconds",
    replicated(() => toSeconds(heartbeatAgeMs())),
  );
  registerGauge("disk_free_bytes", replicated(freeDiskBytes));
  registerGauge(
    "standbys",
    replicated(() =>
      currentRole() === "primary"
        ? listStandbys().filter(({ isStalled }) => !isStalled).length
        : null,
    ),
  );
}

/** Registers the metrics of the backup, if it is on. */
function registerBackupGauges(): void {
  if (!isBackupOn()) return;
  const age = (ms: number | null | undefined) => (ms == null ? null : (nowMs() - ms) / 1_000);
  registerGauge("backup_age_seconds", () => age(findBackupStatus()?.completeAtMs));
  registerGauge("backup_snapshot_age_seconds", () => age(findBackupStatus()?.snapshotAtMs));
  registerGauge("backup_drill_age_seconds", () => age(findBackupStatus()?.drill?.startedAtMs));
  registerGauge("backup_drill_problems", () => findBackupStatus()?.drill?.problems.length ?? null);
}

const toSeconds = (ms: number | null) => (ms === null ? null : ms / 1_000);
