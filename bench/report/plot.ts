// Draws each result relative to its goal as an SVG, for light and dark pages.

import { type Reports, formatGoal, resultsOf, withUnit } from "./goals.ts";
import { formatBench } from "./summary.ts";

/** As wide as a text column on a phone, so that nothing is scaled down there. */
const WIDTH = 356;
const LABELS = 214;
const [LEFT, RIGHT] = [LABELS + 8, WIDTH - 14];
const ROW = 16;
const HEADING = 22;
const TOP = 30;
const [LOWEST, HIGHEST] = [0.1, 10];
const TICKS = [
  [0.1, "0.1"],
  [0.3, "0.3"],
  [1, "goal"],
  [3, "3"],
  [10, "10 ×"],
] as const;

const escapeXml = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Returns the position on a logarithmic scale; what is beyond it is at its end. */
function x(timesGoal: number): number {
  const share = Math.log(timesGoal / LOWEST) / Math.log(HIGHEST / LOWEST);
  return LEFT + Math.min(1, Math.max(0, share)) * (RIGHT - LEFT);
}

const fixed = (value: number): string => value.toFixed(1);

export function plotResults(reports: Reports): string {
  let y = TOP;
  const rows: string[] = [];
  for (const [bench, report] of Object.entries(reports)) {
    const results = resultsOf(bench, report);
    if (results.length === 0) continue;
    y += HEADING;
    rows.push(`<text class="h" x="0" y="${y - 6}">${formatBench(bench)}</text>`);
    for (const result of results) {
      y += ROW;
      const at = fixed(x(result.timesGoal));
      const middle = y - ROW / 2;
      const [from, to] = [fixed(x(1)), at];
      rows.push(
        `<g class="${result.isMet ? "met" : "missed"}"><title>${escapeXml(`${bench}: ${result.name}: ${withUnit(result.value, result.unit)}, goal ${formatGoal(result)}`)}</title>` +
          `<text x="0" y="${y - 4}">${escapeXml(result.name)}</text>` +
          `<line x1="${from}" x2="${to}" y1="${middle}" y2="${middle}"/>` +
          (result.isMet
            ? `<circle cx="${at}" cy="${middle}" r="4"/>`
            : `<rect x="${fixed(x(result.timesGoal) - 3.5)}" y="${middle - 3.5}" width="7" height="7"/>`) +
          "</g>",
      );
    }
  }
  const height = y + 12;
  const ticks = TICKS.map(([tick, label]) => {
    const at = fixed(x(tick));
    return (
      `<line class="${tick === 1 ? "goal" : "tick"}" x1="${at}" x2="${at}" y1="${TOP}" y2="${height - 8}"/>` +
      `<text class="scale" x="${at}" y="${TOP - 6}">${label}</text>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">
<title id="title">Results of the benchmarks relative to their goals: a circle right of the line is met, a square left of it is missed</title>
<style>
text{font:11px system-ui,sans-serif;fill:#24292f}.h{font-weight:600}.scale{text-anchor:middle;fill:#57606a}
.tick{stroke:#d0d7de}.goal{stroke:#57606a;stroke-width:1.5}
.met{fill:#0a7c5c;stroke:#0a7c5c}.missed{fill:#b35900;stroke:#b35900}g text{stroke:none}g line{stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.scale{fill:#9198a1}.tick{stroke:#3d444d}.goal{stroke:#9198a1}.met{fill:#4fc3a1;stroke:#4fc3a1}.missed{fill:#f0a050;stroke:#f0a050}}
</style>
${ticks.join("\n")}
${rows.join("\n")}
</svg>
`;
}
