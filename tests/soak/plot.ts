// Draws the latency of reads by minute with the faults, as an SVG.

import type { Minute } from "./measurements.ts";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [760, 280, 56, 40, 36] as const;

export interface FaultMark {
  /** Minutes since the start. */
  readonly atMinute: number;
  readonly label: string;
}

/** Returns the SVG. The scale is logarithmic, from 1 ms. */
export function plotLatency(
  title: string,
  minutes: readonly Minute[],
  faults: readonly FaultMark[],
): string {
  const lastMinute = Math.max(1, ...minutes.map(({ minute }) => minute + 1));
  const maxMs = 10 ** Math.ceil(Math.log10(Math.max(10, ...minutes.map(({ p99Ms }) => p99Ms))));
  const x = (minute: number) => LEFT + (minute / lastMinute) * (WIDTH - LEFT - 16);
  const y = (ms: number) =>
    HEIGHT - BOTTOM - (Math.log10(Math.max(1, ms)) / Math.log10(maxMs)) * (HEIGHT - BOTTOM - TOP);
  const line = (key: "p50Ms" | "p99Ms", color: string) =>
    `<polyline fill="none" stroke="${color}" stroke-width="2" points="${minutes
      .map((each) => `${x(each.minute + 0.5).toFixed(1)},${y(each[key]).toFixed(1)}`)
      .join(" ")}"/>`;
  const ticks = Array.from({ length: Math.log10(maxMs) + 1 }, (_, i) => 10 ** i).map(
    (ms) =>
      `<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${y(ms).toFixed(1)}" y2="${y(ms).toFixed(1)}" stroke="#8884"/><text x="${LEFT - 6}" y="${(y(ms) + 4).toFixed(1)}" text-anchor="end">${ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`}</text>`,
  );
  const marks = faults.map(
    ({ atMinute, label }) =>
      `<line x1="${x(atMinute).toFixed(1)}" x2="${x(atMinute).toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#c40" stroke-dasharray="3 3"><title>${label}</title></line>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#888">
<text x="${LEFT}" y="18" font-size="13">${title}</text>
${ticks.join("\n")}
${marks.join("\n")}
${line("p50Ms", "#28c")}
${line("p99Ms", "#c28")}
<text x="${LEFT}" y="${HEIGHT - 10}">0 to ${lastMinute} minutes · blue p50, purple p99 of all reads · dashed: a fault starts</text>
</svg>
`;
}
