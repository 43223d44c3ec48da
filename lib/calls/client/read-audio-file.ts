// A file from the member's own disk: looked at here as the server will, so that a wrong one is refused before it travels.

import { measureLevel } from "./level-meter.ts";

const DECODE_TIMEOUT_MS = 8_000;

/**
 * The file as audio labelled as what it is, its length, and its loudness by tenths of a second (none where the browser can't
 * decode it). Throws the sentences of lib/calls/audio/probe.ts.
 */
export async function readAudioFile(
  file: File,
  maxMs: number,
): Promise<{ audio: Blob; durationMs: number; levels: number[] }> {
  // Loaded only when somebody chooses a file.
  const { ANSWER_LIMITS, CALL_LIMITS, MAX_CALL_MS, assertAudioSize, probeAudio } =
    await import("#lib/calls/audio/probe.ts");
  const limits = { ...(maxMs <= MAX_CALL_MS ? CALL_LIMITS : ANSWER_LIMITS), maxMs };
  assertAudioSize(file.size, limits, file.type); // before it is read: it could be a film of some gigabytes
  const bytes = await file.arrayBuffer();
  const { contentType, durationMs } = await probeAudio(new Uint8Array(bytes), limits);
  return {
    audio: new Blob([bytes], { type: contentType }),
    durationMs,
    levels: await decodeLevels(bytes, durationMs),
  };
}

async function decodeLevels(bytes: ArrayBuffer, durationMs: number): Promise<number[]> {
  // Decoded it is forty times as large: long ones go without a picture.
  if (typeof OfflineAudioContext === "undefined" || durationMs > 180_000) return [];
  try {
    const rate = 8_000;
    const decoding = new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.slice(0));
    const decoded = await Promise.race([
      decoding,
      new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error("too slow")), DECODE_TIMEOUT_MS),
      ),
    ]);
    const samples = decoded.getChannelData(0);
    const step = rate / 10;
    return Array.from({ length: Math.floor(samples.length / step) }, (_, i) =>
      measureLevel(samples.subarray(i * step, (i + 1) * step)),
    );
  } catch {
    return [];
  }
}
