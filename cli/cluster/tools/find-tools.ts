// Finds the programs for a cluster, LiteFS and Consul, and the object store of the backup's tests:
// built once from their Go modules, or on PATH.

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

const execFileAsync = promisify(execFile);

export interface ClusterTools {
  litefs: string;
  consul: string;
}

const BIN_DIR = join(import.meta.dirname, "..", "..", "..", ".tools", "bin");
const PACKAGES = {
  litefs: "github.com/superfly/litefs/cmd/litefs",
  consul: "github.com/hashicorp/consul",
  gofakes3: "github.com/johannesboyne/gofakes3/cmd/gofakes3",
} as const;
type ToolName = keyof typeof PACKAGES;

/** Ten times as long as Consul takes to build on two cores. */
const BUILD_TIMEOUT_MS = 30 * 60_000;

/**
 * Returns what this machine lacks for a cluster, one sentence each with its fix; empty if nothing
 * is missing. Installs and builds nothing.
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
        ? "This user can't open /dev/fuse. Run as root, or grant access to it."
        : "/dev/fuse does not exist. Load the kernel module (modprobe fuse); in a container pass --device /dev/fuse --cap-add SYS_ADMIN.",
    );
  }
  if (!findOnPath("fusermount3"))
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
      "FUSE does not let this user share a mount. Add the line user_allow_other to /etc/fuse.conf, or run as root.",
    );
  }
  if ((["litefs", "consul"] as const).some((name) => !findTool(name)) && !findOnPath("go")) {
    missing.push(
      "Neither litefs and consul nor Go to build them are installed. Install Go 1.24 or newer (https://go.dev/dl; Debian 13 and later: apt install golang-go), or put both programs on PATH.",
    );
  }
  return missing;
}

/**
 * Returns the paths of the programs, built if needed (a few minutes, once; each build prints one
 * line). Throws one Error that lists everything missing, with the fixes.
 */
export async function findTools(): Promise<ClusterTools> {
  const missing = findMissing();
  if (missing.length > 0)
    throw new Error(`A cluster can't run here:\n${missing.map((line) => `  ${line}`).join("\n")}`);
  return {
    litefs: findTool("litefs") ?? (await buildTool("litefs")),
    consul: findTool("consul") ?? (await buildTool("consul")),
  };
}

/**
 * Returns the path of gofakes3, an S3-compatible object store, built if needed (seconds, once); null
 * without it and without Go.
 */
export async function findObjectStore(): Promise<string | null> {
  return findTool("gofakes3") ?? (findOnPath("go") ? buildTool("gofakes3") : null);
}

function findOnPath(name: string): string | undefined {
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

const moduleDir = (name: ToolName) => join(import.meta.dirname, name);
const hashModule = (name: ToolName) =>
  createHash("sha256")
    .update(readFileSync(join(moduleDir(name), "go.mod")))
    .update(readFileSync(join(moduleDir(name), "go.sum")))
    .digest("hex");

function findTool(name: ToolName): string | undefined {
  const built = resolve(BIN_DIR, name);
  if (
    existsSync(built) &&
    existsSync(`${built}.stamp`) &&
    readFileSync(`${built}.stamp`, "utf8") === hashModule(name)
  )
    return built;
  return findOnPath(name);
}

async function buildTool(name: ToolName): Promise<string> {
  console.log(`· building ${name} from its Go module (once)`);
  mkdirSync(BIN_DIR, { recursive: true });
  const file = resolve(BIN_DIR, name);
  const partialFile = `${file}.${process.pid}`;
  try {
    // LiteFS needs cgo, because it links SQLite. go.sum pins the downloads.
    await execFileAsync(
      "go",
      ["build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", partialFile, PACKAGES[name]],
      {
        cwd: moduleDir(name),
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
  renameSync(partialFile, file);
  writeFileSync(`${file}.stamp`, hashModule(name));
  return file;
}
