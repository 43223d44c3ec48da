// How loud the microphone is, a few times a second, for the picture and for the words about it.

const SAMPLE_INTERVAL_MS = 50;

export interface LevelMeter {
  close(): void;
}

/** Calls `onLevel` with 0–100 about twenty times a second until it is closed. Without Web Audio it never calls. */
export function startLevelMeter(stream: MediaStream, onLevel: (level: number) => void): LevelMeter {
  if (typeof AudioContext === "undefined") return { close() {} };
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2_048;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    // A context that the system put to sleep (a phone call) wakes with the next look.
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

/** Loudness of samples from −1 to 1 as 0–100: the range of speech, −54 dB to −6 dB, spread evenly. */
export function measureLevel(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-10);
  return Math.round(Math.min(1, Math.max(0, (decibels + 54) / 48)) * 100);
}

/** `levels` as at most `count` of them: the loudest of each stretch. */
export function downsampleLevels(levels: readonly number[], count: number): number[] {
  if (levels.length <= count) return [...levels];
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * levels.length) / count);
    const to = Math.max(from + 1, Math.floor(((i + 1) * levels.length) / count));
    return Math.max(...levels.slice(from, to));
  });
}
