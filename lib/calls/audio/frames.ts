// Measures MP3, FLAC, WAV and Ogg files by their frames, samples and pages.

import {
  type AudioTrack,
  readAscii,
  damagedAudioError,
  videoTrackError,
  opusPacketMs,
  unsupportedCodecError,
  multipleTracksError,
  toDataView,
} from "./track.ts";

const MP3_KBITS = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320], // MPEG 1, layer III
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160], // MPEG 2 and 2.5
] as const;
const MP3_RATES = [44_100, 48_000, 32_000] as const;

interface Mp3Frame {
  readonly length: number;
  readonly samples: number;
  readonly rate: number;
}

/** Parses the MP3 frame header at offset `at`, or returns null. */
export function readMp3Frame(bytes: Uint8Array, at: number): Mp3Frame | null {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe6) !== 0xe2) return null;
  const version = (bytes[at + 1]! >> 3) & 3; // 0: MPEG 2.5, 2: MPEG 2, 3: MPEG 1
  const kbits = MP3_KBITS[version === 3 ? 0 : 1][bytes[at + 2]! >> 4];
  const base = MP3_RATES[((bytes[at + 2]! >> 2) & 3) as 0 | 1 | 2];
  if (version === 1 || !kbits || !base) return null;
  const rate = version === 3 ? base : version === 2 ? base / 2 : base / 4;
  const samples = version === 3 ? 1_152 : 576;
  return {
    length: Math.floor(((samples / 8) * kbits * 1000) / rate) + ((bytes[at + 2]! >> 1) & 1),
    samples,
    rate,
  };
}

/** Returns whether the frame at `at` is a VBR header, which has no audio. It can only be the first one. */
export const isVbrHeader = (bytes: Uint8Array, at: number): boolean =>
  /Xing|Info|VBRI/.test(readAscii(bytes, at + 4, 40));

/** Returns the offset after the ID3 tags at the start of a file; 0 without any. */
export function skipId3Tags(bytes: Uint8Array): number {
  let at = 0;
  // Some files have two. The limit bounds the work on a file that contains only tags.
  for (
    let tags = 0;
    tags < 8 && at + 10 <= bytes.length && readAscii(bytes, at, 3) === "ID3";
    tags++
  ) {
    const [a, b, c, d] = bytes.subarray(at + 6, at + 10) as unknown as [
      number,
      number,
      number,
      number,
    ];
    at +=
      10 +
      (((a & 127) << 21) | ((b & 127) << 14) | ((c & 127) << 7) | (d & 127)) +
      (bytes[at + 5]! & 0x10 ? 10 : 0);
  }
  return at;
}

/**
 * Measures an MP3 file as the sum of its frames. Bytes between frames (tags, padding, damage) are
 * skipped.
 */
export function readMp3(bytes: Uint8Array): AudioTrack {
  let at = skipId3Tags(bytes);
  let ms = 0;
  let frames = 0;
  let isInSync = false;
  while (at + 4 <= bytes.length) {
    const frame = readMp3Frame(bytes, at);
    // After a gap, two consecutive frames are required: a single header can match random data.
    if (
      !frame ||
      at + frame.length > bytes.length ||
      (!isInSync && !readMp3Frame(bytes, at + frame.length))
    ) {
      isInSync = false;
      at += 1;
      continue;
    }
    isInSync = true;
    if (frames > 0 || !isVbrHeader(bytes, at)) ms += (frame.samples / frame.rate) * 1000;
    frames += 1;
    at += frame.length;
  }
  if (frames < 2) throw damagedAudioError("MP3");
  return { codec: "mp3", durationMs: ms };
}

/** Measures a WAV file by the samples that the file has, whatever its header claims. */
export function readWav(bytes: Uint8Array): AudioTrack {
  const view = toDataView(bytes);
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= bytes.length;) {
    const type = readAscii(bytes, at, 4);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (type === "fmt ") {
      if (size < 16 || start + 16 > bytes.length) break;
      const tag = view.getUint16(start, true);
      // WAVE_FORMAT_EXTENSIBLE: the format is in the first bytes of the GUID.
      const format =
        tag === 0xfffe && size >= 40 && start + 26 <= bytes.length
          ? view.getUint16(start + 24, true)
          : tag;
      const bits = view.getUint16(start + 14, true);
      const isPlayable =
        (format === 1 && [8, 16, 24, 32].includes(bits)) || (format === 3 && bits === 32);
      if (!isPlayable) throw unsupportedCodecError("WAV");
      bytesPerSecond =
        (view.getUint16(start + 2, true) * view.getUint32(start + 4, true) * bits) / 8;
    } else if (type === "data") {
      if (bytesPerSecond === 0) break;
      // Streaming encoders write 0 or the maximum value as the size.
      const availableBytes = bytes.length - start;
      return {
        codec: "pcm",
        durationMs:
          ((size === 0 ? availableBytes : Math.min(size, availableBytes)) / bytesPerSecond) * 1000,
      };
    }
    at = start + size + (size & 1);
  }
  throw damagedAudioError("WAV");
}

const CRC8 = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? (crc << 1) ^ 0x07 : crc << 1;
  return crc;
});

/** Computes the CRC-8 of a FLAC frame header, with the polynomial x^8+x^2+x+1. */
function crc8(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = CRC8[crc ^ bytes[i]!]!;
  return crc;
}

/**
 * How far from the end to search for the last frame. Covers many frames, and bounds the work on
 * hostile files.
 */
const MAX_TAIL_SCAN_BYTES = 512 * 1024;

/**
 * Returns the number of the sample after the FLAC frame at offset `at`; null if there is no frame
 * (RFC 9639, 9.1).
 */
function readFlacFrameEnd(bytes: Uint8Array, at: number, blockSize: number): number | null {
  if (
    bytes[at] !== 0xff ||
    (bytes[at + 1]! & 0xfe) !== 0xf8 ||
    at + 16 > bytes.length ||
    bytes[at + 3]! & 1
  )
    return null;
  const sizeCode = bytes[at + 2]! >> 4;
  const rateCode = bytes[at + 2]! & 15;
  if (sizeCode === 0 || rateCode === 15 || bytes[at + 3]! >> 4 > 10) return null;
  const lead = Math.clz32(~(bytes[at + 4]! << 24)); // length of a UTF-8-like number
  if (lead === 1 || lead > 7) return null;
  const length = lead || 1;
  let number = lead === 0 ? bytes[at + 4]! : bytes[at + 4]! & (0x7f >> lead);
  for (let i = 1; i < length; i++) {
    if ((bytes[at + 4 + i]! & 0xc0) !== 0x80) return null;
    number = number * 64 + (bytes[at + 4 + i]! & 0x3f);
  }
  let end = at + 4 + length;
  let samples = sizeCode === 1 ? 192 : sizeCode < 6 ? 576 << (sizeCode - 2) : 256 << (sizeCode - 8);
  if (sizeCode === 6) samples = bytes[end++]! + 1;
  else if (sizeCode === 7) samples = bytes[end++]! * 256 + bytes[end++]! + 1;
  if (rateCode === 12) end += 1;
  else if (rateCode > 12) end += 2;
  if (end >= bytes.length || crc8(bytes, at, end) !== bytes[end]) return null;
  const isVariable = (bytes[at + 1]! & 1) === 1; // if set, `number` counts samples, otherwise frames
  return (isVariable ? number : number * blockSize) + samples;
}

/** Measures a FLAC file by the end of its last frame. */
export function readFlac(bytes: Uint8Array): AudioTrack {
  const start = skipId3Tags(bytes);
  const view = toDataView(bytes);
  if (start + 42 > bytes.length || (bytes[start + 4]! & 127) !== 0) throw damagedAudioError("FLAC");
  const blockSize = view.getUint16(start + 8);
  const rate = view.getUint32(start + 18) >>> 12;
  let at = start + 4;
  for (let isLast = false; !isLast;) {
    if (at + 4 > bytes.length) throw damagedAudioError("FLAC");
    isLast = (bytes[at]! & 0x80) !== 0;
    at += 4 + (view.getUint32(at) & 0xffffff);
  }
  if (rate === 0) throw damagedAudioError("FLAC");
  for (
    let frame = bytes.length - 16;
    frame >= Math.max(at, bytes.length - MAX_TAIL_SCAN_BYTES);
    frame--
  ) {
    const end = bytes[frame] === 0xff ? readFlacFrameEnd(bytes, frame, blockSize) : null;
    if (end !== null) return { codec: "flac", durationMs: (end / rate) * 1000 };
  }
  throw damagedAudioError("FLAC");
}

interface OggStream {
  readonly serial: number;
  readonly codec: "opus" | "vorbis" | "video" | "other";
  readonly rate: number;
  readonly skip: number;
}

function readOggStream(bytes: Uint8Array, serial: number, at: number): OggStream {
  const view = toDataView(bytes);
  const is = (magic: string) => readAscii(bytes, at, magic.length) === magic;
  if (is("OpusHead") && at + 12 <= bytes.length)
    return { serial, codec: "opus", rate: 48_000, skip: view.getUint16(at + 10, true) };
  if (is("\x01vorbis") && at + 16 <= bytes.length)
    return { serial, codec: "vorbis", rate: view.getUint32(at + 12, true), skip: 0 };
  return {
    serial,
    codec: is("\x80theora") || is("\x01video") || is("BBCD") ? "video" : "other",
    rate: 0,
    skip: 0,
  };
}

/** Measures an Ogg file by its Opus packets, or by the last granule position of a Vorbis stream. */
export function readOgg(bytes: Uint8Array): AudioTrack {
  const view = toDataView(bytes);
  const streams: OggStream[] = [];
  let opusMs = 0;
  let position = 0;
  let packets = 0;
  for (let at = 0; at + 27 <= bytes.length && readAscii(bytes, at, 4) === "OggS";) {
    const kind = bytes[at + 5]!;
    const serial = view.getUint32(at + 14, true);
    const table = at + 27;
    const count = bytes[at + 26]!;
    let data = table + count;
    const size = bytes.subarray(table, data).reduce((sum, length) => sum + length, 0);
    const next = data + size;
    if (next > bytes.length) break;
    if (kind & 2) {
      if (streams.length === 8) throw damagedAudioError("Ogg");
      streams.push(readOggStream(bytes, serial, data));
    } else if (serial === streams[0]?.serial) {
      const low = view.getUint32(at + 6, true);
      const high = view.getInt32(at + 10, true);
      if (high >= 0) position = Math.max(position, high * 2 ** 32 + low);
      let isStart = (kind & 1) === 0;
      for (let i = table; i < table + count; i++) {
        // The first packet after the header has comments, not audio.
        if (isStart && bytes[i]! > 0 && packets++ > 0)
          opusMs += opusPacketMs(bytes[data], bytes[data + 1]);
        data += bytes[i]!;
        isStart = bytes[i]! < 255;
      }
    }
    at = next;
  }
  if (streams.some(({ codec }) => codec === "video")) throw videoTrackError();
  const stream = streams[0];
  if (!stream) throw damagedAudioError("Ogg");
  if (streams.length > 1) throw multipleTracksError();
  if (stream.codec !== "opus" && stream.codec !== "vorbis") throw unsupportedCodecError("Ogg");
  const ms = stream.codec === "opus" ? opusMs - stream.skip / 48 : (position / stream.rate) * 1000;
  if (!(ms > 0) || ms === Infinity) throw damagedAudioError("Ogg");
  return { codec: stream.codec, durationMs: ms };
}
