// Parses the fly-replay header and formats the request headers of replays
// (https://fly.io/docs/networking/dynamic-request-routing/).

export interface ReplayDirective {
  instance?: string;
  preferInstance?: string;
  /** In order of preference; "any" means all other regions. */
  regions?: string[];
  state?: string;
  /** Excludes the instance that sent the header. */
  isElsewhere: boolean;
  timeoutMs?: number;
  fallback?: "force_self" | "prefer_self";
}

export type ReplayFailure = "timeout" | "retries_exhausted" | "no_candidate";

/**
 * Parses a `fly-replay` header. Throws for an unknown field, an invalid duration or a missing
 * target.
 */
export function parseReplay(header: string): ReplayDirective {
  const replay: ReplayDirective = { isElsewhere: false };
  for (const field of header
    .split(/;(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((part) => part.trim())
    .filter(Boolean)) {
    const [, name = field, quoted] = /^([\w-]+)=(.*)$/s.exec(field) ?? [];
    const value = (quoted ?? "").replace(/^"(.*)"$/s, "$1");
    if (name === "instance") replay.instance = value;
    else if (name === "prefer_instance") replay.preferInstance = value;
    else if (name === "region") replay.regions = value.split(",").map((region) => region.trim());
    else if (name === "state") replay.state = value;
    else if (name === "elsewhere") replay.isElsewhere = value === "true";
    else if (name === "timeout") replay.timeoutMs = parseDuration(value);
    else if (name === "fallback" && (value === "force_self" || value === "prefer_self"))
      replay.fallback = value;
    else throw new Error(`fly-replay: unknown field ${field}`);
  }
  if (!replay.instance && !replay.preferInstance && !replay.regions && !replay.isElsewhere)
    throw new Error(`fly-replay: "${header}" has no target`);
  return replay;
}

function parseDuration(value: string): number {
  const [, number, unit] = /^(\d+)(ms|s)$/.exec(value) ?? [];
  if (!number)
    throw new Error(`fly-replay: timeout=${value} is not a duration such as 10s or 800ms`);
  return Number(number) * (unit === "s" ? 1_000 : 1);
}

/**
 * Returns the fly-replay-src of a request that `from` replays. `nowMs` is in milliseconds since the
 * Unix epoch.
 */
export function formatReplaySource(
  from: { name: string; region: string },
  nowMs: number,
  state?: string,
): string {
  return [
    `instance=${from.name}`,
    `region=${from.region}`,
    `t=${Math.round(nowMs * 1_000)}`,
    ...(state === undefined ? [] : [`state=${state}`]),
  ].join(";");
}

/** Returns the fly-replay-failed of a request that returns to `from`. */
export function formatReplayFailure(
  replay: ReplayDirective,
  from: { name: string },
  reason: ReplayFailure,
  elapsedMs: number,
): string {
  return [
    ...(replay.instance ? [`instance=${replay.instance}`] : []),
    ...(replay.regions ? [`region=${replay.regions.join(",")}`] : []),
    `replay_source=${from.name}`,
    `reason=${reason}`,
    `elapsed_ms=${Math.round(elapsedMs)}`,
  ].join(";");
}
