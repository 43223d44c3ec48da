// Logs a component of a post that failed, at most once a minute.

import { LRUCache } from "lru-cache";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";

const reported = new LRUCache<string, true>({ max: 1_000, ttl: MINUTE_MS });

/** Writes the event "post.component_failed". A busy post would otherwise fill the log. */
export function reportComponentFailure(post: string, component: string, error: unknown): void {
  const key = `${post} ${component} ${error instanceof Error ? error.message : String(error)}`;
  if (reported.has(key)) return;
  reported.set(key, true);
  log("error", "post.component_failed", { post, component, error });
}
