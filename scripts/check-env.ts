// Says everything that is wrong with the configuration, in one message, before anything else is tried.

import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { env } from "#lib/core/env.ts";

try {
  const problems: string[] = [];
  if (env.CONTENT_SOURCE === "disk" && !existsSync(join(env.CONTENT_DIR, "blog")))
    problems.push(
      `CONTENT_DIR: there is no folder ${join(env.CONTENT_DIR, "blog")} to read posts from`,
    );
  try {
    mkdirSync(env.DATA_DIR, { recursive: true });
    accessSync(env.DATA_DIR, constants.W_OK);
  } catch (error) {
    problems.push(
      `DATA_DIR: ${env.DATA_DIR} can't be written to (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  if (problems.length > 0)
    throw new Error(
      `The environment is not right. See .env.example.\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
