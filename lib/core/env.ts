// Parses process.env once and reports all missing or invalid variables in one error.
// tests/env-example.test.ts keeps .env.example in line with this file.

import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { MIN_SESSION_SECRET_LENGTH, loadOrCreateSessionSecret } from "./session-secret.ts";
import { trustProxySchema } from "./trust-proxy.ts";

const onOffSchema = z
  .enum(["on", "off", "true", "false", "1", "0"])
  .transform((value) => value === "on" || value === "true" || value === "1");
const boolSchema = (fallback: boolean) => onOffSchema.default(fallback);
const intSchema = (fallback: number, min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}, such as ${fallback}`;
  return z.coerce
    .number({ error })
    .int({ error })
    .min(min, { error })
    .max(max, { error })
    .default(fallback);
};
const urlSchema = (options: { protocol?: RegExp } = {}) =>
  z.url({ ...options, error: "must be a full URL such as https://example.com" });
/** A secret. Leading and trailing spaces don't count toward `minLength`. */
const secretSchema = (minLength: number) =>
  z
    .string()
    .refine((value) => value.trim().length >= minLength, `needs at least ${minLength} characters`);
const splitList = (value: string, separator: RegExp) =>
  value
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean);
/** Secrets separated by commas, so that the old one is still accepted during a rotation. */
const secretListSchema = (
  minLength: number,
  separator = /,/,
  hint = "; separate multiple secrets with commas",
) =>
  z
    .string()
    .transform((value) => splitList(value, separator))
    .refine(
      (all) => all.length > 0 && all.every((secret) => secret.length >= minLength),
      `needs at least ${minLength} characters${hint}`,
    );
/** A URL without credentials, path, query or fragment. Parsed to its origin. */
const originSchema = () =>
  urlSchema({ protocol: /^https?$/ })
    .transform((value) => new URL(value))
    .refine(
      ({ href, origin }) => href === `${origin}/`,
      "must be only a scheme and a host, such as https://example.com",
    )
    .transform(({ origin }) => origin);
const listSchema = z
  .string()
  .default("")
  .transform((value) => splitList(value, /,/));

/** A source-site cookie: its name, optionally followed by a colon and the data field to read. */
const legacyCookieSchema = (fallbackField: string) =>
  z
    .string()
    .regex(
      /^[\w!#$%&'*+.^`|~-]{1,128}(:[\w$.-]{1,64})?$/,
      `must be a cookie name, such as my_cookie or my_cookie:${fallbackField}`,
    )
    .transform((value) => {
      const [name = "", field = fallbackField] = value.split(":");
      return { name, field };
    });
const SPACES_OR_COMMAS = /[\s,]+/;

export const envSchema = z.object({
  NODE_ENV: z.enum(["development", "production", "test"]).default("development"),
  SLOW_QUERY_MS: z.coerce.number().int().min(-1).max(60_000).default(50),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  LOG_REQUESTS: onOffSchema.optional(),
  PAGE_CACHE: boolSchema(true),
  METRICS_TOKEN: secretListSchema(16).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: urlSchema({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().min(1).default("lectern"),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number({ error: "must be a number from 0 to 1, such as 0.1" })
    .min(0)
    .max(1)
    .default(1),
  SITE_URL: originSchema().optional(),
  SITE_CONFIG: z.string().min(1).default("site.config.ts"),
  DATA_DIR: z.string().min(1).default(".data"),
  DATABASE_FILE: z.string().min(1).optional(),
  CACHE_FILE: z.string().min(1).optional(),
  CACHE_MAX_MB: intSchema(256, 8, 16_384),
  SESSION_SECRET: secretSchema(MIN_SESSION_SECRET_LENGTH).optional(),
  ACCEPTED_SESSION_SECRETS: secretListSchema(MIN_SESSION_SECRET_LENGTH).default([]),
  LEGACY_COOKIE_SECRET: secretListSchema(
    8,
    SPACES_OR_COMMAS,
    "; separate multiple secrets with commas or spaces",
  ).optional(),
  LEGACY_SESSION_COOKIE: legacyCookieSchema("sessionId").optional(),
  LEGACY_CLIENT_COOKIE: legacyCookieSchema("clientId").optional(),
  SESSION_RENEW_DAYS: intSchema(180, 1, 364),
  SMTP_URL: urlSchema({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z
    .string()
    .regex(
      /^[^\s<>@]+@[^\s<>@]+$|^[^<>@\r\n]+ <[^\s<>@]+@[^\s<>@]+>$/,
      "must look like Lectern <site@example.com>",
    )
    .optional(),
  NEWSLETTER_PER_MINUTE: intSchema(300, 1, 100_000),
  NEWSLETTER_WEBHOOK_SECRET: secretListSchema(16).optional(),
  KIT_API_KEY: z.string().min(1).optional(),
  KIT_FORM_ID: z.string().regex(/^\d+$/, "must be a number").optional(),
  KIT_API: urlSchema({ protocol: /^https?$/ }).default("https://api.kit.com/v4"),
  DISCORD_WEBHOOK_URL: urlSchema({ protocol: /^https?$/ }).optional(),
  FFMPEG_PATH: z.string().min(1).default("ffmpeg"),
  TRANSCRIBE_COMMAND: z.string().min(1).optional(),
  CONTENT_SOURCE: z.enum(["disk", "git"]).default("disk"),
  CONTENT_DIR: z.string().min(1).default("content"),
  CONTENT_GIT_API: urlSchema().default("https://api.github.com"),
  CONTENT_GIT_REPOSITORY: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, "must look like owner/name")
    .optional(),
  CONTENT_GIT_BRANCH: z.string().min(1).default("main"),
  CONTENT_GIT_PATH: z.string().default("content"),
  CONTENT_GIT_TOKEN: z.string().min(1).optional(),
  CONTENT_WEBHOOK_SECRET: secretListSchema(16).optional(),
  COMPILE_TIMEOUT_MS: intSchema(10_000, 100, 120_000),
  COMPILE_WORKERS: intSchema(1, 1, 16),
  BACKUP_BUCKET: z
    .string()
    .regex(
      /^[\w.-]+(\/[\w.-]+)*\/?$/,
      "must be a bucket, or a bucket and a prefix: my-bucket/my-site",
    )
    .optional(),
  BACKUP_KEY: secretListSchema(
    32,
    SPACES_OR_COMMAS,
    ", as from: openssl rand -hex 32. Separate several keys with commas; the first encrypts",
  ).optional(),
  BACKUP_INTERVAL_SECONDS: intSchema(10, 1, 3_600),
  BACKUP_RETENTION_DAYS: intSchema(30, 1, 3_650),
  BACKUP_DRILL_DAYS: intSchema(7, 0, 365),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  AWS_REGION: z.string().min(1).default("us-east-1"),
  AWS_ENDPOINT_URL_S3: urlSchema({ protocol: /^https?$/ }).optional(),
  FETCH_ALLOW_PRIVATE: listSchema,
  EMBED_PROVIDER_ORIGIN: urlSchema({ protocol: /^https?$/ }).optional(),
  TRUST_PROXY: trustProxySchema,
  KEEP_ALIVE_TIMEOUT: intSchema(150_000, 1_000, 3_600_000),
  REPLICATION: boolSchema(false),
  INSTANCE: z
    .string()
    .regex(/^[\w.-]{1,64}$/, "must be 1 to 64 letters, digits, underscores, dots, or dashes")
    .optional(),
  FLY_LITEFS_DIR: z.string().min(1).optional(),
  LITEFS_DATA_DIR: z.string().min(1).optional(),
  LITEFS_URL: urlSchema({ protocol: /^http$/ }).default("http://127.0.0.1:20202"),
  LITEFS_PORT: intSchema(20_202, 1, 65_535),
  LITEFS_CANDIDATE: boolSchema(false),
  PORT: intSchema(3000, 1, 65_535),
  PRIMARY_REGION: z.string().optional(),
  CLUSTER_NODES: z
    .string()
    .regex(
      /^[\w.-]+@\w+=[^,=\s]+(,[\w.-]+@\w+=[^,=\s]+)*$/,
      "must look like dfw-1@dfw=10.0.0.1,ams-1@ams=10.0.0.2",
    )
    .optional(),
  INSTANCE_BANNER: boolSchema(false),
  FLY_APP_NAME: z.string().optional(),
  FLY_REGION: z.string().optional(),
  DEPLOYMENT_ID: z.string().optional(),
});

/** Variables of earlier versions, and where their values are now. */
const MOVED_TO_SITE_CONFIG = {
  SITE_NAME: "name",
  SITE_AUTHOR: "author.name",
  REPOSITORY_URL: "editUrl",
  IMAGE_HOSTS: "images.hosts",
};

type Env = Omit<
  z.output<typeof envSchema>,
  "SITE_URL" | "DATABASE_FILE" | "CACHE_FILE" | "SESSION_SECRET" | "FLY_LITEFS_DIR"
> & {
  /** The site's origin. */
  SITE_URL: string;
  /** True if the owner has not set SITE_URL, so it is http://localhost. */
  IS_SITE_URL_DEFAULT: boolean;
  FLY_LITEFS_DIR: string;
  DATABASE_FILE: string;
  CACHE_FILE: string;
  SESSION_SECRET: string;
};

/**
 * Returns the configuration parsed from `from`; empty strings count as unset. Throws one Error that
 * lists every missing or invalid variable with its expected format.
 */
export function parseEnv(from: Record<string, string | undefined>): Env {
  const set = Object.fromEntries(
    Object.entries(from).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = envSchema.safeParse(set);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  for (const [variable, field] of Object.entries(MOVED_TO_SITE_CONFIG))
    if (set[variable])
      problems.push(`${variable}: has moved to site.config.ts, as ${field}; remove it here`);
  if (parsed.success) {
    const { data } = parsed;
    if (data.CONTENT_SOURCE === "git" && !data.CONTENT_GIT_REPOSITORY) {
      problems.push("CONTENT_GIT_REPOSITORY: required because CONTENT_SOURCE=git (owner/name)");
    }
    if (data.KIT_API_KEY && !data.KIT_FORM_ID)
      problems.push("KIT_FORM_ID: required because KIT_API_KEY is set");
    if (data.REPLICATION && !data.SESSION_SECRET) {
      problems.push("SESSION_SECRET: required because REPLICATION=on (the same on every instance)");
    }
    problems.push(...findLegacyCookieProblems(data));
    if (data.BACKUP_BUCKET)
      for (const name of ["BACKUP_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const)
        if (!data[name]) problems.push(`${name}: required because BACKUP_BUCKET is set`);
    const mount = data.FLY_LITEFS_DIR ?? (data.DATABASE_FILE && dirname(data.DATABASE_FILE));
    if (data.REPLICATION && !mount)
      problems.push(
        "FLY_LITEFS_DIR: required because REPLICATION=on (the folder that LiteFS mounts)",
      );
    if (
      data.REPLICATION &&
      mount &&
      data.DATABASE_FILE &&
      dirname(resolve(data.DATABASE_FILE)) !== resolve(mount)
    ) {
      problems.push("DATABASE_FILE: must be a file in FLY_LITEFS_DIR because REPLICATION=on");
    }
    const secret = problems.length === 0 ? findSessionSecret(data, problems) : "";
    if (problems.length === 0) {
      return {
        ...data,
        SITE_URL: data.SITE_URL ?? `http://localhost:${data.PORT}`,
        IS_SITE_URL_DEFAULT: data.SITE_URL === undefined,
        FLY_LITEFS_DIR: mount ?? data.DATA_DIR,
        DATABASE_FILE:
          data.DATABASE_FILE ?? join((data.REPLICATION && mount) || data.DATA_DIR, "lectern.db"),
        CACHE_FILE: data.CACHE_FILE ?? join(data.DATA_DIR, "cache.db"),
        SESSION_SECRET: secret,
      };
    }
  }
  throw new Error(
    `The environment is invalid. See .env.example.\n${problems.map((line) => `  ${line}`).join("\n")}`,
  );
}

/** Returns the secret from the environment or the data folder. On failure, adds to `problems`. */
function findSessionSecret(
  { DATA_DIR, SESSION_SECRET }: z.output<typeof envSchema>,
  problems: string[],
): string {
  if (SESSION_SECRET !== undefined) return SESSION_SECRET;
  try {
    return loadOrCreateSessionSecret(join(DATA_DIR, "session-secret"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    problems.push(
      code === undefined
        ? `SESSION_SECRET: ${message}`
        : `DATA_DIR: the session secret can't be stored in ${DATA_DIR} (${code})`,
    );
    return "";
  }
}

function findLegacyCookieProblems({
  SITE_URL,
  LEGACY_COOKIE_SECRET,
  LEGACY_SESSION_COOKIE,
  LEGACY_CLIENT_COOKIE,
}: z.output<typeof envSchema>): string[] {
  const problems: string[] = [];
  const siteCookie = SITE_URL?.startsWith("https:")
    ? /^__Host-(session|reader|txid)$/
    : /^(session|reader|txid)$/;
  for (const [variable, cookie] of Object.entries({
    LEGACY_SESSION_COOKIE,
    LEGACY_CLIENT_COOKIE,
  })) {
    if (!cookie) continue;
    if (!LEGACY_COOKIE_SECRET)
      problems.push(
        `LEGACY_COOKIE_SECRET: required because ${variable} is set (the secret that the source site signs its cookies with)`,
      );
    if (siteCookie.test(cookie.name))
      problems.push(
        `${variable}: ${cookie.name} is already a cookie of this site, so members of the source site would have to log in again`,
      );
  }
  if (LEGACY_COOKIE_SECRET && !LEGACY_SESSION_COOKIE && !LEGACY_CLIENT_COOKIE) {
    problems.push(
      "LEGACY_SESSION_COOKIE: required because LEGACY_COOKIE_SECRET is set (the cookie's name at the source site, such as my_session or my_session:sessionId)",
    );
  }
  return problems;
}

let cachedEnv: Env | undefined;

/** The process's configuration, parsed on first use so that imports alone need no environment. */
export const env: Env = new Proxy({} as Env, {
  get(_, key) {
    cachedEnv ??= parseEnv(process.env);
    return cachedEnv[key as keyof Env];
  },
});

/**
 * True during `next build`, when there is no database and output would be frozen into the build.
 */
export function isBuilding(): boolean {
  return process.env.NEXT_PHASE === "phase-production-build";
}

/** Returns true in production without SITE_URL. Links in emails would then point to localhost. */
export function isSiteUrlMissing(): boolean {
  return env.NODE_ENV === "production" && env.IS_SITE_URL_DEFAULT;
}

/** Parses process.env again on next use. For tests. */
export function resetEnv(): void {
  cachedEnv = undefined;
}
