// Reads the supervisor's and launcher's settings from the environment, with the image's defaults.

import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { parseConsulUrls } from "./consul-servers.ts";

export interface Settings {
  /** Name of this node, unique in the cluster. */
  readonly instance: string;
  readonly isReplicated: boolean;
  /** The folder with server/site.ts, litefs.yml and prisma/migrations. */
  readonly root: string;
  /** LiteFS's mount and its store, which are different folders. */
  readonly mountDir: string;
  readonly storeDir: string;
  /** Folder for data that is not replicated: the cache, and the database if REPLICATION=off. */
  readonly dataDir: string;
  readonly databaseFile: string;
  readonly region: string | null;
  readonly primaryRegion: string | null;
  readonly litefs: {
    readonly program: string;
    readonly addr: string;
    readonly url: string;
    readonly advertiseUrl: string;
  };
  readonly lease: {
    /** In the supervisor, FLY_CONSUL_URL; in LiteFS and the launcher, the supervisor's proxy. */
    readonly consulUrl: string;
    readonly key: string;
    readonly ttl: string;
    readonly ttlMs: number;
  };
  readonly app: {
    readonly host: string;
    readonly port: string;
    readonly uid: number | null;
    readonly gid: number | null;
  };
  /** Time from the first signal to SIGKILL (kill_timeout in fly.toml). */
  readonly killTimeoutMs: number;
  /** How long a replica waits for the primary to apply migrations. */
  readonly migrationsTimeoutMs: number;
}

const DEFAULT_LITEFS_PORT = 20_202;

/** Returns the settings. Throws one Error that lists every missing or invalid variable. */
export function readSettings(from: Record<string, string | undefined>, root: string): Settings {
  const problems: string[] = [];
  const read = (name: string) => from[name] || undefined;
  const isReplicated = ["on", "true", "1"].includes(read("REPLICATION") ?? "off");
  const readRequired = (name: string, what: string) => {
    const value = read(name);
    if (!value && isReplicated) problems.push(`${name}: required if REPLICATION=on (${what})`);
    return value ?? "";
  };
  const readNumber = (name: string, fallback: number | null) => {
    const value = read(name);
    if (value !== undefined && !/^\d+$/.test(value))
      problems.push(`${name}: must be a whole number`);
    return value === undefined ? fallback : Number(value);
  };
  const instance = read("INSTANCE") ?? read("FLY_MACHINE_ID") ?? hostname();
  const dataDir = resolve(read("DATA_DIR") ?? "/data");
  const mountDir = resolve(read("FLY_LITEFS_DIR") ?? "/litefs");
  const defaultFile = join(isReplicated ? mountDir : dataDir, "lectern.db");
  let databaseFile = resolve(read("DATABASE_FILE") ?? defaultFile);
  // The image sets a path in the mount. Without replication, use the plain file of that name.
  if (!isReplicated && dirname(databaseFile) === mountDir)
    databaseFile = join(dataDir, basename(databaseFile));
  if (isReplicated && dirname(databaseFile) !== mountDir)
    problems.push("DATABASE_FILE: must be a file in FLY_LITEFS_DIR because REPLICATION=on");
  const port = readNumber("LITEFS_PORT", DEFAULT_LITEFS_PORT)!;
  const ttl = read("LITEFS_LEASE_TTL") ?? "10s";
  const ttlMs = Number(/^(\d+)s$/.exec(ttl)?.[1]) * 1_000;
  if (!(ttlMs >= 10_000))
    problems.push(
      "LITEFS_LEASE_TTL: must be whole seconds, such as 10s, and at least 10s (Consul's minimum)",
    );
  const consulUrl = readRequired(
    "FLY_CONSUL_URL",
    "the Consul with the lease, such as http://127.0.0.1:8500",
  );
  try {
    if (consulUrl) parseConsulUrls(consulUrl);
  } catch (error) {
    problems.push(`FLY_CONSUL_URL: ${(error as Error).message}`);
  }
  const app = read("FLY_APP_NAME");
  const machine = read("FLY_MACHINE_ID");
  const advertiseUrl =
    read("LITEFS_ADVERTISE_URL") ??
    (app && machine ? `http://${machine}.vm.${app}.internal:${port}` : undefined);
  if (!advertiseUrl && isReplicated)
    problems.push(
      "LITEFS_ADVERTISE_URL: required if REPLICATION=on (how other nodes reach this node's LiteFS, such as http://10.0.0.1:20202)",
    );
  const settings: Settings = {
    instance,
    isReplicated,
    root,
    mountDir,
    storeDir: resolve(read("LITEFS_DATA_DIR") ?? join(dataDir, "litefs")),
    dataDir,
    databaseFile,
    region: read("FLY_REGION") ?? null,
    primaryRegion: read("PRIMARY_REGION") ?? null,
    litefs: {
      program: read("LITEFS_PROGRAM") ?? "litefs",
      addr: read("LITEFS_ADDR") ?? `:${port}`,
      url: read("LITEFS_URL") ?? `http://127.0.0.1:${port}`,
      advertiseUrl: advertiseUrl ?? "",
    },
    lease: {
      consulUrl,
      key: read("LITEFS_LEASE_KEY") ?? "lectern/primary",
      ttl,
      ttlMs,
    },
    app: {
      host: read("HOST") ?? "::",
      port: read("PORT") ?? "8080",
      uid: readNumber("APP_UID", null),
      gid: readNumber("APP_GID", null),
    },
    killTimeoutMs: readNumber("KILL_TIMEOUT_SECONDS", 30)! * 1_000,
    migrationsTimeoutMs: readNumber("MIGRATIONS_TIMEOUT_SECONDS", 600)! * 1_000,
  };
  if (problems.length > 0)
    throw new Error(
      `The environment is invalid. See .env.example.\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
  return settings;
}

/**
 * Returns the environment for LiteFS, the launcher and the site, with a value for every variable in
 * litefs.yml.
 */
export function toEnvironment(settings: Settings): Record<string, string> {
  const { litefs, lease } = settings;
  return {
    INSTANCE: settings.instance,
    DATA_DIR: settings.dataDir,
    DATABASE_FILE: settings.databaseFile,
    FLY_LITEFS_DIR: settings.mountDir,
    LITEFS_DATA_DIR: settings.storeDir,
    LITEFS_ADDR: litefs.addr,
    LITEFS_URL: litefs.url,
    LITEFS_ADVERTISE_URL: litefs.advertiseUrl,
    FLY_CONSUL_URL: lease.consulUrl,
    LITEFS_LEASE_KEY: lease.key,
    LITEFS_LEASE_TTL: lease.ttl,
  };
}

/** Returns the site's OS user; empty to keep the current one. */
export function appUserIds({ app }: Settings): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0 || app.uid === null) return {};
  return { uid: app.uid, gid: app.gid ?? app.uid };
}
