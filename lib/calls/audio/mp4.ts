// Measures MP4 and M4A files by their sample durations, including fragmented files, which Safari
// records.

import {
  type AudioTrack,
  readAscii,
  damagedAudioError,
  videoTrackError,
  unsupportedCodecError,
  multipleTracksError,
  toDataView,
} from "./track.ts";

interface Box {
  readonly type: string;
  /** Offset of the content. */
  readonly start: number;
  readonly end: number;
}

interface Mp4Track {
  id: number;
  handler: string;
  format: string;
  objectType: number;
  timescale: number;
  /** In units of the timescale. */
  duration: number;
}

/**
 * Yields the boxes from `start` to `end`. Calls `onTruncated` and stops at the first that doesn't
 * fit.
 */
function* iterateBoxes(
  bytes: Uint8Array,
  start: number,
  end: number,
  onTruncated: () => void = () => {},
): Generator<Box> {
  const view = toDataView(bytes);
  for (let at = start; at + 8 <= end;) {
    const size32 = view.getUint32(at);
    const isLong = size32 === 1;
    if (isLong && at + 16 > end) return onTruncated();
    const size = isLong
      ? view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12)
      : size32 === 0
        ? end - at
        : size32;
    const header = isLong ? 16 : 8;
    if (size < header || at + size > end) return onTruncated();
    yield { type: readAscii(bytes, at + 4, 4), start: at + header, end: at + size };
    at += size;
  }
}

/** Returns the object type in an esds box (0x40 is AAC), or 0 without one. */
function readObjectType(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start + 4; at + 2 <= end;) {
    const tag = bytes[at]!;
    at += 1;
    while (at < end && bytes[at]! & 0x80) at += 1;
    at += 1;
    if (tag === 0x04) return bytes[at] ?? 0;
    if (tag !== 0x03) return 0;
    const flags = bytes[at + 2] ?? 0;
    at +=
      3 +
      (flags & 0x80 ? 2 : 0) +
      (flags & 0x40 ? 1 + (bytes[at + 3] ?? 0) : 0) +
      (flags & 0x20 ? 2 : 0);
  }
  return 0;
}

/** Twice the boxes of a 30-minute recording with a fragment every 100 ms. */
const MAX_BOXES = 300_000;
const CONTAINER_BOXES = new Set(["moov", "trak", "mdia", "minf", "stbl", "mvex", "moof", "traf"]);

/**
 * Measures the only audio track of an MP4 file. Throws AppError(invalid) for videos, other codecs
 * and damaged files.
 */
export function readMp4(bytes: Uint8Array): AudioTrack {
  const view = toDataView(bytes);
  const tracks: Mp4Track[] = [];
  /** Default sample duration by track id, for fragments that don't specify one. */
  const defaults = new Map<number, number>();
  let dataBytes = 0;
  let fragments = 0;
  let isTruncated = false;
  let boxCount = 0;
  let fragment: { track: Mp4Track | undefined; defaultDuration: number } = {
    track: undefined,
    defaultDuration: 0,
  };

  const u32 = (box: Box, offset: number) => {
    if (box.start + offset + 4 > box.end) throw damagedAudioError("M4A");
    return view.getUint32(box.start + offset);
  };

  function sampleEntry(box: Box): void {
    const track = tracks.at(-1);
    const at = box.start + 8;
    if (!track || at + 8 > box.end) return;
    track.format = readAscii(bytes, at + 4, 4);
    // esds is a child of the entry or, in QuickTime files, nested deeper: search for its name.
    const end = Math.min(box.end, at + 4_096);
    for (let i = at + 8; i + 8 <= end; i++) {
      if (bytes[i] === 0x65 && readAscii(bytes, i, 4) === "esds")
        return void (track.objectType = readObjectType(bytes, i + 4, end));
    }
  }

  function timesToSamples(box: Box): void {
    const track = tracks.at(-1);
    const count = u32(box, 4);
    if (!track || box.start + 8 + count * 8 > box.end) throw damagedAudioError("M4A");
    for (let i = 0; i < count; i++) track.duration += u32(box, 8 + i * 8) * u32(box, 12 + i * 8);
  }

  function fragmentHeader(box: Box): void {
    const flags = u32(box, 0) & 0xffffff;
    const id = u32(box, 4);
    const at = 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
    fragment = {
      track: tracks.find((each) => each.id === id),
      defaultDuration: flags & 0x8 ? u32(box, at) : (defaults.get(id) ?? 0),
    };
  }

  function run(box: Box): void {
    const flags = u32(box, 0) & 0xffffff;
    const count = u32(box, 4);
    if (!fragment.track) return;
    if (!(flags & 0x100)) return void (fragment.track.duration += count * fragment.defaultDuration);
    const first = 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
    const each = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
    if (box.start + first + count * each > box.end) throw damagedAudioError("M4A");
    for (let i = 0; i < count; i++) fragment.track.duration += u32(box, first + i * each);
  }

  function walk(start: number, end: number, depth: number): void {
    for (const box of iterateBoxes(bytes, start, end, () => (isTruncated = true))) {
      if (++boxCount > MAX_BOXES) throw damagedAudioError("M4A");
      if (box.type === "trak") {
        // A recording has one track; thousands would make the lookups slow.
        if (tracks.length === 16) throw damagedAudioError("M4A");
        tracks.push({ id: 0, handler: "", format: "", objectType: 0, timescale: 0, duration: 0 });
      }
      const track = tracks.at(-1);
      if (box.type === "moof") fragments += 1;
      if (CONTAINER_BOXES.has(box.type) && depth < 8) walk(box.start, box.end, depth + 1);
      else if (box.type === "mdat") dataBytes += box.end - box.start;
      else if (box.type === "tkhd" && track) track.id = u32(box, bytes[box.start] === 1 ? 20 : 12);
      else if (box.type === "mdhd" && track)
        track.timescale = u32(box, bytes[box.start] === 1 ? 20 : 12);
      else if (box.type === "hdlr" && track && track.handler === "")
        track.handler = readAscii(bytes, box.start + 8, 4);
      else if (box.type === "stsd") sampleEntry(box);
      else if (box.type === "stts") timesToSamples(box);
      else if (box.type === "trex") {
        if (defaults.size < 16) defaults.set(u32(box, 4), u32(box, 12));
      } else if (box.type === "tfhd") fragmentHeader(box);
      else if (box.type === "trun") run(box);
    }
  }
  walk(0, bytes.length, 0);

  if (tracks.some(({ handler }) => handler === "vide")) throw videoTrackError();
  const audioTracks = tracks.filter(({ handler }) => handler === "soun");
  if (audioTracks.length > 1) throw multipleTracksError();
  const track = audioTracks[0];
  // A truncated recording is playable up to its last complete fragment.
  if (!track || dataBytes === 0 || track.timescale === 0 || (isTruncated && fragments === 0))
    throw damagedAudioError("M4A");
  const isAac =
    track.format === "mp4a" &&
    (track.objectType === 0x40 || (track.objectType >= 0x66 && track.objectType <= 0x68));
  if (!isAac && track.format !== "Opus") throw unsupportedCodecError("M4A");
  return { codec: isAac ? "aac" : "opus", durationMs: (track.duration / track.timescale) * 1000 };
}
