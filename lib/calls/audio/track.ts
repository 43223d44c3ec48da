// What the readers of the audio containers have in common: what they find, and the ways in which a file is refused.

import { AppError } from "#lib/core/errors.ts";

/** The one track of sound in a file, as measured from its data, never from what its header says of it. */
export interface AudioTrack {
  readonly codec: "opus" | "vorbis" | "aac" | "mp3" | "pcm" | "flac";
  readonly durationMs: number;
}

/** AppError(invalid) for the field "audio". */
export const invalidAudioError = (message: string) =>
  new AppError("invalid", message, { field: "audio" });
export const damagedAudioError = (name: string) =>
  invalidAudioError(`This ${name} file is damaged or was cut off. Record it or export it again.`);
export const videoTrackError = () =>
  invalidAudioError(
    "This is a film, not a recording. Send its sound only, as M4A, MP3, Ogg or WebM.",
  );
export const unsupportedCodecError = (name: string) =>
  invalidAudioError(
    `The sound in this ${name} file is of a kind that not every browser plays. Export it as M4A (AAC) or MP3.`,
  );

export const readAscii = (bytes: Uint8Array, at: number, length: number) =>
  String.fromCharCode(...bytes.subarray(at, at + length));
export const toDataView = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Milliseconds of sound in one Opus packet, by its first two bytes (RFC 6716, 3.1 and 3.2); 0 for an empty one. */
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
  // Longer ones are not allowed, and nothing plays them.
  return Math.min(frames * frameMs, 120);
}
