// Renders reads per day, stacked by team, as a chart and as a table.

import { ScrollableTable } from "./scrollable-table.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { TEAMS } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { formatMonth, pluralize } from "#lib/core/format.ts";
import type { DailyReads } from "#lib/reading/daily-reads.ts";

/** Returns the series from the bottom up: a team's reads each, or those of all members. */
const listSeries = () => [
  ...(siteConfig.features.teams
    ? TEAMS.map((team) => ({ key: team.toLowerCase(), name: teamName(team), teams: [team] }))
    : [{ key: "blue", name: "Members", teams: TEAMS }]),
  { key: "unknown", name: "Guests", teams: ["UNKNOWN"] },
];
const TICKS = 4;
const HEIGHT = 100;
const BAR = 8;
const GAP = 2;

const formatIsoDate = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
const sumReads = (teams: readonly string[], { byTeam }: DailyReads) =>
  teams.reduce((sum, team) => sum + (byTeam[team] ?? 0), 0);

/** Returns the smallest of 4, 8, 20, 40, 80, 200 … that is at least `max`, so that four even steps are integers. */
export function niceMaximum(max: number): number {
  for (let unit = TICKS; ; unit *= 10) {
    const top = [unit, unit * 2, unit * 5].find((top) => top >= max);
    if (top) return top;
  }
}

/** Returns "2026-11-23: 12 reads · Red 4 · Guests 8". */
export function describeDay(day: DailyReads): string {
  const parts = listSeries()
    .map(({ name, teams }) => [name, sumReads(teams, day)] as const)
    .filter(([, reads]) => reads > 0)
    .map(([name, reads]) => ` · ${name} ${reads}`);
  return `${formatIsoDate(day.day)}: ${pluralize(day.total, "read")}${parts.join("")}`;
}

/** Returns the first days of months, with their place from 0 to 1, for the labels of the axis. */
export function listMonthTicks(days: readonly DailyReads[]): { label: string; place: number }[] {
  return days.flatMap(({ day }, i) => {
    const date = formatIsoDate(day);
    if (!date.endsWith("-01")) return [];
    return [{ label: formatMonth(date.slice(0, 7)), place: i / days.length }];
  });
}

export function ReadsChart({ days, label }: { days: readonly DailyReads[]; label: string }) {
  const series = listSeries();
  const top = niceMaximum(Math.max(...days.map(({ total }) => total)));
  const total = days.reduce((sum, { total }) => sum + total, 0);
  const best = days.reduce((best, day) => (day.total > best.total ? day : best), days[0]!);
  const width = days.length * (BAR + GAP) - GAP;
  const y = (reads: number) => HEIGHT - (reads / top) * HEIGHT;
  const summary =
    total === 0
      ? `${label}: none in ${days.length} days.`
      : `${label}: ${total} in ${days.length} days, most on ${formatIsoDate(best.day)} (${best.total}). The table below has all numbers.`;
  return (
    <figure className="desk-section">
      <figcaption>
        <ul className="days-legend">
          {series.map(({ key, name }) => (
            <li key={key}>
              <svg className="days-swatch" viewBox="0 0 1 1" aria-hidden="true">
                <rect width="1" height="1" className={`days-${key}`} />
              </svg>
              {name}
            </li>
          ))}
        </ul>
      </figcaption>
      <div className="days">
        <div className="days-ticks" aria-hidden="true">
          {Array.from({ length: TICKS + 1 }, (_, i) => (
            <span key={i}>{(top / TICKS) * (TICKS - i)}</span>
          ))}
        </div>
        <svg
          className="days-plot"
          viewBox={`0 0 ${width} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={summary}
        >
          {Array.from({ length: TICKS + 1 }, (_, i) => (
            <line
              key={i}
              className="days-line"
              x1="0"
              x2={width}
              y1={(HEIGHT / TICKS) * i}
              y2={(HEIGHT / TICKS) * i}
            />
          ))}
          {days.map((day, i) => {
            let below = 0;
            return (
              <g key={day.day}>
                <title>{describeDay(day)}</title>
                <rect
                  className="days-hit"
                  x={i * (BAR + GAP) - GAP / 2}
                  width={BAR + GAP}
                  height={HEIGHT}
                />
                {series.map(({ key, teams }) => {
                  const reads = sumReads(teams, day);
                  if (reads === 0) return null;
                  below += reads;
                  return (
                    <rect
                      key={key}
                      className={`days-${key}`}
                      x={i * (BAR + GAP)}
                      width={BAR}
                      y={y(below)}
                      height={y(below - reads) - y(below)}
                    />
                  );
                })}
              </g>
            );
          })}
        </svg>
        <div className="days-axis" aria-hidden="true">
          {listMonthTicks(days).map(({ label, place }) => (
            <span key={label} style={{ insetInlineStart: `${place * 100}%` }}>
              {label}
            </span>
          ))}
        </div>
      </div>
      <details className="days-table">
        <summary>Daily numbers</summary>
        <ScrollableTable label={`${label}, daily`}>
          <thead>
            <tr>
              <th scope="col">Day (UTC)</th>
              {series.map(({ key, name }) => (
                <th scope="col" className="number" key={key}>
                  {name}
                </th>
              ))}
              <th scope="col" className="number">
                All
              </th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((day) => (
              <tr key={day.day}>
                <th scope="row" className="figures">
                  {formatIsoDate(day.day)}
                </th>
                {series.map(({ key, teams }) => (
                  <td className="number" key={key}>
                    {sumReads(teams, day)}
                  </td>
                ))}
                <td className="number">{day.total}</td>
              </tr>
            ))}
          </tbody>
        </ScrollableTable>
      </details>
    </figure>
  );
}
