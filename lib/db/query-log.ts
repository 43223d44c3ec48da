// Measures queries: adds each to a histogram in /metrics, and logs each slow one.

import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { observeHistogram } from "#lib/core/metrics.ts";

/**
 * Runs `run`, which executes the statement `text`, records how long it took, and returns its
 * result. Logs statements without their values. Prisma's query events would cost 0.06 ms per page
 * and miss plain SQL.
 */
export function measureQuery<T>(text: string, run: () => T): T {
  const startedMs = performance.now();
  try {
    return run();
  } finally {
    const ms = performance.now() - startedMs;
    observeHistogram("db_query_seconds", ms / 1000);
    if (ms > env.SLOW_QUERY_MS)
      log("warn", "db.slow_query", {
        ms: Math.round(ms),
        statement: text.replace(/\s+/g, " ").trim().slice(0, 2_000),
      });
  }
}
