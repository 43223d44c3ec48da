// Finds, installs or compiles the programs that a migration is compared with.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const TOOLS_DIR = ".tools";
const SQLITE_SOURCE_DIR = join("node_modules", "better-sqlite3", "deps", "sqlite3");
const SQLITE_DEFINES_FILE = join("node_modules", "better-sqlite3", "deps", "defines.gypi");
const C_BASELINE_SOURCE = join("bench", "migrate", "baseline-sqlite.c");

export interface BaselinePrograms {
  readonly sqlite3: string;
  readonly psql: string;
  /** Compiled from bench/migrate/baseline-sqlite.c with better-sqlite3's SQLite. */
  readonly cBaseline: string;
  /** Null if it could not be installed. */
  readonly dbToSqlite: string | null;
  /** Messages about missing programs. */
  readonly missing: readonly string[];
}

const canRun = (command: string, ...args: string[]) =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0;

/** Required programs, with their Debian and Homebrew packages. */
const REQUIRED_PROGRAMS = [
  { name: "sqlite3", is: () => canRun("sqlite3", "--version"), debian: "sqlite3", brew: "sqlite" },
  { name: "cc", is: () => canRun("cc", "--version"), debian: "gcc libc6-dev", brew: "" },
  {
    name: "python3 with venv",
    is: () => canRun("python3", "-c", "import venv, ensurepip"),
    debian: "python3 python3-venv",
    brew: "python",
  },
];

/**
 * Finds all programs and installs missing ones (on Debian as root). Exits with a message if a
 * required one is missing.
 */
export function requirePrograms(bin: string): BaselinePrograms {
  const listMissing = () => REQUIRED_PROGRAMS.filter(({ is }) => !is());
  if (listMissing().length > 0 && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.log(
      `· installing ${listMissing()
        .map(({ name }) => name)
        .join(", ")} with apt-get`,
    );
    spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
    spawnSync(
      "apt-get",
      ["install", "-y", "-qq", ...listMissing().flatMap(({ debian }) => debian.split(" "))],
      { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } },
    );
  }
  const psql = existsSync(join(bin, "psql")) ? join(bin, "psql") : "psql";
  const lines = listMissing().map(
    ({ name, debian, brew }) =>
      `${name} is missing. Debian: apt install ${debian}; macOS: ${brew ? `brew install ${brew}` : "xcode-select --install"}.`,
  );
  if (!canRun(psql, "--version"))
    lines.push(
      "psql is missing. Debian: apt install postgresql-client; macOS: brew install libpq.",
    );
  if (lines.length > 0) {
    console.error(lines.join("\n"));
    process.exit(2);
  }
  const dbToSqlite = findDbToSqlite();
  return {
    sqlite3: "sqlite3",
    psql,
    cBaseline: compileCBaseline(),
    dbToSqlite,
    missing: dbToSqlite
      ? []
      : ["db-to-sqlite could not be installed from PyPI: its line is left out."],
  };
}

function findDbToSqlite(): string | null {
  const venv = join(TOOLS_DIR, "db-to-sqlite");
  const program = join(venv, "bin", "db-to-sqlite");
  if (existsSync(program)) return program;
  console.log("· installing db-to-sqlite from PyPI");
  const isInstalled =
    canRun("python3", "-m", "venv", venv) &&
    canRun(join(venv, "bin", "pip"), "install", "-q", "db-to-sqlite", "psycopg2-binary") &&
    canRun(program, "--version");
  if (!isInstalled) rmSync(venv, { recursive: true, force: true });
  return isInstalled ? program : null;
}

/** Compiles the program, unless neither it nor SQLite has changed. */
function compileCBaseline(): string {
  const hash = createHash("sha256");
  for (const file of [C_BASELINE_SOURCE, SQLITE_DEFINES_FILE, join(SQLITE_SOURCE_DIR, "sqlite3.h")])
    hash.update(readFileSync(file));
  const program = join(TOOLS_DIR, `baseline-sqlite-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(program)) return program;
  console.log("· compiling the C baseline with SQLite");
  mkdirSync(TOOLS_DIR, { recursive: true });
  // The same compile-time options as better-sqlite3.
  const defines = [
    ...readFileSync(SQLITE_DEFINES_FILE, "utf8").matchAll(/'((?:HAVE|SQLITE)_\w+(?:=[-\w]+)?)'/g),
  ].map(([, define]) => `-D${define}`);
  const { status, stderr } = spawnSync(
    "cc",
    [
      "-O2",
      "-w",
      ...defines,
      `-I${SQLITE_SOURCE_DIR}`,
      "-o",
      `${program}.new`,
      C_BASELINE_SOURCE,
      join(SQLITE_SOURCE_DIR, "sqlite3.c"),
      "-lm",
      "-lpthread",
      ...(process.platform === "linux" ? ["-ldl"] : []),
    ],
    { encoding: "utf8" },
  );
  if (status !== 0)
    throw new Error(`The C baseline could not be compiled: ${stderr.slice(-1_000)}`);
  renameSync(`${program}.new`, program);
  return program;
}
