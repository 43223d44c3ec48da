// Measures a member's post page from a local copy, compared with the same page querying a
// PostgreSQL in the primary region.

import { median, round } from "#bench/support/measurements.ts";
import { ARTICLE_SLUG } from "./bench-cluster.ts";

export interface RemotePostgresTimes {
  /** Median milliseconds until the page is complete. */
  readonly localMs: number;
  readonly sequentialMs: number;
  readonly batchedMs: number;
  /** Statements per page. */
  readonly statements: number;
}

/** Sends `count` sequential requests of each kind, alternating between kinds. */
export async function measureRemotePostgres({
  url,
  cookie,
  count,
}: {
  url: string;
  cookie: string;
  count: number;
}): Promise<RemotePostgresTimes> {
  const paths = {
    local: `/blog/${ARTICLE_SLUG}`,
    sequential: `/baseline/remote-postgres/sequential/${ARTICLE_SLUG}`,
    batched: `/baseline/remote-postgres/batched/${ARTICLE_SLUG}`,
  };
  const ms = { local: [] as number[], sequential: [] as number[], batched: [] as number[] };
  const statements: number[] = [];
  for (let i = -2; i < count; i++) {
    for (const kind of ["local", "sequential", "batched"] as const) {
      const startedMs = performance.now();
      const response = await fetch(url + paths[kind], {
        headers: { cookie },
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      const tookMs = performance.now() - startedMs;
      if (response.status !== 200) throw new Error(`${paths[kind]} answered ${response.status}`);
      if (i < 0) continue; // warms up connections, statements and caches
      ms[kind].push(tookMs);
      if (kind === "local") continue;
      const statementCount = /data-statements="(\d+)"/.exec(text)?.[1];
      if (!statementCount)
        throw new Error(`${paths[kind]} does not say how many statements it sent`);
      statements.push(Number(statementCount));
    }
  }
  return {
    localMs: round(median(ms.local), 1),
    sequentialMs: round(median(ms.sequential), 1),
    batchedMs: round(median(ms.batched), 1),
    statements: median(statements),
  };
}
