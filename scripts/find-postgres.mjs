// Finds PostgreSQL's server programs, which the migration's tests, demo and benchmark start.

import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** An error message that says how to install it. */
export const POSTGRES_MISSING =
  "PostgreSQL's server is missing. Debian and Ubuntu: sudo apt install postgresql; macOS: brew install postgresql.";

const DEBIAN = "/usr/lib/postgresql";

/** Returns the folder of the newest version's programs, or null. */
export function findPostgres() {
  const versions = existsSync(DEBIAN)
    ? readdirSync(DEBIAN)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(DEBIAN, version, "bin"))
    : [];
  const folders = [...versions, ...(process.env.PATH ?? "").split(delimiter).filter(Boolean)];
  return (
    folders.find(
      (folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")),
    ) ?? null
  );
}
