// Runs periodic health checks of instances.

import { requestInternal } from "#lib/core/internal-request.ts";

export interface Instance {
  name: string;
  region: string;
  host: string;
  port: number;
}

export interface HealthChecks {
  /** Returns the instances that passed their last check. */
  listHealthy(): Instance[];
  /** Checks all instances now. */
  checkAll(): Promise<void>;
  stop(): void;
}

export interface HealthCheckOptions {
  instances: readonly Instance[];
  intervalMs?: number;
}

/** As in fly.toml. */
const TIMEOUT_MS = 4_000;

/**
 * Checks each instance every `intervalMs` (default 1 s). Instances start unhealthy; a single
 * success or failure changes their state.
 */
export function startHealthChecks({
  instances,
  intervalMs = 1_000,
}: HealthCheckOptions): HealthChecks {
  const healthy = new Set<string>();
  const checkOne = async ({ name, host, port }: Instance) => {
    const ok = await requestInternal(`http://${host}:${port}/healthz`, {
      timeoutMs: TIMEOUT_MS,
    }).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ok) healthy.add(name);
    else healthy.delete(name);
  };
  const checking = new Set<string>();
  const timer = setInterval(() => {
    for (const instance of instances.filter(({ name }) => !checking.has(name))) {
      checking.add(instance.name);
      void checkOne(instance).finally(() => checking.delete(instance.name));
    }
  }, intervalMs);
  return {
    listHealthy: () => instances.filter(({ name }) => healthy.has(name)),
    async checkAll() {
      await Promise.all(instances.map(checkOne));
    },
    stop: () => clearInterval(timer),
  };
}
