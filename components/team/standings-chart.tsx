// Draws the standings of the last six months as a chart and as a table. Lines differ in stroke, mark and label, not only in color.

import { formatDate, formatIsoDate } from "#lib/core/format.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import type { StandingsSnapshot } from "#lib/reading/standings-history.ts";
import { TEAMS, type Team } from "#lib/reading/team.ts";
import { type ChartSize, computeChartGeometry } from "./chart-geometry.ts";
import { teamName } from "#lib/reading/team-profile.ts";

/** Drawn in both sizes, so that text is legible on phones; CSS shows one. */
const SIZES: Record<"wide" | "narrow", ChartSize> = {
  wide: { width: 1100, height: 420, monthStep: 1 },
  narrow: { width: 350, height: 300, monthStep: 2 },
};

function Mark({ team, x, y }: { team: Team; x: number; y: number }) {
  if (team === "RED") return <circle cx={x} cy={y} r="4.5" />;
  if (team === "BLUE") return <rect x={x - 4} y={y - 4} width="8" height="8" />;
  return <path d={`M${x} ${y - 5.5}l5.5 9.5h-11z`} />;
}

function Plot({
  history,
  size,
}: {
  history: readonly StandingsSnapshot[];
  size: keyof typeof SIZES;
}) {
  const { width, height } = SIZES[size];
  const { lines, gridLines, months, left, right, bottom } = computeChartGeometry(
    history,
    SIZES[size],
  );
  return (
    <svg
      className={`chart chart-${size}`}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
      focusable="false"
    >
      {gridLines.map(({ y, text }) => (
        <g key={text}>
          <line className="chart-rule" x1={left} x2={right} y1={y} y2={y} />
          <text className="chart-text" x={left - 10} y={y + 4} textAnchor="end">
            {text}
          </text>
        </g>
      ))}
      {months.map(({ x, text }) => (
        <g key={text}>
          <line className="chart-rule" x1={x} x2={x} y1={bottom} y2={bottom + 6} />
          <text
            className="chart-text"
            x={x}
            y={bottom + 22}
            textAnchor={x > right - 14 ? "end" : "middle"}
          >
            {text}
          </text>
        </g>
      ))}
      {lines.map(({ team, points, marks, label }) => (
        <g key={team} className={`chart-${team.toLowerCase()}`}>
          <polyline className="chart-line" points={points} />
          <g className="chart-mark">
            {marks.map(({ x, y }) => (
              <Mark key={x} team={team} x={x} y={y} />
            ))}
          </g>
          <text className="chart-label" x={label.x} y={label.y + 5}>
            {label.text}
          </text>
        </g>
      ))}
    </svg>
  );
}

const toIsoDate = (day: number) => formatIsoDate(day * DAY_MS);

/** `history`: oldest first, at least two snapshots; the last one is now. */
export function StandingsChart({ history }: { history: readonly StandingsSnapshot[] }) {
  const newestFirst = [...history].reverse();
  return (
    <figure className="chart-figure">
      <figcaption>
        Reads per active member at the end of each week since{" "}
        {formatDate(toIsoDate(history[0]!.day))}.
      </figcaption>
      <Plot history={history} size="wide" />
      <Plot history={history} size="narrow" />
      <details className="chart-table">
        <summary>As a table</summary>
        <table className="table">
          <caption className="visually-hidden">
            Reads per active member of each team at the end of each week, newest first
          </caption>
          <thead>
            <tr>
              <th scope="col">Week ending</th>
              {TEAMS.map((team) => (
                <th key={team} scope="col" className="number">
                  {teamName(team)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {newestFirst.map(({ day, teams }, i) => (
              <tr key={day}>
                <th scope="row">
                  <time dateTime={toIsoDate(day)}>
                    {i === 0 ? "Now" : formatDate(toIsoDate(day))}
                  </time>
                </th>
                {TEAMS.map((team) => (
                  <td key={team} className="number">
                    {teams.find((standing) => standing.team === team)!.readsPerMember.toFixed(2)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
