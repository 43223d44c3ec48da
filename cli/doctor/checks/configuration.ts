// Checks every variable, site.config.ts, and the secrets.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseEnv as parseEnvFile } from "node:util";
import { env, envSchema, parseEnv } from "#lib/core/env.ts";
import { checkSiteConfig, siteConfig } from "#lib/core/site-config.ts";
import { type Finding, note, ok, problem } from "../finding.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** Read by the supervisor, the image or the commands instead of the site. */
const OTHER_VARIABLES =
  /^(FLY_\w+|KILL_TIMEOUT_SECONDS|MIGRATIONS_TIMEOUT_SECONDS|LITEFS_\w+|APP_[UG]ID|AWS_\w+|HOST|MIGRATE_FROM|CHROMIUM_PATH|LECTERN_\w+|OTEL_\w+|NEXT_\w+|NODE_OPTIONS|SEED|TZ)$/;

/** Returns a finding for each invalid or missing variable. */
export function checkVariables(from: Variables): Finding[] {
  try {
    const { SITE_URL, DATA_DIR, CONTENT_SOURCE } = parseEnv(from);
    return [
      ok(`configuration: site ${SITE_URL}, data in ${DATA_DIR}, posts from ${CONTENT_SOURCE}`),
    ];
  } catch (error) {
    return (error as Error).message
      .split("\n")
      .slice(1)
      .map((line) => {
        const [name = ""] = line.trim().split(":");
        return problem(
          line.trim(),
          "The site doesn't start with it.",
          `Correct ${name} in .env, or on Fly: fly secrets set ${name}=…`,
        );
      });
  }
}

/** Names in .env that nothing reads are usually misspelled. */
export function checkEnvFile(file: string): Finding[] {
  if (!existsSync(file)) return [];
  const findings = Object.keys(parseEnvFile(readFileSync(file, "utf8")))
    .filter((name) => !(name in envSchema.shape) && !OTHER_VARIABLES.test(name))
    .map((name) =>
      note(
        `${file}: nothing reads ${name}`,
        "It has no effect. It may be misspelled.",
        `Compare it with .env.example: grep -i ${name.split("_")[0]} .env.example`,
      ),
    );
  if ((statSync(file).mode & 0o077) !== 0)
    findings.push(
      note(`${file} can be read by other users`, "It contains secrets.", `chmod 600 ${file}`),
    );
  return findings;
}

/** Returns settings that a public site needs, although the site starts without them. */
export function checkProduction({
  NODE_ENV,
  IS_SITE_URL_DEFAULT,
  SITE_URL,
  SMTP_URL,
  TRUST_PROXY,
  METRICS_TOKEN,
}: Pick<
  typeof env,
  "NODE_ENV" | "IS_SITE_URL_DEFAULT" | "SITE_URL" | "SMTP_URL" | "TRUST_PROXY" | "METRICS_TOKEN"
>): Finding[] {
  const isPublic = !IS_SITE_URL_DEFAULT && !/\/\/(localhost|127\.)/.test(SITE_URL);
  const findings: Finding[] = [];
  if (NODE_ENV === "production" && IS_SITE_URL_DEFAULT)
    findings.push(
      problem(
        "SITE_URL is not set",
        "Links in emails and feeds would point to localhost, so no one gets a working login email.",
        "fly secrets set SITE_URL=https://example.com, or add it to .env",
      ),
    );
  if (!isPublic) return findings;
  if (SITE_URL.startsWith("http:"))
    findings.push(
      problem(
        `SITE_URL is ${SITE_URL}`,
        "Without HTTPS, cookies can be read in transit, and passkeys and the recorder don't work.",
        "Put a proxy with a certificate in front, and set SITE_URL to https://…",
      ),
    );
  if (!SMTP_URL)
    findings.push(
      problem(
        "SMTP_URL is not set",
        "Login emails are only written to DATA_DIR/outbox, so no one can log in.",
        "fly secrets set SMTP_URL=smtps://user:password@host:465",
      ),
    );
  if (TRUST_PROXY === "none")
    findings.push(
      note(
        "TRUST_PROXY is not set",
        "If a proxy is in front, all visitors share one rate limit.",
        "Set TRUST_PROXY: see .env.example.",
      ),
    );
  if (!METRICS_TOKEN)
    findings.push(
      note(
        "METRICS_TOKEN is not set",
        "/metrics returns 404, so you can't monitor this site.",
        `fly secrets set METRICS_TOKEN="$(openssl rand -hex 32)"`,
      ),
    );
  return findings;
}

const SECRETS = [
  "SESSION_SECRET",
  "ACCEPTED_SESSION_SECRETS",
  "METRICS_TOKEN",
  "CONTENT_WEBHOOK_SECRET",
  "LEGACY_COOKIE_SECRET",
  "BACKUP_KEY",
] as const;
/** A random hex string of 32 characters almost surely has at least 8 different ones. */
const MIN_DISTINCT_CHARACTERS = 8;
const GUESSABLE = /change.?me|secret|password|example|lectern|123456|qwerty|test/i;

/** Returns a finding for each secret that is easy to guess. Never prints a secret. */
export function checkSecrets(from: Variables, secretFile: string): Finding[] {
  const findings = SECRETS.flatMap((name) => {
    const value = from[name];
    if (!value) return [];
    if (new Set(value).size >= MIN_DISTINCT_CHARACTERS && !GUESSABLE.test(value))
      return [ok(`${name} is set`)];
    return [
      problem(
        `${name} can be guessed`,
        name.includes("SESSION")
          ? "Someone who guesses it can forge reads and readers, and act as another instance of the site."
          : "Someone who guesses it can impersonate the service that it belongs to.",
        `Rotate it (docs/runbooks/rotate-secrets.md): openssl rand -hex 32`,
      ),
    ];
  });
  if (!from.SESSION_SECRET && existsSync(secretFile))
    findings.push(
      (statSync(secretFile).mode & 0o077) === 0
        ? ok(`${secretFile} is private`)
        : problem(
            `${secretFile} can be read by other users`,
            "Someone who reads it can forge reads and readers, and act as another instance of the site.",
            `chmod 600 ${secretFile}`,
          ),
    );
  return findings;
}

function checkOwnersFile(): Finding[] {
  try {
    checkSiteConfig();
  } catch (error) {
    return [
      problem(
        (error as Error).message,
        "The site doesn't start with it.",
        `Correct ${env.SITE_CONFIG}: docs/site-config.md lists its fields.`,
      ),
    ];
  }
  const findings = [ok(`${env.SITE_CONFIG}: ${siteConfig.name}, by ${siteConfig.author.name}`)];
  if (siteConfig.features.calls && !siteConfig.podcast.owner && !siteConfig.author.email)
    findings.push(
      note(
        `${env.SITE_CONFIG}: the podcast has no owner`,
        "Podcast directories contact the owner by email.",
        "Set podcast.owner or author.email before you submit the feed. npm run podcast:check finds the rest.",
      ),
    );
  return findings;
}

/**
 * Returns the findings for this process's environment. The last three need valid variables.
 * `variables` are those that the owner set.
 */
export function checkConfiguration(root: string, variables: Variables): Finding[] {
  const findings = checkVariables(process.env);
  if (findings.some(({ level }) => level === "problem")) return findings;
  return [
    ...findings,
    ...checkEnvFile(join(root, ".env")),
    ...checkOwnersFile(),
    ...checkProduction(env),
    ...checkSecrets(variables, join(env.DATA_DIR, "session-secret")),
  ];
}
