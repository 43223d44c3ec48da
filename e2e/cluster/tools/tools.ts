// Finds the programs that a cluster is made of: LiteFS and Consul from PATH, else built once from their Go modules.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface Tools {
  litefs: string;
  consul: string;
}

const FOLDER = join(import.meta.dirname, "..", "..", "..", ".tools", "bin");
const PACKAGES = {
  litefs: "github.com/superfly/litefs/cmd/litefs",
  consul: "github.com/hashicorp/consul",
} as const;
type Name = keyof typeof PACKAGES;

/** Consul takes about three minutes on two cores; a machine that is ten times slower is not one to wait for. */
const BUILD_TIMEOUT_MS = 30 * 60_000;

/**
 * What this machine lacks for a cluster, one sentence each with what would mend it; empty where nothing is missing.
 * Looks only: installs and builds nothing.
 */
export function findMissing(): string[] {
  const missing: string[] = [];
  if (process.platform !== "linux")
    return [
      `A cluster needs Linux with FUSE; this is ${process.platform}. Run it in a Linux machine or container.`,
    ];
  try {
    accessSync("/dev/fuse", constants.R_OK | constants.W_OK);
  } catch {
    missing.push(
      existsSync("/dev/fuse")
        ? "/dev/fuse is not open to this user. Run as root, or give the user access to it."
        : "/dev/fuse is not there. Load the kernel's module (modprobe fuse); in a container pass --device /dev/fuse --cap-add SYS_ADMIN.",
    );
  }
  if (!onPath("fusermount3"))
    missing.push(
      "fusermount3 is not installed. Debian and Ubuntu: apt install fuse3. Fedora: dnf install fuse3.",
    );
  if (
    process.getuid?.() !== 0 &&
    !/^\s*user_allow_other\b/m.test(
      existsSync("/etc/fuse.conf") ? readFileSync("/etc/fuse.conf", "utf8") : "",
    )
  ) {
    missing.push(
      "FUSE does not let this user share a mount. Write a line user_allow_other into /etc/fuse.conf, or run as root.",
    );
  }
  if ((["litefs", "consul"] as const).some((name) => !find(name)) && !onPath("go")) {
    missing.push(
      "Neither litefs and consul nor Go to build them are installed. Install Go 1.24 or newer (https://go.dev/dl; Debian 13 and later: apt install golang-go), or put both programs on PATH.",
    );
  }
  return missing;
}

/**
 * The programs, built if need be (some minutes, once; each build prints one line). Throws one error that names everything
 * that is missing and what would mend it.
 */
export async function findTools(): Promise<Tools> {
  const missing = findMissing();
  if (missing.length > 0)
    throw new Error(`A cluster can't run here:\n${missing.map((line) => `  ${line}`).join("\n")}`);
  return {
    litefs: find("litefs") ?? (await build("litefs")),
    consul: find("consul") ?? (await build("consul")),
  };
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const moduleOf = (name: Name) => join(import.meta.dirname, name);
const stampOf = (name: Name) =>
  createHash("sha256")
    .update(readFileSync(join(moduleOf(name), "go.mod")))
    .update(readFileSync(join(moduleOf(name), "go.sum")))
    .digest("hex");

function find(name: Name): string | undefined {
  const own = resolve(FOLDER, name);
  if (
    existsSync(own) &&
    existsSync(`${own}.stamp`) &&
    readFileSync(`${own}.stamp`, "utf8") === stampOf(name)
  )
    return own;
  return onPath(name);
}

async function build(name: Name): Promise<string> {
  console.log(`· building ${name} from its Go module (once)`);
  mkdirSync(FOLDER, { recursive: true });
  const file = resolve(FOLDER, name);
  const half = `${file}.${process.pid}`;
  try {
    // LiteFS is cgo (it checks with SQLite itself); go.sum holds what may be downloaded.
    await execute(
      "go",
      ["build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", half, PACKAGES[name]],
      {
        cwd: moduleOf(name),
        env: { ...process.env, CGO_ENABLED: name === "litefs" ? "1" : "0", GOFLAGS: "" },
        timeout: BUILD_TIMEOUT_MS,
        maxBuffer: 16 * 1024 * 1024,
      },
    );
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    throw new Error(
      `${name} could not be built with Go (1.24 or newer${name === "litefs" ? " and a C compiler" : ""} are needed):\n${stderr.trim().slice(-2_000) || message}`,
      { cause: error },
    );
  }
  renameSync(half, file);
  writeFileSync(`${file}.stamp`, stampOf(name));
  return file;
}
