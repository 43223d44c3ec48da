// What the commands have in common: flags, usage, and that there is a database.

import { existsSync, readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { dirname, join } from "node:path";
import { env } from "#lib/core/env.ts";
import { isReplicated } from "#lib/core/instance.ts";
import {
  findPrimaryInstance,
  waitForKnownRole,
  startWatchingLitefs,
} from "#lib/replication/role.ts";

/**
 * The flags and words after the command's name. Prints `usage` and ends the process for --help (code 0), and for
 * what `options` doesn't know or words where `words` says that there are none (code 2).
 */
export function parseCommandLine<Options extends NonNullable<ParseArgsConfig["options"]>>(
  usage: string,
  options: Options,
  { words = false }: { words?: boolean } = {},
) {
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

/** Says what is wrong and how it is right, and ends the process with code 2. */
export function exitWithUsage(problem: string, usage: string): never {
  // Last, where one looks.
  console.error(`${usage}\n\n${problem}`);
  process.exit(2);
}

/** Ends the process with code 2 where there is no database yet: opening it would make an empty one. */
export function exitUnlessDatabase(): void {
  if (existsSync(env.DATABASE_FILE)) return;
  console.error(`${env.DATABASE_FILE} is not there. npm start makes it.`);
  process.exit(2);
}

/** LiteFS answers in milliseconds; a hand-over takes less than this. */
const ROLE_TIMEOUT_MS = 3_000;

/**
 * Ends the process with code 1 where this machine may not write: on a replica, and where no primary is known. Elsewhere it returns,
 * in a cluster with LiteFS being followed (stopLitefs() ends that).
 */
export async function exitUnlessPrimary(): Promise<void> {
  const refuse = (why: string): never => {
    console.error(why);
    process.exit(1);
  };
  if (isReplicated()) {
    startWatchingLitefs();
    const role = await waitForKnownRole(ROLE_TIMEOUT_MS);
    if (role === "replica")
      refuse(`This is a replica. Run it on ${findPrimaryInstance() ?? "the primary"}.`);
    if (role === "unknown")
      refuse(`No primary is known at ${env.LITEFS_URL}. Try again in some seconds.`);
    return;
  }
  // A file within a mount of LiteFS that this process was not told of: a write would fail as a broken disk does.
  const other = join(dirname(env.DATABASE_FILE), ".primary");
  if (existsSync(other))
    refuse(
      `${env.DATABASE_FILE} is a replica's copy. Use the file of ${readFileSync(other, "utf8").trim()}.`,
    );
}
