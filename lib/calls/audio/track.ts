// Defines what the container readers share: the result type, the errors, and Opus packet durations.

import { AppError } from "#lib/core/errors.ts";

/** The only audio track of a file, measured from its data, not from its header. */
export interface AudioTrack {
  readonly codec: "opus" | "vorbis" | "aac" | "mp3" | "pcm" | "flac";
  readonly durationMs: number;
}

/** Returns AppError(invalid) for the field "audio". */
export const invalidAudioError = (message: string) =>
  new AppError("invalid", message, { field: "audio" });
export const damagedAudioError = (name: string) =>
  invalidAudioError(`This ${name} file is damaged or incomplete. Record or export it again.`);
export const videoTrackError = () =>
  invalidAudioError("This is a video. Upload audio only, as M4A, MP3, Ogg or WebM.");
export const unsupportedCodecError = (name: string) =>
  invalidAudioError(
    `Not every browser can play the codec in this ${name} file. Export it as M4A (AAC) or MP3.`,
  );

export const multipleTracksError = () =>
  invalidAudioError("This file has more than one audio track. Export it with one.");

export const readAscii = (bytes: Uint8Array, offset: number, length: number) =>
  String.fromCharCode(...bytes.subarray(offset, offset + length));
export const toDataView = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Returns the milliseconds of audio in an Opus packet, given its first two bytes (RFC 6716, 3.1 and
 * 3.2); 0 if empty.
 */
export function opusPacketMs(first: number | undefined, second: number | undefined): number {
  if (first === undefined) return 0;
  const config = first >> 3;
  const frameMs =
    config < 12
      ? [10, 20, 40, 60][config & 3]!
      : config < 16
        ? [10, 20][config & 1]!
        : [2.5, 5, 10, 20][config & 3]!;
  const code = first & 3;
  const frames = code === 0 ? 1 : code === 3 ? (second ?? 1) & 63 : 2;
  // RFC 6716 allows at most 120 ms.
  return Math.min(frames * frameMs, 120);
}
