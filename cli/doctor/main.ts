// Reports what is wrong with this checkout, this machine, or a running site. Changes nothing.

import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { env } from "#lib/core/env.ts";
import { exitWithUsage, parseCommandLine } from "#cli/command-line.ts";
import { checkBackup } from "./checks/backup.ts";
import { checkCluster } from "./checks/cluster.ts";
import { checkConfiguration } from "./checks/configuration.ts";
import { checkDatabase } from "./checks/database.ts";
import { checkDeployment } from "./checks/deployment.ts";
import { checkMachine } from "./checks/machine.ts";
import { checkRunningSite } from "./checks/running-site.ts";
import { checkFfmpeg, checkPublicClock, checkSmtp } from "./checks/services.ts";
import { checkVersions } from "./checks/versions.ts";
import type { Check } from "./finding.ts";
import { formatFindings, runChecks } from "./run-checks.ts";

const USAGE = `npm run doctor [-- --json | --url SITE]

Checks this checkout or machine, and fixes nothing itself.

  --json      prints the findings as JSON
  --url SITE  checks the running site at SITE instead, such as https://example.com

Exit code: 0 if there is no problem, 1 if there is one, 2 for a wrong option.`;

const { flags } = parseCommandLine(USAGE, {
  json: { type: "boolean" },
  url: { type: "string" },
});

const variables = { ...process.env };
// Reading the variables would create the session secret.
const secretFile = join(process.env.DATA_DIR || ".data", "session-secret");
if (!process.env.SESSION_SECRET && !existsSync(secretFile))
  process.env.SESSION_SECRET = randomBytes(32).toString("hex");

const rootDir = join(import.meta.dirname, "..", "..");

function parseSite(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    exitWithUsage(`--url: "${text}" is not a URL such as https://example.com`, USAGE);
  return url.origin;
}

/** These checks run even if variables are invalid. */
const LOCAL_CHECKS: readonly Check[] = [
  { name: "versions", run: () => checkVersions(rootDir) },
  { name: "configuration", run: () => checkConfiguration(rootDir, variables) },
  { name: "deployment", run: () => checkDeployment(rootDir) },
];

const CHECKS: readonly Check[] = [
  ...LOCAL_CHECKS,
  {
    name: "machine",
    run: () =>
      checkMachine({
        folders: [env.DATA_DIR, ...(env.LITEFS_DATA_DIR ? [env.LITEFS_DATA_DIR] : [])],
        databaseBytes: statSync(env.DATABASE_FILE, { throwIfNoEntry: false })?.size ?? 0,
      }),
  },
  { name: "clock", run: checkPublicClock },
  { name: "database", run: () => checkDatabase(env.DATABASE_FILE, rootDir) },
  { name: "cluster", run: checkCluster },
  { name: "mail", run: checkSmtp },
  { name: "audio", run: checkFfmpeg },
  { name: "backup", run: checkBackup },
  {
    name: "developer tools",
    async run() {
      // The image contains neither tests nor the local cluster.
      if (existsSync(join(rootDir, "IMAGE"))) return [];
      const { checkDeveloperTools } = await import("./checks/developer-tools.ts");
      return checkDeveloperTools();
    },
  },
];

function hasValidVariables(): boolean {
  try {
    return Boolean(env.DATA_DIR);
  } catch {
    return false;
  }
}

function listChecks(): readonly Check[] {
  if (flags.url !== undefined) {
    const site = parseSite(flags.url);
    return [{ name: "running site", run: () => checkRunningSite(site) }];
  }
  return hasValidVariables() ? CHECKS : LOCAL_CHECKS;
}

const findings = await runChecks(listChecks());
console.log(flags.json ? JSON.stringify(findings, null, 2) : formatFindings(findings));
process.exit(findings.some(({ level }) => level === "problem") ? 1 : 0);
