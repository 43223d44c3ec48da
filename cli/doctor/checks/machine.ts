// Checks disk space, memory, file descriptors and the clock.

import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { requestInternal } from "#lib/core/internal-request.ts";
import { formatBytes, formatDuration } from "#lib/core/format.ts";
import { SECOND_MS } from "#lib/core/clock.ts";
import { readFreeBytes } from "#lib/replication/disk-space.ts";
import { type Finding, note, ok, problem } from "../finding.ts";

const MB = 1_000_000;

/**
 * `databaseBytes` is the size of the database: a restore, a migration or a snapshot needs space for a
 * second one. Below 16 MB, the site refuses writes (lib/replication/disk-space.ts).
 */
export function checkDisk(
  folder: string,
  freeBytes: number | null,
  databaseBytes: number,
): Finding[] {
  if (freeBytes === null)
    return [
      problem(
        `${folder} does not exist or can't be read`,
        "The site stores its data there.",
        `mkdir -p ${folder}`,
      ),
    ];
  const what = `${folder}: ${formatBytes(freeBytes)} free`;
  const why = "On a full disk, the site serves pages but can't save anything.";
  const fix =
    "fly volumes extend ID --size GB, or find what is using the disk: du -xh / | sort -h | tail";
  if (freeBytes < 64 * MB) return [problem(what, why, fix)];
  if (freeBytes < Math.max(500 * MB, databaseBytes * 2))
    return [note(what, `${why} A restore needs space for a second copy of the database.`, fix)];
  return [ok(what)];
}

/** The site uses up to 300 MB; ffmpeg and the image encoder briefly use up to 450 MB. */
export function checkMemory(totalBytes: number, availableBytes: number): Finding[] {
  const what = `memory: ${formatBytes(availableBytes)} of ${formatBytes(totalBytes)} available`;
  const why =
    "The system kills the site if memory runs out. The site uses up to 300 MB, and encoding a large image 450 MB.";
  if (totalBytes < 480 * MB) return [problem(what, why, "fly scale memory 1024")];
  if (availableBytes < 200 * MB)
    return [
      note(what, why, "fly scale memory 1024, or find what is using it: ps aux --sort=-rss | head"),
    ];
  return [ok(what)];
}

/** `limit` is the hard limit. Node raises the soft limit to it at startup. */
export function checkFileDescriptors(limit: number | null): Finding[] {
  if (limit === null) return [];
  const what = `file descriptors: at most ${limit}`;
  return limit < 4_096
    ? [
        problem(
          what,
          "Every connection and every open file uses one. At the limit, new visitors are refused.",
          "ulimit -Hn 65536, or LimitNOFILE=65536 in the systemd unit",
        ),
      ]
    : [ok(what)];
}

/** Signed requests between instances allow a minute, and login codes ten. */
export function checkClock(reference: string, skewMs: number): Finding[] {
  const distance = Math.abs(skewMs);
  const what = `clock: ${formatDuration(distance, "short")} ${skewMs < 0 ? "behind" : "ahead of"} ${reference}`;
  const why =
    "With a wrong clock, instances refuse each other's requests, sessions end early, and posts appear at the wrong time.";
  const fix = "timedatectl set-ntp true (on Fly: fly machine restart ID)";
  if (distance > 30 * SECOND_MS) return [problem(what, why, fix)];
  if (distance > 5 * SECOND_MS) return [note(what, why, fix)];
  return [ok(`clock: as ${reference}, within ${distance > 2 * SECOND_MS ? "5" : "2"} s`)];
}

const CLOCK_TIMEOUT_MS = 4_000;

/**
 * Returns how far this clock is ahead of the server at `url`, from its Date header (RFC 9110,
 * 6.6.1), which has a resolution of one second. Rejects if there is no response within 4 s.
 */
export async function measureClockSkewMs(url: string): Promise<number> {
  const startedMs = Date.now();
  const { headers } = await requestInternal(url, { timeoutMs: CLOCK_TIMEOUT_MS });
  const middleMs = (startedMs + Date.now()) / 2;
  const remoteMs = Date.parse(headers.date ?? "");
  if (Number.isNaN(remoteMs)) throw new Error(`${new URL(url).host} sends no Date header`);
  // The header is truncated to the second, so the middle of that second is the best estimate.
  return Math.round(middleMs - (remoteMs + SECOND_MS / 2));
}

/** Returns the hard limit of open files; null where /proc is missing. */
function readDescriptorLimit(): number | null {
  try {
    const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(
      readFileSync("/proc/self/limits", "utf8"),
    )?.[1];
    return hard === undefined ? null : hard === "unlimited" ? Infinity : Number(hard);
  } catch {
    return null;
  }
}

export interface MachineFolders {
  readonly folders: readonly string[];
  readonly databaseBytes: number;
}

/** Returns the findings for this machine, without the clock. */
export function checkMachine({ folders, databaseBytes }: MachineFolders): Finding[] {
  // In a container, the container's limit instead of the machine's memory.
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  return [
    ...folders.flatMap((folder) => checkDisk(folder, readFreeBytes(folder), databaseBytes)),
    ...checkMemory(total, Math.min(total, process.availableMemory())),
    ...checkFileDescriptors(readDescriptorLimit()),
  ];
}
