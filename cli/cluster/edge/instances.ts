// Which instances are there, which of them answer their health check, and in which order a request tries them.

export interface Instance {
  name: string;
  region: string;
  host: string;
  port: number;
}

export interface HealthChecks {
  /** Those that passed their last check. */
  listHealthy(): Instance[];
  listAll(): readonly Instance[];
  /** Checks at once, besides the regular checks. */
  checkAll(): Promise<void>;
  stop(): void;
}

export interface HealthCheckOptions {
  instances: readonly Instance[];
  path?: string;
  intervalMs?: number;
  timeoutMs?: number;
}

/** Checks each instance every `intervalMs`: one success takes it in, one failure out. Nobody is in before the first check. */
export function startHealthChecks({
  instances,
  path = "/healthz",
  intervalMs = 1_000,
  timeoutMs = 2_000,
}: HealthCheckOptions): HealthChecks {
  const passing = new Set<string>();
  const checkOne = async ({ name, host, port }: Instance) => {
    let ok: boolean;
    try {
      const response = await fetch(`http://${host}:${port}${path}`, {
        headers: { connection: "close" },
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      ok = response.ok;
    } catch {
      ok = false;
    }
    if (ok) passing.add(name);
    else passing.delete(name);
  };
  const busy = new Set<string>();
  const timer = setInterval(() => {
    for (const instance of instances.filter(({ name }) => !busy.has(name))) {
      busy.add(instance.name);
      void checkOne(instance).finally(() => busy.delete(instance.name));
    }
  }, intervalMs);
  return {
    listHealthy: () => instances.filter(({ name }) => passing.has(name)),
    listAll: () => instances,
    async checkAll() {
      await Promise.all(instances.map(checkOne));
    },
    stop: () => clearInterval(timer),
  };
}

export interface RoutingPreference {
  /** This one or none. */
  instance?: string;
  /** This one first, others if it can't be. */
  preferInstance?: string;
  /** Only in these, in this order; "any" stands for all others. */
  regions?: readonly string[];
  /** These first, others if they can't be. */
  preferRegions?: readonly string[];
  /** Not this one. */
  excludedInstance?: string;
}

/** The instances for a request that came in at `region`, the best first: as wished, then the nearest, then by turns. */
export function rankInstances(
  healthy: readonly Instance[],
  region: string,
  roundTripMs: (from: string, to: string) => number,
  wish: RoutingPreference,
  turn = 0,
): Instance[] {
  const rank = ({ region: place }: Instance, regions: readonly string[]) => {
    const at = regions.findIndex((one) => one === place || one === "any");
    return at < 0 ? regions.length : at;
  };
  const allowed = healthy.filter((instance) => {
    if (wish.excludedInstance === instance.name) return false;
    if (wish.instance) return wish.instance === instance.name;
    return !wish.regions || rank(instance, wish.regions) < wish.regions.length;
  });
  // Those at the same distance take turns.
  const turned = allowed.map((_, i) => allowed[(i + turn) % allowed.length]!);
  const key = (instance: Instance): number[] => [
    wish.preferInstance === instance.name ? 0 : 1,
    rank(instance, wish.regions ?? []),
    rank(instance, wish.preferRegions ?? []),
    instance.region === region ? 0 : roundTripMs(region, instance.region),
  ];
  return turned
    .map((instance) => ({ instance, key: key(instance) }))
    .sort(
      (a, b) =>
        a.key.map((part, i) => part - b.key[i]!).find((difference) => difference !== 0) ?? 0,
    )
    .map(({ instance }) => instance);
}
