// Where PostgreSQL's server is on this machine: what the tests of the move, its demo and its benchmark start.

import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What is to be done where it is missing. */
export const POSTGRES_MISSING =
  "PostgreSQL's server is not here. Debian and Ubuntu: apt install postgresql; macOS: brew install postgresql.";

const DEBIAN = "/usr/lib/postgresql";

/** The folder of its programs, of the newest version; null where there are none. */
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
