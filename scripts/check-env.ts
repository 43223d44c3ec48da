// Reports all configuration mistakes together, before anything else runs.

import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { createFolder } from "#lib/core/create-folder.ts";
import { env } from "#lib/core/env.ts";
import { checkSiteConfig } from "#lib/core/site-config.ts";

try {
  checkSiteConfig();
  const problems: string[] = [];
  if (env.CONTENT_SOURCE === "disk" && !existsSync(join(env.CONTENT_DIR, "blog")))
    problems.push(`CONTENT_DIR: the folder ${join(env.CONTENT_DIR, "blog")} doesn't exist`);
  try {
    createFolder(env.DATA_DIR);
    accessSync(env.DATA_DIR, constants.W_OK);
  } catch (error) {
    problems.push(
      `DATA_DIR: ${env.DATA_DIR} isn't writable (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  if (problems.length > 0)
    throw new Error(
      `The configuration is invalid. See .env.example.\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
