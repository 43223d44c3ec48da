// Validates an audio file in the browser by the server's rules, to reject an invalid one before the
// upload.

import { measureLevel } from "./level-meter.ts";

const DECODE_TIMEOUT_MS = 8_000;

/**
 * Returns the audio with its detected content type, its duration, and the peak of each tenth of a
 * second (empty if the browser can't decode it). Throws the AppErrors of lib/calls/audio/probe.ts.
 */
export async function readAudioFile(
  file: File,
  maxMs: number,
): Promise<{ audio: Blob; durationMs: number; levels: number[] }> {
  // Loaded on demand: the parsers are not needed to record.
  const { ANSWER_LIMITS, CALL_LIMITS, MAX_CALL_MS, assertAudioSize, probeAudio } =
    await import("#lib/calls/audio/probe.ts");
  const limits = { ...(maxMs <= MAX_CALL_MS ? CALL_LIMITS : ANSWER_LIMITS), maxMs };
  assertAudioSize(file.size, limits, file.type); // before reading: it could be a video of several GB
  const bytes = await file.arrayBuffer();
  const { contentType, durationMs } = await probeAudio(new Uint8Array(bytes), limits);
  return {
    audio: new Blob([bytes], { type: contentType }),
    durationMs,
    levels: await decodeLevels(bytes, durationMs),
  };
}

async function decodeLevels(bytes: ArrayBuffer, durationMs: number): Promise<number[]> {
  // Decoded audio takes forty times the memory, so long files get no waveform.
  if (typeof OfflineAudioContext === "undefined" || durationMs > 180_000) return [];
  try {
    const rate = 8_000;
    const decoding = new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.slice(0));
    const decoded = await Promise.race([
      decoding,
      new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error("Decoding timed out.")), DECODE_TIMEOUT_MS),
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
