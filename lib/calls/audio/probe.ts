// Detects a recording's container, codec and duration from its bytes. Nothing the client claims is
// trusted. Each reader is a single pass in constant memory, so hostile files stay cheap
// (probe-fuzz.test.ts).

import { AppError } from "#lib/core/errors.ts";
import { skipId3Tags, readMp3Frame, readFlac, readMp3, readOgg, readWav } from "./frames.ts";
import { readMp4 } from "./mp4.ts";
import { type AudioTrack, readAscii, invalidAudioError } from "./track.ts";
import { readWebm } from "./webm.ts";

/** Maximum length of a question: two minutes. */
export const MAX_CALL_MS = 120_000;
/**
 * Ten upload parts. Two minutes of MP3 at the maximum of 320 kbit/s take 4.8 MB; the rest is for
 * cover art.
 */
export const MAX_CALL_BYTES = 10 * 524_288;
/** Maximum length of an answer: 30 minutes. */
export const MAX_ANSWER_MS = 30 * 60_000;
/**
 * 30 minutes at 64 kbit/s take 14.4 MB. One transaction stores the answer and blocks the write
 * queue while it runs.
 */
export const MAX_ANSWER_BYTES = 32 * 524_288;
const MIN_DURATION_MS = 500;
/** Added to the maximum, since recorders stop a little late. */
const DURATION_TOLERANCE_MS = 1_000;

export interface AudioLimits {
  readonly maxMs: number;
  readonly maxBytes: number;
}
export const CALL_LIMITS: AudioLimits = { maxMs: MAX_CALL_MS, maxBytes: MAX_CALL_BYTES };
/** Limits of an admin's upload. */
export const ANSWER_LIMITS: AudioLimits = { maxMs: MAX_ANSWER_MS, maxBytes: MAX_ANSWER_BYTES };

export interface SniffedAudio {
  /** MIME type without parameters, such as "audio/webm". */
  readonly contentType: string;
  /** Without a dot, such as "webm". */
  readonly extension: string;
}

export interface ProbedAudio extends SniffedAudio {
  readonly codec: AudioTrack["codec"];
  /** An integer. */
  readonly durationMs: number;
}

/** A recording with its detected type. */
export interface EncodedAudio {
  readonly contentType: string;
  readonly durationMs: number;
  readonly audio: Uint8Array;
}

interface AudioContainer extends SniffedAudio {
  matches(bytes: Uint8Array): boolean;
  measure(bytes: Uint8Array): AudioTrack;
}

const hasMagicBytes = (bytes: Uint8Array, magic: string, at = 0) =>
  bytes.length >= at + magic.length && readAscii(bytes, at, magic.length) === magic;

const CONTAINERS: readonly AudioContainer[] = [
  {
    contentType: "audio/webm",
    extension: "webm",
    matches: (bytes) => hasMagicBytes(bytes, "\x1aE\xdf\xa3"),
    measure: readWebm,
  },
  {
    contentType: "audio/mp4",
    extension: "m4a",
    matches: (bytes) => hasMagicBytes(bytes, "ftyp", 4),
    measure: readMp4,
  },
  {
    contentType: "audio/ogg",
    extension: "ogg",
    matches: (bytes) => hasMagicBytes(bytes, "OggS"),
    measure: readOgg,
  },
  {
    contentType: "audio/wav",
    extension: "wav",
    matches: (bytes) => hasMagicBytes(bytes, "RIFF") && hasMagicBytes(bytes, "WAVE", 8),
    measure: readWav,
  },
  {
    contentType: "audio/flac",
    extension: "flac",
    matches: (bytes) => hasMagicBytes(bytes, "fLaC", skipId3Tags(bytes)),
    measure: readFlac,
  },
  {
    contentType: "audio/aac",
    extension: "aac",
    matches: (bytes) => {
      const at = skipId3Tags(bytes);
      return bytes[at] === 0xff && (bytes[at + 1]! & 0xf6) === 0xf0;
    },
    measure() {
      throw invalidAudioError("Raw AAC isn’t supported in every browser. Save it as M4A.");
    },
  },
  {
    contentType: "audio/mpeg",
    extension: "mp3",
    matches: (bytes) => {
      // Without an ID3 tag, two consecutive frames are required: one header can match random data.
      const at = skipId3Tags(bytes);
      const frame = readMp3Frame(bytes, at);
      return at > 0 || (frame !== null && readMp3Frame(bytes, at + frame.length) !== null);
    },
    measure: readMp3,
  },
];

const detectContainer = (bytes: Uint8Array) =>
  CONTAINERS.find((container) => container.matches(bytes)) ?? null;

/**
 * Returns the container detected from the magic bytes at the start of the file; null if unknown.
 */
export function sniffAudio(bytes: Uint8Array): SniffedAudio | null {
  const container = detectContainer(bytes);
  return container && { contentType: container.contentType, extension: container.extension };
}

function formatMegabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}

/**
 * Throws AppError(too_large), field "audio", above `maxBytes`. `contentType` selects the advice in
 * the message.
 */
export function assertAudioSize(
  size: number,
  { maxBytes, maxMs }: AudioLimits = CALL_LIMITS,
  contentType = "",
): void {
  if (size <= maxBytes) return;
  const fix =
    contentType === "audio/wav" || contentType === "audio/flac"
      ? "Try exporting it as M4A, MP3 or Opus."
      : `Export it at a lower bit rate, up to ${maxMs / 60_000} minutes.`;
  throw new AppError(
    "too_large",
    `Your file is ${formatMegabytes(size)} MB. The limit is ${formatMegabytes(maxBytes)} MB. ${fix}`,
    { field: "audio" },
  );
}

/**
 * Returns the container, codec and duration. The duration is measured from the audio data, not read
 * from a header. Throws AppError (field "audio"): too_large above `maxBytes`; invalid for damaged
 * files, videos, codecs that some browsers can't play, and durations under 500 ms or over `maxMs`
 * plus one second.
 */
export async function probeAudio(
  bytes: Uint8Array,
  limits: AudioLimits = CALL_LIMITS,
): Promise<ProbedAudio> {
  if (bytes.length === 0) throw invalidAudioError("The recording is empty. Record it again.");
  const container = detectContainer(bytes);
  assertAudioSize(bytes.length, limits, container?.contentType);
  if (!container)
    throw invalidAudioError(
      "Unsupported format. Use M4A, MP3, WebM or Ogg with Opus, WAV or FLAC.",
    );
  const { codec, durationMs } = container.measure(bytes);
  if (!(durationMs >= MIN_DURATION_MS))
    throw invalidAudioError("Your recording is shorter than half a second. Record it again.");
  if (!(durationMs <= limits.maxMs + DURATION_TOLERANCE_MS)) {
    throw invalidAudioError(
      `Your recording is ${formatMinutes(durationMs)} long. The limit is ${formatMinutes(limits.maxMs)}.`,
    );
  }
  return {
    contentType: container.contentType,
    extension: container.extension,
    codec,
    durationMs: Math.round(durationMs),
  };
}

function formatMinutes(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  // A hostile file may claim any duration.
  if (seconds >= 24 * 3600) return "more than a day";
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * Returns the bytes of Call.base64, a data URL or plain base64; null if there are none. The URL's
 * MIME type is ignored.
 */
export function decodeRecording(base64: string): Uint8Array | null {
  let start = 0;
  if (base64.startsWith("data:")) {
    const comma = base64.slice(0, 300).indexOf(",");
    if (comma < 0 || !/;\s*base64\s*$/i.test(base64.slice(5, comma))) return null;
    start = comma + 1;
  }
  const bytes = Buffer.from(base64.slice(start), "base64");
  return bytes.length > 0 ? bytes : null;
}
