// The programs that a move is compared with: where they are, and how they are got.

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
  /** The program of bench/migrate/baseline-sqlite.c, with the SQLite that better-sqlite3 has. */
  readonly cBaseline: string;
  /** null where it could not be installed. */
  readonly dbToSqlite: string | null;
  /** What is not there, and why. */
  readonly missing: readonly string[];
}

const canRun = (command: string, ...args: string[]) =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0;

/** What must be there, by the command that shows it, with its package in Debian and in Homebrew. */
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

/** Finds them all, installs what can be installed (Debian's as root), and ends this process with a text where one is missing that must be there. */
export function requirePrograms(bin: string): BaselinePrograms {
  const absent = () => REQUIRED_PROGRAMS.filter(({ is }) => !is());
  if (absent().length > 0 && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.log(
      `· installing ${absent()
        .map(({ name }) => name)
        .join(", ")} from the system's packages`,
    );
    spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
    spawnSync(
      "apt-get",
      ["install", "-y", "-qq", ...absent().flatMap(({ debian }) => debian.split(" "))],
      { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } },
    );
  }
  const psql = existsSync(join(bin, "psql")) ? join(bin, "psql") : "psql";
  const lines = absent().map(
    ({ name, debian, brew }) =>
      `${name} is not here. Debian: apt install ${debian}; macOS: ${brew ? `brew install ${brew}` : "xcode-select --install"}.`,
  );
  if (!canRun(psql, "--version"))
    lines.push(
      "psql is not here. Debian: apt install postgresql-client; macOS: brew install libpq.",
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
  console.log("· getting db-to-sqlite from PyPI");
  const isThere =
    canRun("python3", "-m", "venv", venv) &&
    canRun(join(venv, "bin", "pip"), "install", "-q", "db-to-sqlite", "psycopg2-binary") &&
    canRun(program, "--version");
  if (!isThere) rmSync(venv, { recursive: true, force: true });
  return isThere ? program : null;
}

/** Compiles it once for every change of it or of SQLite. */
function compileCBaseline(): string {
  const hash = createHash("sha256");
  for (const file of [C_BASELINE_SOURCE, SQLITE_DEFINES_FILE, join(SQLITE_SOURCE_DIR, "sqlite3.h")])
    hash.update(readFileSync(file));
  const program = join(TOOLS_DIR, `load-limit-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(program)) return program;
  console.log("· compiling SQLite for the limit");
  mkdirSync(TOOLS_DIR, { recursive: true });
  // The same SQLite as ours, to the option.
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
  if (status !== 0) throw new Error(`The limit could not be compiled: ${stderr.slice(-1_000)}`);
  renameSync(`${program}.new`, program);
  return program;
}
