// Process trees that die as a machine does: everything that a started program started, found by its session, also when
// the parents are gone. Reads /proc, so Linux only (as FUSE is).

import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { waitUntil } from "./wait-until.ts";

/** The processes of the session that `leader` began (spawned with `detached`), zombies left out. Empty when none is left. */
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

/** Kills the session (SIGKILL) until none of it is left. Throws after ten seconds, naming what would not die. */
export async function killSession(leader: number): Promise<void> {
  await waitUntil(
    `The processes of session ${leader} end`,
    10_000,
    () => {
      signalSession(leader, "SIGKILL");
      return listSessionProcesses(leader).map(describeProcess);
    },
    (left) => left.length === 0,
  );
}

/** True if a process of the session carries `name`=`value` in the environment it was started with. */
export function isSessionMarked(leader: number, name: string, value: string): boolean {
  const marked = new Set(findMarkedProcesses(name, value));
  return listSessionProcesses(leader).some((pid) => marked.has(pid));
}

/** The processes that carry `name`=`value` in the environment they were started with. Only those that we may look at. */
export function findMarkedProcesses(name: string, value: string): number[] {
  return listProcessIds().filter((pid) =>
    readFileOrNull(`/proc/${pid}/environ`)?.split("\0").includes(`${name}=${value}`),
  );
}

/** When the process started, in clock ticks since the machine's start: with its id, its name for ever. Null if it is gone. */
export function readStartTime(pid: number): string | null {
  return readStatus(pid)?.start ?? null;
}

/**
 * Which of the sessions holds the other end of a connection that we accepted at `local` from `remote` (IPv4). Null if
 * none does. A program that dials on loopback shows no address of its own, so the socket itself is looked for.
 */
export function findConnectionOwner<Owner>(
  sessions: ReadonlyMap<Owner, number>,
  local: { address: string; port: number },
  remote: { address: string; port: number },
): Owner | null {
  const [theirs, ours] = [toProcNetHex(remote), toProcNetHex(local)];
  const line = readFileOrNull("/proc/net/tcp")
    ?.split("\n")
    .map((text) => text.trim().split(/\s+/))
    .find((fields) => fields[1] === theirs && fields[2] === ours);
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
        return false; // closed meanwhile
      }
    });
  } catch {
    return false; // ended meanwhile
  }
}

/** As /proc/net/tcp writes it: the address's bytes in the machine's order (little-endian), then the port, in hex. */
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
  // proc(5): the name may hold spaces and parentheses; state, session and start are the 3rd, 6th and 22nd field.
  const fields = readFileOrNull(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields?.[19] ? { state: fields[0]!, session: Number(fields[3]), start: fields[19] } : null;
}

const describeProcess = (pid: number) =>
  `${pid} ${readStatus(pid)?.state ?? ""} ${(readFileOrNull(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, 3).join(" ")}`;

function readFileOrNull(file: string): string | null {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return null; // ended meanwhile, or another user's
  }
}

/** What the processes of a node were told: its environment, for a command that is run on it. */
export function readNodeEnvironment(node: { processes(): number[] }): NodeJS.ProcessEnv {
  const text = readFileSync(`/proc/${node.processes()[0]}/environ`, "utf8");
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
