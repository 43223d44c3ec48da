// What the commands have in common: flags, usage, and that there is a database.

import { existsSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { env } from "#lib/base/env.ts";

/**
 * The flags and words after the command's name. Prints `usage` and ends the process for --help (code 0), and for
 * what `options` doesn't know or words where `words` says that there are none (code 2).
 */
export function readCommandLine<Options extends NonNullable<ParseArgsConfig["options"]>>(usage: string, options: Options, { words = false }: { words?: boolean } = {}) {
  try {
    const { values, positionals } = parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } } as Options & { help: { type: "boolean" } }, allowPositionals: words });
    if ((values as { help?: boolean }).help) {
      console.log(usage);
      process.exit(0);
    }
    return { flags: values, words: positionals };
  } catch (error) {
    return wrongUse((error as Error).message, usage);
  }
}

/** Says what is wrong and how it is right, and ends the process with code 2. */
export function wrongUse(problem: string, usage: string): never {
  console.error(`${problem}\n\n${usage}`);
  process.exit(2);
}

/** Ends the process with code 2 where there is no database yet: opening it would make an empty one. */
export function requireDatabase(): void {
  if (existsSync(env.DATABASE_FILE)) return;
  console.error(`${env.DATABASE_FILE} is not there. npm start makes it.`);
  process.exit(2);
}
