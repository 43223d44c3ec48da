// Ranks the instances that may serve a request.

import type { Instance } from "./health-checks.ts";

export interface RoutingPreference {
  /** Only this instance. */
  instance?: string;
  /** This instance first. */
  preferInstance?: string;
  /** Only these regions, in this order; "any" means all other regions. */
  regions?: readonly string[];
  /** These regions first. */
  preferRegions?: readonly string[];
  /** Any instance except this one. */
  excludedInstance?: string;
}

/**
 * Returns the instances for a request at an edge in `region`, best first: by preference, by
 * distance, then round-robin.
 */
export function rankInstances(
  healthy: readonly Instance[],
  region: string,
  roundTripMs: (from: string, to: string) => number,
  preference: RoutingPreference,
  turn = 0,
): Instance[] {
  const rank = ({ region: instanceRegion }: Instance, regions: readonly string[]) => {
    const index = regions.findIndex((name) => name === instanceRegion || name === "any");
    return index < 0 ? regions.length : index;
  };
  const allowed = healthy.filter((instance) => {
    if (preference.excludedInstance === instance.name) return false;
    if (preference.instance) return preference.instance === instance.name;
    return !preference.regions || rank(instance, preference.regions) < preference.regions.length;
  });
  const rotated = allowed.map((_, i) => allowed[(i + turn) % allowed.length]!);
  const key = (instance: Instance): number[] => [
    preference.preferInstance === instance.name ? 0 : 1,
    rank(instance, preference.regions ?? []),
    rank(instance, preference.preferRegions ?? []),
    instance.region === region ? 0 : roundTripMs(region, instance.region),
  ];
  return rotated
    .map((instance) => ({ instance, key: key(instance) }))
    .sort(
      (a, b) =>
        a.key.map((part, i) => part - b.key[i]!).find((difference) => difference !== 0) ?? 0,
    )
    .map(({ instance }) => instance);
}
