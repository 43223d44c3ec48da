// Checks litefs.yml and fly.toml against the rules that keep a cluster's data: docs/runbooks/deploy.md.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { type Finding, ok, problem } from "../finding.ts";

interface Rule<File> {
  readonly isMet: (file: File) => boolean;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

interface FlyConfig {
  readonly primary_region?: string;
  readonly kill_signal?: string;
  readonly kill_timeout?: number | string;
  readonly env?: Readonly<Record<string, string>>;
  readonly deploy?: { readonly release_command?: string; readonly strategy?: string };
  readonly mounts?:
    readonly { readonly destination?: string }[] | { readonly destination?: string };
  readonly http_service?: {
    readonly internal_port?: number;
    readonly auto_stop_machines?: string | boolean;
    readonly checks?: readonly { readonly path?: string }[];
  };
  readonly services?: readonly unknown[];
  readonly metrics?: unknown;
}

const SECRET_NAMES = /SECRET|TOKEN|PASSWORD|API_KEY|BACKUP_KEY|SMTP_URL|CONSUL_URL|WEBHOOK_URL/;
const LITEFS_PORT = 20_202;
const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3_600, m: 60, s: 1, "": 1 };

/** Returns the seconds of 60, "60", "60s" or "1m0s". Fly's default is 5. */
function seconds(value: number | string = 5): number {
  const parts = String(value).matchAll(/(\d+)([hms]?)/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_SECONDS[unit!]!, 0);
}

const FLY_RULES: readonly Rule<FlyConfig>[] = [
  {
    isMet: ({ http_service }) => ["off", false].includes(http_service?.auto_stop_machines ?? "off"),
    what: "machines stop automatically",
    why: "A stopped machine replicates nothing, and a stopped standby can't take over.",
    fix: `Set auto_stop_machines = "off" in [http_service].`,
  },
  {
    isMet: ({ services = [], http_service }) =>
      services.length === 0 && http_service?.internal_port !== LITEFS_PORT,
    what: "more than one public port",
    why: `Only the site's port may be public. Through LiteFS's port (${LITEFS_PORT}), anyone can read and overwrite the whole database without a password.`,
    fix: "Keep [http_service], and remove every [[services]] section.",
  },
  {
    isMet: ({ kill_timeout }) => seconds(kill_timeout) >= 30 && seconds(kill_timeout) <= 300,
    what: "kill_timeout is not between 30 and 300 seconds",
    why: "Fly's default of 5 s cuts off a lease handover and requests that are still running.",
    fix: "Set kill_timeout = 60.",
  },
  {
    isMet: ({ kill_timeout, env }) =>
      env?.KILL_TIMEOUT_SECONDS === undefined ||
      seconds(kill_timeout) < 30 || // the rule above
      Number(env.KILL_TIMEOUT_SECONDS) <= seconds(kill_timeout),
    what: "KILL_TIMEOUT_SECONDS is longer than kill_timeout",
    why: "Fly would kill the site while it still waits for requests to finish.",
    fix: "Set KILL_TIMEOUT_SECONDS in [env] to the value of kill_timeout.",
  },
  {
    isMet: ({ kill_signal }) => kill_signal === "SIGTERM",
    what: "kill_signal is not SIGTERM",
    why: "With Fly's default, SIGINT, there is no handover if LiteFS is waiting for a primary.",
    fix: `Set kill_signal = "SIGTERM".`,
  },
  {
    isMet: ({ primary_region, env }) => env?.REPLICATION !== "on" || Boolean(primary_region),
    what: "primary_region is missing",
    why: "Only machines in this region may take the lease. Without it, there is no candidate, or one that is far away.",
    fix: `Set primary_region = "dfw", or your region.`,
  },
  {
    isMet: ({ deploy }) => deploy?.release_command === undefined,
    what: "release_command is set",
    why: "It runs on a machine without a volume, so it can't migrate this database. The site migrates it at startup.",
    fix: "Remove release_command.",
  },
  {
    isMet: ({ deploy }) => [undefined, "rolling"].includes(deploy?.strategy),
    what: "the deploy strategy is not rolling",
    why: "Volumes can't be shared, so other strategies fail or stop all machines at the same time.",
    fix: `Set strategy = "rolling" in [deploy].`,
  },
  {
    isMet: ({ mounts = [] }) => [mounts].flat().some(({ destination }) => destination === "/data"),
    what: "no volume at /data",
    why: "Without it, every deploy deletes the database.",
    fix: `Add [[mounts]] with source = "data" and destination = "/data".`,
  },
  {
    isMet: ({ http_service }) =>
      http_service?.checks?.some(({ path }) => path === "/readyz") ?? false,
    what: "no health check of /readyz",
    why: "Fly would send visitors to machines that have no data yet.",
    fix: `Add [[http_service.checks]] with path = "/readyz".`,
  },
  {
    isMet: ({ env }) => env?.TRUST_PROXY === "fly",
    what: "TRUST_PROXY is not fly",
    why: "All visitors would share one rate limit, that of Fly's proxy.",
    fix: `Set TRUST_PROXY = "fly" in [env].`,
  },
  {
    isMet: ({ env = {} }) => !Object.keys(env).some((name) => SECRET_NAMES.test(name)),
    what: "a secret in [env]",
    why: "fly.toml is in the repository.",
    fix: "Move it: fly secrets set NAME=VALUE, with a new value.",
  },
  {
    isMet: ({ metrics }) => metrics === undefined,
    what: "a [metrics] section",
    why: "Fly's Prometheus can't send METRICS_TOKEN, so every scrape gets a 401.",
    fix: "Remove [metrics], and use your own scraper, which can send the token.",
  },
];

interface LitefsConfig {
  readonly fuse?: { readonly dir?: string };
  readonly data?: { readonly dir?: string };
  readonly http?: { readonly addr?: string };
  readonly "skip-sync"?: boolean;
  readonly proxy?: unknown;
  readonly exec?: readonly { readonly cmd?: string }[] | string;
  readonly lease?: {
    readonly type?: string;
    readonly candidate?: boolean | string;
    readonly consul?: { readonly ttl?: string; readonly key?: string };
  };
}

const LITEFS_RULES: readonly Rule<LitefsConfig>[] = [
  {
    isMet: ({ fuse, data }) => Boolean(fuse?.dir) && Boolean(data?.dir) && fuse?.dir !== data?.dir,
    what: "fuse.dir and data.dir must be two folders",
    why: "LiteFS mounts one and stores its data in the other.",
    fix: "git checkout litefs.yml",
  },
  {
    isMet: ({ lease }) => lease?.type === "consul",
    what: "lease.type is not consul",
    why: "With a static lease, no standby takes over when the primary dies.",
    fix: "git checkout litefs.yml",
  },
  {
    isMet: ({ lease }) => lease?.candidate !== true,
    what: "lease.candidate is always true",
    why: "A node that is behind could become the primary and lose writes, and a distant one would slow down all writes.",
    fix: "Set lease.candidate to ${LITEFS_CANDIDATE == 'true'}: the supervisor decides at each start.",
  },
  {
    isMet: ({ proxy }) => proxy === undefined,
    what: "LiteFS's proxy is configured",
    why: "Without Fly's proxy in front, it answers a write on a replica with 200 and drops the write. The site replays writes itself.",
    fix: "Remove the proxy section.",
  },
  {
    isMet: ({ exec = [] }) =>
      Array.isArray(exec) && exec.length > 0 && exec.every(({ cmd }) => /^node /.test(cmd ?? "")),
    what: "exec does not start node itself",
    why: "LiteFS signals only its direct child. npm or a shell would not forward SIGTERM, so there would be no lease handover.",
    fix: `Set exec to: - cmd: "node server/launcher/main.ts"`,
  },
  {
    isMet: (file) => file["skip-sync"] === true,
    what: "skip-sync is off",
    why: "A node without a primary would not serve reads, and would ignore SIGTERM.",
    fix: "Set skip-sync: true.",
  },
  {
    isMet: ({ http }) => !/^:?\d+$/.test(http?.addr ?? "") || http?.addr === `:${LITEFS_PORT}`,
    what: "http.addr is another port",
    why: "The site and the other nodes expect LiteFS at LITEFS_PORT.",
    fix: `Set http.addr to "\${LITEFS_ADDR}".`,
  },
];

function checkRules<File>(name: string, file: File, rules: readonly Rule<File>[]): Finding[] {
  const broken = rules.filter(({ isMet }) => !isMet(file));
  return broken.length === 0
    ? [ok(`${name}: all ${rules.length} rules`)]
    : broken.map(({ what, why, fix }) => problem(`${name}: ${what}`, why, fix));
}

/** Returns the findings for the text of fly.toml. */
export const checkFlyToml = (text: string): Finding[] =>
  checkRules("fly.toml", parseToml(text) as FlyConfig, FLY_RULES);

/** Returns the findings for the text of litefs.yml. */
export const checkLitefsYml = (text: string): Finding[] =>
  checkRules("litefs.yml", parseYaml(text) as LitefsConfig, LITEFS_RULES);

/** Checks the files that exist: an image has no fly.toml. */
export function checkDeployment(root: string): Finding[] {
  return (
    [
      ["fly.toml", checkFlyToml],
      ["litefs.yml", checkLitefsYml],
    ] as const
  ).flatMap(([name, check]) => {
    const file = join(root, name);
    return existsSync(file) ? check(readFileSync(file, "utf8")) : [];
  });
}
