// Measures WebM files by their block timestamps: browser recordings have no duration in the header.

import {
  type AudioTrack,
  readAscii,
  damagedAudioError,
  videoTrackError,
  opusPacketMs,
  unsupportedCodecError,
  multipleTracksError,
} from "./track.ts";

const EBML = 0x1a45dfa3;
const DOC_TYPE = 0x4282;
const TIMESTAMP_SCALE = 0x2ad7b1;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const CODEC_ID = 0x86;
const CLUSTER_TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK = 0xa1;
/**
 * Elements whose children are read: EBML, Segment, Info, Tracks, TrackEntry, Cluster, BlockGroup.
 * Their sizes are ignored.
 */
const MASTER_ELEMENTS = new Set([
  EBML,
  0x18538067,
  0x1549a966,
  0x1654ae6b,
  TRACK_ENTRY,
  0x1f43b675,
  0xa0,
]);

interface TrackEntry {
  number: number;
  type: number;
  codecId: string;
}

/**
 * Reads an EBML variable-length integer. Returns null if it is missing, -1 for an unknown size (all
 * ones).
 */
function readVint(bytes: Uint8Array, at: number): { value: number; length: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return null;
  let value = first & (0xff >> length);
  let isUnknown = value === 0xff >> length;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]!;
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  return { value: isUnknown ? -1 : value, length };
}

function readUnsigned(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < Math.min(size, 8); i++) value = value * 256 + bytes[at + i]!;
  return value;
}

/**
 * Measures the only audio track of a WebM file. Reads every element once, in order, and ignores the
 * sizes of parent elements. Stops at an element that extends past the end of the file: the
 * recording was truncated.
 */
export function readWebm(bytes: Uint8Array): AudioTrack {
  const tracks: TrackEntry[] = [];
  let docType = "";
  let scaleNs = 1_000_000;
  let clusterTime = 0;
  let first = Infinity;
  let last = -Infinity;
  let lastMs = 0;
  let packetsMs = 0;

  function block(at: number, end: number): void {
    const track = readVint(bytes, at);
    if (!track || at + track.length + 3 > end) return;
    const entry = tracks.find(({ number }) => number === track.value);
    if (entry?.type !== 2) return;
    const times = at + track.length;
    const time = clusterTime + ((((bytes[times]! << 8) | bytes[times + 1]!) << 16) >> 16);
    const data = times + 3;
    const packetMs =
      entry.codecId === "A_OPUS" && data < end ? opusPacketMs(bytes[data], bytes[data + 1]) : 0;
    packetsMs += packetMs;
    first = Math.min(first, time);
    if (time >= last) {
      last = time;
      lastMs = packetMs;
    }
  }

  for (let at = 0; at < bytes.length;) {
    const idLength = bytes[at]! === 0 ? 0 : Math.clz32(bytes[at]!) - 23;
    const size = idLength > 0 && idLength <= 4 ? readVint(bytes, at + idLength) : null;
    if (!size) break;
    const id = readUnsigned(bytes, at, idLength);
    const start = at + idLength + size.length;
    if (MASTER_ELEMENTS.has(id)) {
      if (id === TRACK_ENTRY) {
        // A recording has one track; thousands would make the lookup above slow.
        if (tracks.length === 8) throw damagedAudioError("WebM");
        tracks.push({ number: 0, type: 0, codecId: "" });
      }
      at = start;
      continue;
    }
    const end = start + size.value;
    if (size.value < 0 || end > bytes.length) break;
    const entry = tracks.at(-1);
    if (id === SIMPLE_BLOCK || id === BLOCK) block(start, end);
    else if (id === CLUSTER_TIMESTAMP) clusterTime = readUnsigned(bytes, start, size.value);
    else if (id === TIMESTAMP_SCALE) scaleNs = readUnsigned(bytes, start, size.value);
    else if (id === DOC_TYPE)
      docType = readAscii(bytes, start, Math.min(size.value, 16)).replace(/\0.*$/s, "");
    else if (entry && id === TRACK_NUMBER) entry.number = readUnsigned(bytes, start, size.value);
    else if (entry && id === TRACK_TYPE) entry.type = readUnsigned(bytes, start, size.value);
    else if (entry && id === CODEC_ID)
      entry.codecId = readAscii(bytes, start, Math.min(size.value, 32)).replace(/\0.*$/s, "");
    at = end;
  }

  if (docType !== "webm") throw unsupportedCodecError("Matroska");
  if (tracks.some(({ type }) => type === 1)) throw videoTrackError();
  const audioTracks = tracks.filter(({ type }) => type === 2);
  if (audioTracks.length > 1) throw multipleTracksError();
  if (audioTracks.length === 0 || last < first) throw damagedAudioError("WebM");
  const codec =
    audioTracks[0]!.codecId === "A_OPUS"
      ? "opus"
      : audioTracks[0]!.codecId === "A_VORBIS"
        ? "vorbis"
        : null;
  if (!codec) throw unsupportedCodecError("WebM");
  return { codec, durationMs: Math.max(((last - first) * scaleNs) / 1e6 + lastMs, packetsMs) };
}
