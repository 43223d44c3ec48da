// A member's post page from a region with its own copy, beside the same page asking a Postgres in the primary region.

import { median, round } from "#bench/support/measurements.ts";
import { ARTICLE_SLUG } from "./bench-cluster.ts";

export interface RemotePostgresTimes {
  /** Milliseconds until the page is whole, medians: from its own copy, each statement by itself, all in one round trip. */
  readonly localMs: number;
  readonly sequentialMs: number;
  readonly batchedMs: number;
  /** That a page sends. */
  readonly statements: number;
}

/** One request at a time over a kept connection, the three in turn, `count` times. */
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
    own: `/blog/${ARTICLE_SLUG}`,
    each: `/baseline/remote-postgres/sequential/${ARTICLE_SLUG}`,
    together: `/baseline/remote-postgres/batched/${ARTICLE_SLUG}`,
  };
  const ms = { own: [] as number[], each: [] as number[], together: [] as number[] };
  const statements: number[] = [];
  for (let i = -2; i < count; i++) {
    for (const kind of ["own", "each", "together"] as const) {
      const startedMs = performance.now();
      const response = await fetch(url + paths[kind], {
        headers: { cookie },
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      const tookMs = performance.now() - startedMs;
      if (response.status !== 200) throw new Error(`${paths[kind]} answered ${response.status}`);
      if (i < 0) continue; // dials, prepares, fills what is kept for a while
      ms[kind].push(tookMs);
      if (kind === "own") continue;
      const sent = /data-statements="(\d+)"/.exec(text)?.[1];
      if (!sent) throw new Error(`${paths[kind]} does not say how many statements it sent`);
      statements.push(Number(sent));
    }
  }
  return {
    localMs: round(median(ms.own), 1),
    sequentialMs: round(median(ms.each), 1),
    batchedMs: round(median(ms.together), 1),
    statements: median(statements),
  };
}
