// Finds and kills all processes of a session, even if their parents have exited. Linux only,
// because it reads /proc.

import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { waitUntil } from "./wait-until.ts";

/** Returns the PIDs in the session of `leader` (spawned with `detached`), excluding zombies. */
export function listSessionProcesses(leader: number): number[] {
  return listProcessIds().filter((pid) => {
    const status = readStatus(pid);
    return status?.session === leader && status.state !== "Z";
  });
}

/** Sends `signal` to every process of the session. */
export function signalSession(leader: number, signal: NodeJS.Signals): void {
  for (const pid of listSessionProcesses(leader)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/**
 * Sends SIGKILL until no process of the session is left. Throws after ten seconds and names the
 * remaining ones.
 */
export async function killSession(leader: number): Promise<void> {
  await waitUntil(
    `The processes of session ${leader} exit`,
    10_000,
    () => {
      signalSession(leader, "SIGKILL");
      return listSessionProcesses(leader).map(describeProcess);
    },
    (processes) => processes.length === 0,
  );
}

/** Returns true if a process of the session was started with the variable `name`=`value`. */
export function isSessionMarked(leader: number, name: string, value: string): boolean {
  const marked = new Set(findMarkedProcesses(name, value));
  return listSessionProcesses(leader).some((pid) => marked.has(pid));
}

/**
 * Returns the PIDs of processes started with the variable `name`=`value`, as far as their
 * environment is readable.
 */
export function findMarkedProcesses(name: string, value: string): number[] {
  return listProcessIds().filter((pid) =>
    readFileOrNull(`/proc/${pid}/environ`)?.split("\0").includes(`${name}=${value}`),
  );
}

/**
 * Returns when the process started, in clock ticks since boot; null if it has exited. Together with
 * the PID, this identifies a process.
 */
export function readStartTime(pid: number): string | null {
  return readStatus(pid)?.start ?? null;
}

/**
 * Returns the owner of the session that holds the other end of an IPv4 connection accepted at
 * `local` from `remote`, or null. Loopback addresses do not identify a program, so the socket's
 * inode is searched in /proc.
 */
export function findConnectionOwner<Owner>(
  sessions: ReadonlyMap<Owner, number>,
  local: { address: string; port: number },
  remote: { address: string; port: number },
): Owner | null {
  const [remoteHex, localHex] = [toProcNetHex(remote), toProcNetHex(local)];
  const line = readFileOrNull("/proc/net/tcp")
    ?.split("\n")
    .map((text) => text.trim().split(/\s+/))
    .find((fields) => fields[1] === remoteHex && fields[2] === localHex);
  if (!line) return null;
  const socket = `socket:[${line[9]}]`;
  const ownerOf = new Map([...sessions].map(([owner, leader]) => [leader, owner]));
  for (const pid of listProcessIds()) {
    const status = readStatus(pid);
    const owner = status && ownerOf.get(status.session);
    if (owner != null && hasOpenSocket(pid, socket)) return owner;
  }
  return null;
}

function hasOpenSocket(pid: number, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === socket;
      } catch {
        return false; // closed in the meantime
      }
    });
  } catch {
    return false; // exited in the meantime
  }
}

/** Formats an address like /proc/net/tcp: little-endian address and port, in hex. */
function toProcNetHex({ address, port }: { address: string; port: number }): string {
  const bytes = address
    .replace(/^::ffff:/, "")
    .split(".")
    .map(Number)
    .reverse();
  return `${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
}

const listProcessIds = () =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function readStatus(pid: number): { state: string; session: number; start: string } | null {
  // proc(5): the name may contain spaces and parentheses; state, session and start are the 3rd, 6th
  // and 22nd field.
  const fields = readFileOrNull(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields?.[19] ? { state: fields[0]!, session: Number(fields[3]), start: fields[19] } : null;
}

const describeProcess = (pid: number) =>
  `${pid} ${readStatus(pid)?.state ?? ""} ${(readFileOrNull(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, 3).join(" ")}`;

/** Returns the command line of a process, its arguments separated by spaces; empty if it has exited. */
export const readCommandLine = (pid: number): string =>
  (readFileOrNull(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ");

function readFileOrNull(file: string): string | null {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return null; // exited in the meantime, or another user's
  }
}

/** Returns the environment that a process was started with. */
export function readProcessEnvironment(pid: number): NodeJS.ProcessEnv {
  const text = readFileSync(`/proc/${pid}/environ`, "utf8");
  return Object.fromEntries(
    text
      .split("\0")
      .flatMap((pair) =>
        pair.includes("=")
          ? [[pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]]
          : [],
      ),
  ) as NodeJS.ProcessEnv;
}
