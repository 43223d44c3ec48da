// Measures microphone loudness for the waveform and the silence warning.

const SAMPLE_INTERVAL_MS = 50;

/** Four seconds. After that long, a muted microphone is more likely than a pause in speech. */
const QUIET_TENTHS = 40;
const QUIET_LEVEL = 8;

export interface LevelMeter {
  close(): void;
}

/**
 * Returns null without Web Audio, or if it can't read this stream: Firefox refuses one with another
 * sample rate, and Chromium limits the number of contexts.
 */
function createAnalyser(stream: MediaStream): AnalyserNode | null {
  let context: AudioContext | undefined;
  try {
    context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 2_048;
    context.createMediaStreamSource(stream).connect(analyser);
    return analyser;
  } catch {
    void context?.close().catch(() => {});
    return null;
  }
}

/**
 * Calls `onLevel` with 0–100 about 20 times a second until closed; never if the loudness can't be
 * measured.
 */
export function startLevelMeter(stream: MediaStream, onLevel: (level: number) => void): LevelMeter {
  const analyser = createAnalyser(stream);
  if (!analyser) return { close() {} };
  const context = analyser.context as AudioContext;
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    // The system may suspend the context, for example during a phone call.
    if (context.state === "suspended") void context.resume().catch(() => {});
    analyser.getFloatTimeDomainData(samples);
    onLevel(measureLevel(samples));
  }, SAMPLE_INTERVAL_MS);
  return {
    close() {
      clearInterval(timer);
      void context.close().catch(() => {});
    },
  };
}

/**
 * Returns the loudness of samples from −1 to 1 as 0–100: the range of speech, −54 dB to −6 dB,
 * mapped linearly.
 */
export function measureLevel(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-10);
  return Math.round(Math.min(1, Math.max(0, (decibels + 54) / 48)) * 100);
}

/**
 * Returns whether the last four seconds were silent. `levels` has the peak of each tenth of a
 * second.
 */
export function isQuiet(levels: readonly number[]): boolean {
  return levels.length >= QUIET_TENTHS && Math.max(...levels.slice(-QUIET_TENTHS)) < QUIET_LEVEL;
}

/** Downsamples `levels` to at most `count` values, the peak of each segment. */
export function downsampleLevels(levels: readonly number[], count: number): number[] {
  if (levels.length <= count) return [...levels];
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * levels.length) / count);
    const to = Math.max(from + 1, Math.floor(((i + 1) * levels.length) / count));
    return Math.max(...levels.slice(from, to));
  });
}
