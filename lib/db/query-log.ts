// Measures queries: a histogram for /metrics, and a line in the log for each slow one.

import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { observeHistogram } from "#lib/core/metrics.ts";

/**
 * Runs `run`, which executes the statement `text`, and records how long it took. Statements are
 * logged without their values. Prisma's own query events would cost 0.06 ms per page and miss plain
 * SQL.
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
