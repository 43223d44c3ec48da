// What a recording is, by its bytes: the container, what is in it, how long it lasts. What a client says of it counts for nothing.
// Each reader goes through its file once, in order, in constant memory: no file can make one slow (audio-fuzz.test.ts).

import { AppError } from "#lib/core/errors.ts";
import { skipId3Tags, readMp3Frame, readFlac, readMp3, readOgg, readWav } from "./frames.ts";
import { readMp4 } from "./mp4.ts";
import { type AudioTrack, readAscii, invalidAudioError } from "./track.ts";
import { readWebm } from "./webm.ts";

/** reference.md: two minutes or less. */
export const MAX_CALL_MS = 120_000;
/** Two minutes at 320 kbit/s, the most that MP3 has, are 4.8 MB: this also leaves room for a cover. Ten parts of an upload. */
export const MAX_CALL_BYTES = 10 * 524_288;
/** An answer may take its time. */
export const MAX_ANSWER_MS = 30 * 60_000;
/**
 * Half an hour at 64 kbit/s is 14.4 MB. Not more: the row travels to every replica as one transaction,
 * and the door for writes is shut for everybody else while it is stored.
 */
export const MAX_ANSWER_BYTES = 32 * 524_288;
const MIN_DURATION_MS = 500;
/** A recorder that stops at two minutes stops a little later. */
const DURATION_TOLERANCE_MS = 1_000;

export interface AudioLimits {
  readonly maxMs: number;
  readonly maxBytes: number;
}
export const CALL_LIMITS: AudioLimits = { maxMs: MAX_CALL_MS, maxBytes: MAX_CALL_BYTES };
/** For admins. */
export const ANSWER_LIMITS: AudioLimits = { maxMs: MAX_ANSWER_MS, maxBytes: MAX_ANSWER_BYTES };

export interface SniffedAudio {
  /** Without parameters, such as "audio/webm". */
  readonly contentType: string;
  /** Without a dot, such as "webm". */
  readonly extension: string;
}

export interface ProbedAudio extends SniffedAudio {
  readonly codec: AudioTrack["codec"];
  /** A whole number. */
  readonly durationMs: number;
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
      throw invalidAudioError("This is bare AAC, which not every browser plays. Save it as M4A.");
    },
  },
  {
    contentType: "audio/mpeg",
    extension: "mp3",
    matches: (bytes) => {
      // Without a tag in front two frames in a row make an MP3: the signs of one come up in any data.
      const at = skipId3Tags(bytes);
      const frame = readMp3Frame(bytes, at);
      return at > 0 || (frame !== null && readMp3Frame(bytes, at + frame.length) !== null);
    },
    measure: readMp3,
  },
];

const detectContainer = (bytes: Uint8Array) =>
  CONTAINERS.find((container) => container.matches(bytes)) ?? null;

/** The kind of file that `bytes` begin, or null for one that is not a recording we know. Looks at the beginning only. */
export function sniffAudio(bytes: Uint8Array): SniffedAudio | null {
  const found = detectContainer(bytes);
  return found && { contentType: found.contentType, extension: found.extension };
}

function formatMegabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}

/** AppError(too_large), field "audio", for a recording of more bytes than `limits` allow. */
export function assertAudioSize(
  size: number,
  { maxBytes, maxMs }: AudioLimits = CALL_LIMITS,
  contentType = "",
): void {
  if (size <= maxBytes) return;
  const fix =
    contentType === "audio/wav" || contentType === "audio/flac"
      ? "Export it as M4A, MP3 or Opus: the same sound in a tenth of the size."
      : `Export it with fewer bits a second, for ${maxMs / 60_000} minutes at most.`;
  throw new AppError(
    "too_large",
    `The recording has ${formatMegabytes(size)} MB; at most ${formatMegabytes(maxBytes)} MB fit. ${fix}`,
    { field: "audio" },
  );
}

/**
 * What `bytes` are. The duration is measured from the sound that is there, not read from a header.
 * Throws AppError for the field "audio": too_large above `maxBytes`; invalid for what is empty, not audio, damaged, a film,
 * in a codec that browsers don't all play, shorter than half a second or longer than `maxMs` and a second.
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
      "This is not a recording that we know. Take M4A, MP3, WebM or Ogg with Opus, WAV or FLAC.",
    );
  const { codec, durationMs } = container.measure(bytes);
  if (!(durationMs >= MIN_DURATION_MS))
    throw invalidAudioError("The recording is shorter than half a second. Record it again.");
  if (!(durationMs <= limits.maxMs + DURATION_TOLERANCE_MS)) {
    throw invalidAudioError(
      `The recording lasts ${formatMinutes(durationMs)}; at most ${formatMinutes(limits.maxMs)} fit. Make it shorter.`,
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
  // What a hostile file claims may be any number.
  if (seconds >= 24 * 3600) return "more than a day";
  return seconds % 60 === 0
    ? `${seconds / 60} minutes`
    : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} minutes`;
}

/**
 * The bytes in Call.base64, a data URL (or bare base64, as rows moved in from elsewhere may have it); null for a typed question
 * and for what holds none. What the URL says of its type is not looked at.
 */
export function decodeRecording(base64: string): Uint8Array | null {
  let from = 0;
  if (base64.startsWith("data:")) {
    const comma = base64.slice(0, 300).indexOf(",");
    if (comma < 0 || !/;\s*base64\s*$/i.test(base64.slice(5, comma))) return null;
    from = comma + 1;
  }
  const bytes = Buffer.from(base64.slice(from), "base64");
  return bytes.length > 0 ? bytes : null;
}
