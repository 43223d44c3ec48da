// Names and reads what a backup consists of. A timeline is what one primary wrote without a gap: a
// snapshot, or a fork of an earlier timeline, and then transactions. The term is PostgreSQL's.
//
//   timelines/<id>/timeline                                          TimelineInfo
//   timelines/<id>/snapshots/<txid>-<time>-<checksum>/<part>         4 MB of the database file
//   timelines/<id>/snapshots/<txid>-<time>-<checksum>/complete       SnapshotInfo
//   timelines/<id>/ltx/<first txid>-<last txid>-<time>-<checksum>    transactions (segment.ts)
//   status                                                           BackupHeartbeat
//   drills/<time>                                                    DrillResult

import { formatTxid } from "#lib/replication/litefs-node-state.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Sealer } from "./sealed-object.ts";

export interface TimelineInfo {
  /** Where it forks another timeline; null if it starts with a snapshot. */
  readonly parent: { readonly timeline: string; readonly position: Position } | null;
  /** The instance that writes it. */
  readonly instance: string;
}

export interface SnapshotInfo {
  readonly bytes: number;
  readonly pageSize: number;
  readonly parts: number;
}

export interface Snapshot extends Position {
  /** Time of the state in milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** The folder of its objects. */
  readonly folder: string;
}

export interface Segment {
  readonly minTxid: number;
  readonly maxTxid: number;
  /** Time of its last transaction. */
  readonly timeMs: number;
  readonly checksumAfter: string;
  readonly name: string;
  readonly bytes: number;
}

export interface Archive {
  readonly store: ObjectStore;
  readonly sealer: Sealer;
}

const TIMELINES = "timelines";
const formatTime = (timeMs: number): string => String(timeMs).padStart(13, "0");

/** Returns the ID of a timeline that begins at `timeMs`. IDs sort by time. */
export const timelineId = (timeMs: number, instance: string): string =>
  `${new Date(timeMs).toISOString().replace(/[-:.]/g, "")}-${instance}`;

/** Returns the time that an ID contains, in milliseconds since the Unix epoch. */
export function timelineTimeMs(id: string): number {
  const [, y, mo, d, h, mi, s, ms] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-/.exec(id) ?? [];
  return Date.UTC(
    Number(y),
    Number(mo) - 1,
    Number(d),
    Number(h),
    Number(mi),
    Number(s),
    Number(ms),
  );
}

const timelineName = (id: string): string => `${TIMELINES}/${id}/timeline`;
export const snapshotFolder = (id: string, { txid, checksum }: Position, timeMs: number): string =>
  `${TIMELINES}/${id}/snapshots/${formatTxid(txid)}-${formatTime(timeMs)}-${checksum}`;
export const partName = (folder: string, part: number): string =>
  `${folder}/${String(part).padStart(6, "0")}`;
export const completeName = (folder: string): string => `${folder}/complete`;
export const segmentName = (
  id: string,
  { minTxid, maxTxid, timeMs, checksumAfter }: Omit<Segment, "name" | "bytes">,
): string =>
  `${TIMELINES}/${id}/ltx/${formatTxid(minTxid)}-${formatTxid(maxTxid)}-${formatTime(timeMs)}-${checksumAfter}`;

/** Encrypts and stores an object. */
export const putSealed = (archive: Archive, name: string, content: Buffer): Promise<void> =>
  archive.store.put(name, archive.sealer.seal(name, content));

/** Returns the content of an object; null if it is missing. Throws SealedObjectError. */
export async function findSealed(archive: Archive, name: string): Promise<Buffer | null> {
  const object = await archive.store.find(name);
  return object && archive.sealer.open(name, object);
}

/**
 * Returns the content of an object. Throws Error if it is missing, SealedObjectError if it is
 * damaged.
 */
export async function getSealed(archive: Archive, name: string): Promise<Buffer> {
  const content = await findSealed(archive, name);
  if (!content) throw new Error(`${name} is missing in the object store`);
  return content;
}

export const putJson = (archive: Archive, name: string, value: object): Promise<void> =>
  putSealed(archive, name, Buffer.from(JSON.stringify(value)));

/** Returns the parsed object; null if it is missing. */
export async function findJson<T>(archive: Archive, name: string): Promise<T | null> {
  const content = await findSealed(archive, name);
  return content && (JSON.parse(content.toString()) as T);
}

/** Returns the IDs of all timelines, oldest first. */
export const listTimelines = ({ store }: Archive): Promise<string[]> =>
  store.listFolders(TIMELINES);

export const putTimeline = (archive: Archive, id: string, info: TimelineInfo): Promise<void> =>
  putJson(archive, timelineName(id), info);

/** Returns null if the timeline was never completed or is being deleted. */
export const findTimeline = (archive: Archive, id: string): Promise<TimelineInfo | null> =>
  findJson<TimelineInfo>(archive, timelineName(id));

/** Returns the complete snapshots of a timeline, oldest first. */
export async function listSnapshots({ store }: Archive, id: string): Promise<Snapshot[]> {
  const objects = await store.list(`${TIMELINES}/${id}/snapshots/`);
  return objects.flatMap(({ name }) => {
    const [, folder, txid, time, checksum] =
      /^(.*\/([0-9a-f]{16})-(\d{13})-([0-9a-f]{16}))\/complete$/.exec(name) ?? [];
    return folder
      ? [{ folder, txid: parseInt(txid!, 16), timeMs: Number(time), checksum: checksum! }]
      : [];
  });
}

/** Returns the segments of a timeline whose first transaction is `fromTxid` or later, in order. */
export async function listSegments(
  { store }: Archive,
  id: string,
  fromTxid: number,
): Promise<Segment[]> {
  const folder = `${TIMELINES}/${id}/ltx/`;
  // A name without the rest sorts before every segment that starts with this transaction.
  const objects = await store.list(folder, folder + formatTxid(fromTxid));
  return objects.flatMap(({ name, bytes }) => {
    const [, min, max, time, checksumAfter] =
      /\/([0-9a-f]{16})-([0-9a-f]{16})-(\d{13})-([0-9a-f]{16})$/.exec(name) ?? [];
    return min
      ? [
          {
            minTxid: parseInt(min, 16),
            maxTxid: parseInt(max!, 16),
            timeMs: Number(time),
            checksumAfter: checksumAfter!,
            name,
            bytes,
          },
        ]
      : [];
  });
}
