// Parses flags, prints usage, and checks the database for the commands in cli/.

import { existsSync, readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { env } from "#lib/core/env.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { readAppliedMigrations } from "#lib/db/migrations.ts";
import {
  findPrimaryInstance,
  waitForKnownRole,
  startWatchingLitefs,
} from "#lib/replication/role.ts";

/**
 * Returns the flags and the positional arguments. Prints `usage` and exits with code 0 for --help,
 * or with code 2 for unknown options, unexpected arguments, or options that npm took.
 */
export function parseCommandLine<Options extends NonNullable<ParseArgsConfig["options"]>>(
  usage: string,
  options: Options,
  { words = false }: { words?: boolean } = {},
) {
  const takenOption = Object.keys(options).find(
    (name) => process.env[`npm_config_${name.replaceAll("-", "_")}`] !== undefined,
  );
  // The command would run without it, and an import with --dry-run would write.
  if (takenOption)
    exitWithUsage(
      `npm took --${takenOption} as its own option. Put -- before it: -- --${takenOption}`,
      usage,
    );
  try {
    const { values, positionals } = parseArgs({
      options: { ...options, help: { type: "boolean", short: "h" } } as Options & {
        help: { type: "boolean" };
      },
      allowPositionals: words,
    });
    if ((values as { help?: boolean }).help) {
      console.log(usage);
      process.exit(0);
    }
    return { flags: values, words: positionals };
  } catch (error) {
    return exitWithUsage((error as Error).message, usage);
  }
}

/** Prints the usage and the problem, and exits with code 2. */
export function exitWithUsage(problem: string, usage: string): never {
  // Print the problem last, where the user looks first.
  console.error(`${usage}\n\n${problem}`);
  process.exit(2);
}

/** Exits with code 2 unless the site's database exists and has tables. Never creates it. */
export function exitUnlessDatabase(): void {
  const file = env.DATABASE_FILE;
  const refuse = (reason: string): never => {
    console.error(`${file} ${reason}`);
    process.exit(2);
  };
  if (!existsSync(file)) refuse("does not exist. npm start creates it.");
  try {
    const db = new Database(file, { readonly: true });
    const isEmpty = readAppliedMigrations(db).length === 0;
    db.close();
    if (isEmpty) refuse("has no tables. npm start creates them.");
  } catch (error) {
    refuse(
      `can't be read (${(error as Error).message}). Set DATABASE_FILE to the site's database; npm start creates it if it is missing.`,
    );
  }
}

/** LiteFS responds in milliseconds; a handover takes less than this. */
const ROLE_TIMEOUT_MS = 3_000;

/**
 * Exits with code 1 if this machine can't write, because it is a replica or no primary is known. In
 * a cluster, call stopWatchingLitefs() afterwards to let the process exit.
 */
export async function exitUnlessPrimary(): Promise<void> {
  const refuse = (reason: string): never => {
    console.error(reason);
    process.exit(1);
  };
  if (isReplicated()) {
    startWatchingLitefs();
    const role = await waitForKnownRole(ROLE_TIMEOUT_MS);
    if (role === "replica")
      refuse(`This is a replica. Run it on ${findPrimaryInstance() ?? "the primary"}.`);
    if (role === "unknown")
      refuse(`No primary is known at ${env.LITEFS_URL}. Try again in a few seconds.`);
    return;
  }
  // REPLICATION is off, but the file is on a replica's LiteFS mount: a write would fail with an I/O
  // error.
  const primaryFile = join(dirname(env.DATABASE_FILE), ".primary");
  if (existsSync(primaryFile))
    refuse(
      `${env.DATABASE_FILE} is a replica's copy. Use the file of ${readFileSync(primaryFile, "utf8").trim()}.`,
    );
}
