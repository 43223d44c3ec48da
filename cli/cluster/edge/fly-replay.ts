// The words of fly-replay (https://fly.io/docs/networking/dynamic-request-routing/): read from a response, written on requests.

export interface ReplayDirective {
  instance?: string;
  preferInstance?: string;
  /** In order of preference; "any" among them means everywhere. */
  regions?: string[];
  state?: string;
  /** Not to the instance that answered so. */
  isElsewhere: boolean;
  timeoutMs?: number;
  fallback?: "force_self" | "prefer_self";
}

export type ReplayFailure = "timeout" | "retries_exhausted" | "no_candidate";

/** What a `fly-replay` header asks for. Throws an Error that says what is wrong with it: an unknown field, a duration, nowhere to go. */
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
    else throw new Error(`fly-replay: ${field} is not understood`);
  }
  if (!replay.instance && !replay.preferInstance && !replay.regions && !replay.isElsewhere)
    throw new Error(`fly-replay: "${header}" names no place`);
  return replay;
}

function parseDuration(value: string): number {
  const [, number, unit] = /^(\d+)(ms|s)$/.exec(value) ?? [];
  if (!number) throw new Error(`fly-replay: timeout=${value} is no duration such as 10s or 800ms`);
  return Number(number) * (unit === "s" ? 1_000 : 1);
}

/** `fly-replay-src` for the instance that the request is sent on to. `nowMs` since 1970. */
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

/** `fly-replay-failed` for the instance that gets its request back. */
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
