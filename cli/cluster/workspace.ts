// The folder that holds everything of one cluster, with a marker that says whose it is. Nothing survives it: what a killed
// run left behind (processes, mounts, files) is found by that marker and removed by the next.

import { spawnSync } from "node:child_process";
import {
  existsSync,
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
/** In the environment of every process of a cluster: the folder it belongs to. */
export const WORKSPACE_ENV = "LECTERN_CLUSTER";

interface Marker {
  owner: { pid: number; start: string | null };
  sessions: number[];
}

export interface Workspace {
  readonly folder: string;
  /** Remembers a session, so that it is ended even if this process can't. */
  registerSession(session: number): void;
  /** Ends all sessions, unmounts what is mounted below, deletes the folder (kept with `keep`, without mounts). */
  remove(options?: { keep?: boolean }): Promise<void>;
  /** The same at once and without waiting, for the very end of a process. */
  removeSync(options?: { keep?: boolean }): void;
}

/** A new workspace, or that at `folder` with what it holds. */
export function createWorkspace(folder?: string): Workspace {
  const path = folder ?? mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  mkdirSync(path, { recursive: true });
  const previous = readMarker(path);
  if (previous && isOwnerAlive(previous))
    throw new Error(`A cluster runs in ${path} already (process ${previous.owner.pid}).`);
  const sessions = new Set<number>();
  const write = () => {
    // Whole or not at all: who is killed while writing must still be found.
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

/** Removes what clusters left that were killed. Returns their folders. */
export async function removeStaleWorkspaces(): Promise<string[]> {
  const left = readdirSync(tmpdir())
    .filter((name) => name.startsWith(FOLDER_PREFIX))
    .map((name) => join(tmpdir(), name));
  const swept: string[] = [];
  for (const folder of left) {
    if (await removeStaleWorkspace(folder)) swept.push(folder);
  }
  return swept;
}

/** Ends what a killed cluster left running in `folder` and deletes it (with `keep` only its mounts). False: it is in use, or no cluster's. */
export async function removeStaleWorkspace(
  folder: string,
  { keep = false } = {},
): Promise<boolean> {
  const marker = readMarker(folder);
  if (!marker || isOwnerAlive(marker)) return false;
  // A number can be another's by now: only what carries our mark is ended.
  for (const session of marker.sessions)
    if (isSessionMarked(session, WORKSPACE_ENV, folder)) await killSession(session);
  unmountAndDelete(folder, keep);
  return true;
}

/** Unmounts `path` at once; who still uses it gets errors. Quiet if nothing is mounted there. */
export function unmount(path: string): void {
  // fusermount3 may do it for everybody, but only FUSE; umount does the rest, for root.
  if (spawnSync("fusermount3", ["-u", "-z", path], { timeout: 10_000 }).status !== 0)
    spawnSync("umount", ["-l", path], { timeout: 10_000 });
}

/** What is mounted at or below `folder`, the deepest first. */
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
  // A folder with a mount left in it would be emptied through the mount.
  const left = listMounts(folder);
  if (left.length > 0) throw new Error(`Still mounted: ${left.join(", ")}`);
  if (keep) rmSync(join(folder, MARKER_FILE), { force: true });
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function readMarker(folder: string): Marker | null {
  const file = join(folder, MARKER_FILE);
  if (!existsSync(file)) return null;
  return JSON.parse(readFileSync(file, "utf8")) as Marker;
}

const isOwnerAlive = ({ owner }: Marker) =>
  owner.start !== null && readStartTime(owner.pid) === owner.start;
