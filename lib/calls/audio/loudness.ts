// Measures the loudness of an MP3 file over time, without decoding it.

import { isVbrHeader, readMp3Frame, skipId3Tags } from "./frames.ts";

/** In dB per step of global_gain (ISO 11172-3, 2.4.3.4). */
const GAIN_STEP_DB = 1.505;
/** A level this far below the loud parts is 0. */
const RANGE_DB = 36;
/** Defines the loud parts. Not the maximum: an encoder's first frames can be louder than the rest. */
const LOUD_QUANTILE = 0.97;

function readBits(bytes: Uint8Array, bit: number, count: number): number {
  let value = 0;
  for (let i = bit; i < bit + count; i++)
    value = value * 2 + (((bytes[i >> 3] ?? 0) >> (7 - (i & 7))) & 1);
  return value;
}

/** Returns global_gain of the first granule in the frame at `at`: its level. 0 for a granule without sound. */
function readGain(bytes: Uint8Array, at: number): number {
  const isMpeg1 = (bytes[at + 1]! & 8) !== 0;
  const hasCrc = (bytes[at + 1]! & 1) === 0;
  const isMono = bytes[at + 3]! >> 6 === 3;
  // main_data_begin, private_bits and scfsi are before the granule's part2_3_length (12 bits),
  // big_values (9) and global_gain (8).
  const preface = isMpeg1 ? (isMono ? 18 : 20) : isMono ? 9 : 10;
  const granule = (at + (hasCrc ? 6 : 4)) * 8 + preface;
  return readBits(bytes, granule + 12, 9) === 0 ? 0 : readBits(bytes, granule + 21, 8);
}

/**
 * Returns `count` levels from 0 (silence) to 1 (the loud parts), each the average of an equal part
 * of the recording; null unless it is an MP3 file with at least two frames.
 */
export function measureLoudness(bytes: Uint8Array, count: number): number[] | null {
  const gains: number[] = [];
  for (let at = skipId3Tags(bytes); at + 4 <= bytes.length;) {
    const frame = readMp3Frame(bytes, at);
    if (!frame || at + frame.length > bytes.length) break;
    if (gains.length > 0 || !isVbrHeader(bytes, at)) gains.push(readGain(bytes, at));
    at += frame.length;
  }
  if (gains.length < 2) return null;
  const loud = gains.toSorted((a, b) => a - b)[Math.floor((gains.length - 1) * LOUD_QUANTILE)]!;
  const levels = gains.map((gain) =>
    Math.min(1, Math.max(0, 1 - ((loud - gain) * GAIN_STEP_DB) / RANGE_DB)),
  );
  return Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * levels.length) / count);
    const end = Math.max(start + 1, Math.floor(((i + 1) * levels.length) / count));
    const part = levels.slice(start, end);
    return part.reduce((sum, level) => sum + level, 0) / part.length;
  });
}
