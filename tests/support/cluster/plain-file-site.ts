// Starts the image without LiteFS, on a plain database file.

import { join } from "node:path";
import { findFreePort } from "#tests/support/free-port.ts";
import { type Environment, type Program, startProgram } from "#cli/cluster/program.ts";
import { seedCache } from "#tests/support/shared-cache.ts";
import type { Workspace } from "#cli/cluster/workspace.ts";

export interface PlainFileSite {
  readonly url: string;
  /** The file with the site's output. */
  readonly log: string;
  readonly program: Program;
}

/**
 * Starts the image in `imageDir` with its data in `folder`, without waiting until it is ready. Ends
 * with `workspace`, or by program.stop().
 */
export async function startPlainFileSite({
  imageDir,
  folder,
  workspace,
  env = {},
}: {
  imageDir: string;
  folder: string;
  workspace: Workspace;
  env?: Environment;
}): Promise<PlainFileSite> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const log = join(folder, "log");
  seedCache(folder);
  const program = startProgram({
    command: process.execPath,
    args: ["server/supervisor/main.ts"],
    cwd: imageDir,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      REPLICATION: "off",
      DATA_DIR: folder,
      HOST: "127.0.0.1",
      PORT: String(port),
      SITE_URL: url,
      ...env,
    },
    logFile: log,
    workspace,
  });
  return { url, log, program };
}
