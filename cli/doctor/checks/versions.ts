// Checks the versions of Node, npm, LiteFS, and of every SQLite that may write to the database.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type Finding, note, ok, problem } from "../finding.ts";

/** The tests run litefs.yml, the lease and the supervisor with this version. */
const LITEFS_VERSION = "0.5.14";
const COMMAND_TIMEOUT_MS = 5_000;

/** Compares `version` with the one that the repository asks for, such as "24.21.0". */
export function checkNode(version: string, wanted: string): Finding[] {
  const what = `Node ${version} (${process.execPath})`;
  if (Number(version.split(".")[0]) < Number(wanted.split(".")[0]))
    return [
      problem(
        what,
        `Lectern runs TypeScript without a build step, which needs Node ${wanted}.`,
        `nvm install ${wanted}`,
      ),
    ];
  return [ok(what)];
}

/** The version of the first SQLite without the WAL-reset bug (https://sqlite.org/wal.html). */
const MIN_SQLITE_VERSION = "3.51.3";

/** `writes` says whether the site itself writes with this copy. */
export function checkSqlite(name: string, version: string, writes: boolean): Finding[] {
  const what = `SQLite ${version} in ${name}`;
  if (version.localeCompare(MIN_SQLITE_VERSION, "en", { numeric: true }) >= 0) return [ok(what)];
  const why = `SQLite before ${MIN_SQLITE_VERSION} can corrupt a database in WAL mode if two connections write and checkpoint.`;
  return [
    writes
      ? problem(what, why, "npm ci")
      : note(what, why, `Don't open the site's database with it; use npm run studio.`),
  ];
}

export function checkLitefs(output: string | null): Finding[] {
  if (output === null) return [];
  const version = /v?(\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (version === undefined)
    return [
      note(
        `LiteFS: ${output.trim()}`,
        `It doesn't report its version. The tested version is ${LITEFS_VERSION}.`,
        `Use the release: https://github.com/superfly/litefs/releases/tag/v${LITEFS_VERSION}`,
      ),
    ];
  if (version === LITEFS_VERSION) return [ok(`LiteFS ${version}`)];
  return [
    problem(
      `LiteFS ${version}`,
      `Nodes with different versions can't replicate to each other. The tested version is ${LITEFS_VERSION}.`,
      `Set LITEFS_VERSION=${LITEFS_VERSION} in the Dockerfile, and run fly deploy.`,
    ),
  ];
}

/** Returns the command's output, or null if it is not installed. */
function runCommand(command: string, args: readonly string[]): string | null {
  const { stdout, status } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: COMMAND_TIMEOUT_MS,
  });
  return status === 0 ? stdout : null;
}

function readSqliteVersions(): Finding[] {
  const memory = new Database(":memory:");
  const version = memory.prepare("SELECT sqlite_version()").pluck().get() as string;
  memory.close();
  const findings = checkSqlite("better-sqlite3", version, true);
  const adapter = createRequire(import.meta.resolve("@prisma/adapter-better-sqlite3"));
  const own = createRequire(import.meta.url);
  if (adapter.resolve("better-sqlite3") !== own.resolve("better-sqlite3"))
    findings.push(
      problem(
        "Prisma has its own copy of better-sqlite3",
        "Two copies of SQLite in one process don't see each other's file locks, which can corrupt the database.",
        "npm dedupe better-sqlite3",
      ),
    );
  for (const program of ["sqlite3", "litestream"]) {
    const output = runCommand(program, [program === "sqlite3" ? "--version" : "version"]);
    const found = program === "sqlite3" ? /^(\d+\.\d+\.\d+)/.exec(output ?? "")?.[1] : undefined;
    if (found) findings.push(...checkSqlite(`the program ${program}`, found, false));
  }
  return findings;
}

/** Returns the findings for this machine. `root` is the checkout or the image. */
export function checkVersions(root: string): Finding[] {
  const nvmrc = join(root, ".nvmrc");
  const wanted = existsSync(nvmrc) ? readFileSync(nvmrc, "utf8").trim().replace(/^v/, "") : "22";
  const npm = existsSync(join(root, "IMAGE")) ? null : runCommand("npm", ["--version"]);
  return [
    ...checkNode(process.versions.node, wanted),
    ...(npm ? [ok(`npm ${npm.trim()}`)] : []),
    ...readSqliteVersions(),
    ...checkLitefs(runCommand(process.env.LITEFS_PROGRAM ?? "litefs", ["version"])),
  ];
}
