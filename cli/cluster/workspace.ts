// Manages the folder of one cluster. A marker file names its owner and sessions, so that the next
// run can clean up the processes, mounts and files of a killed run.

import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  listSessionProcesses,
  isSessionMarked,
  killSession,
  signalSession,
  readStartTime,
} from "./process-sessions.ts";

const FOLDER_PREFIX = "lectern-cluster-";
const MARKER_FILE = "cluster.json";
/** Environment variable of every cluster process, set to its workspace folder. */
export const WORKSPACE_ENV = "LECTERN_CLUSTER";

interface Marker {
  owner: { pid: number; start: string | null };
  sessions: number[];
}

export interface Workspace {
  readonly folder: string;
  /** Records a session, so that a later run can kill it if this process can't. */
  registerSession(session: number): void;
  /**
   * Kills all sessions and unmounts everything below the folder. Deletes the folder unless `keep`.
   */
  remove(options?: { keep?: boolean }): Promise<void>;
  /** The same, synchronously, for process exit handlers. */
  removeSync(options?: { keep?: boolean }): void;
}

/** Creates a workspace, or opens the one at `folder`. Throws if a running cluster is using it. */
export function createWorkspace(folder?: string): Workspace {
  const path = folder ?? mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  mkdirSync(path, { recursive: true });
  const previous = readMarker(path);
  if (previous && isOwnerAlive(previous))
    throw new Error(`A cluster already runs in ${path} (process ${previous.owner.pid}).`);
  const sessions = new Set<number>();
  const write = () => {
    // Atomic, so that a process killed while writing can still be cleaned up.
    writeFileSync(
      join(path, `${MARKER_FILE}.new`),
      JSON.stringify({
        owner: { pid: process.pid, start: readStartTime(process.pid) },
        sessions: [...sessions],
      } satisfies Marker),
    );
    renameSync(join(path, `${MARKER_FILE}.new`), join(path, MARKER_FILE));
  };
  write();
  return {
    folder: path,
    registerSession(session) {
      for (const one of sessions) if (listSessionProcesses(one).length === 0) sessions.delete(one);
      sessions.add(session);
      write();
    },
    async remove({ keep = false } = {}) {
      await Promise.all([...sessions].map(killSession));
      unmountAndDelete(path, keep);
    },
    removeSync({ keep = false } = {}) {
      const endMs = performance.now() + 5_000;
      while (
        performance.now() < endMs &&
        [...sessions].some((session) => listSessionProcesses(session).length > 0)
      ) {
        for (const session of sessions) signalSession(session, "SIGKILL");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
      unmountAndDelete(path, keep);
    },
  };
}

/** Cleans up after killed clusters. Returns their folders. */
export async function removeStaleWorkspaces(): Promise<string[]> {
  const folders = readdirSync(tmpdir())
    .filter((name) => name.startsWith(FOLDER_PREFIX))
    .map((name) => join(tmpdir(), name));
  const removed: string[] = [];
  for (const folder of folders) {
    if (await removeStaleWorkspace(folder)) removed.push(folder);
  }
  return removed;
}

/**
 * Cleans up after a killed cluster in `folder`; `keep` keeps its files. Returns false if it is in
 * use or not a workspace.
 */
export async function removeStaleWorkspace(
  folder: string,
  { keep = false } = {},
): Promise<boolean> {
  const marker = readMarker(folder);
  if (!marker || isOwnerAlive(marker)) return false;
  // The session ID may have been reused, so kill only sessions with our variable.
  for (const session of marker.sessions)
    if (isSessionMarked(session, WORKSPACE_ENV, folder)) await killSession(session);
  unmountAndDelete(folder, keep);
  return true;
}

/**
 * Unmounts `path` lazily: programs that still use it get errors. Does nothing if nothing is
 * mounted.
 */
export function unmount(path: string): void {
  // fusermount3 works for every user but only for FUSE; umount needs root.
  if (spawnSync("fusermount3", ["-u", "-z", path], { timeout: 10_000 }).status !== 0)
    spawnSync("umount", ["-l", path], { timeout: 10_000 });
}

/** Returns the mount points at or below `folder`, deepest first. */
export function listMounts(folder: string): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map(
      (line) =>
        line
          .split(" ")[1]
          ?.replace(/\\([0-7]{3})/g, (_, octal: string) =>
            String.fromCharCode(parseInt(octal, 8)),
          ) ?? "",
    )
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
}

function unmountAndDelete(folder: string, keep: boolean): void {
  for (const path of listMounts(folder)) unmount(path);
  // Don't delete the folder while something is mounted, because that would delete the mount's
  // contents.
  const mounts = listMounts(folder);
  if (mounts.length > 0) throw new Error(`Still mounted: ${mounts.join(", ")}`);
  if (keep) rmSync(join(folder, MARKER_FILE), { force: true });
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function readMarker(folder: string): Marker | null {
  try {
    return JSON.parse(readFileSync(join(folder, MARKER_FILE), "utf8")) as Marker;
  } catch (error) {
    // Not a workspace, or another command has just removed it.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

const isOwnerAlive = ({ owner }: Marker) =>
  owner.start !== null && readStartTime(owner.pid) === owner.start;
