// Renders reads per day, stacked by team, as a chart and as a table.

import { DataTable } from "./data-table.tsx";
import { DayInspector } from "./day-inspector.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { TEAMS } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { formatIsoDate, formatMonth, pluralize } from "#lib/core/format.ts";
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

const formatDay = (day: number) => formatIsoDate(day * DAY_MS);
const sumReads = (teams: readonly string[], { byTeam }: DailyReads) =>
  teams.reduce((sum, team) => sum + (byTeam[team] ?? 0), 0);

/** Returns the smallest of 4, 8, 20, 40, 80, 200 … that is at least `max`, so that four even steps are integers. */
export function niceMaximum(max: number): number {
  for (let unit = TICKS; ; unit *= 10) {
    const top = [unit, unit * 2, unit * 5].find((top) => top >= max);
    if (top) return top;
  }
}

/** Returns "2026-11-23: 12 reads · Red 4 · Guests 8 · 9 reads on 2026-08-25". */
export function describeDay(day: DailyReads, previous?: DailyReads): string {
  const parts = listSeries()
    .map(({ name, teams }) => [name, sumReads(teams, day)] as const)
    .filter(([, reads]) => reads > 0)
    .map(([name, reads]) => `${name} ${reads}`);
  if (previous) parts.push(`${pluralize(previous.total, "read")} on ${formatDay(previous.day)}`);
  return [`${formatDay(day.day)}: ${pluralize(day.total, "read")}`, ...parts].join(" · ");
}

/** Returns the first days of months, with their place from 0 to 1, for the labels of the axis. */
export function listMonthTicks(days: readonly DailyReads[]): { label: string; place: number }[] {
  return days.flatMap(({ day }, i) => {
    const date = formatDay(day);
    if (!date.endsWith("-01")) return [];
    return [{ label: formatMonth(date.slice(0, 7)), place: i / days.length }];
  });
}

function Legend({ previousLabel }: { previousLabel: string }) {
  return (
    <ul className="days-legend">
      {listSeries().map(({ key, name }) => (
        <li key={key}>
          <svg className="days-swatch" viewBox="0 0 1 1" aria-hidden="true">
            <rect width="1" height="1" className={`days-${key}`} />
          </svg>
          {name}
        </li>
      ))}
      <li>
        <svg className="days-swatch" viewBox="0 0 12 12" aria-hidden="true">
          <path className="days-previous" d="M0 6H12" />
        </svg>
        {previousLabel}
      </li>
    </ul>
  );
}

/** Draws a day's reads as a stack of bars at the `i`th place. */
function DayBars({
  day,
  i,
  title,
  top,
}: {
  day: DailyReads;
  i: number;
  title: string;
  top: number;
}) {
  const y = (reads: number) => HEIGHT - (reads / top) * HEIGHT;
  let below = 0;
  return (
    <g>
      <title>{title}</title>
      <rect className="days-hit" x={i * (BAR + GAP) - GAP / 2} width={BAR + GAP} height={HEIGHT} />
      {listSeries().map(({ key, teams }) => {
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
}

/** Returns a polyline through the mean of each day and the three days before and after it. */
export function drawWeeklyAverage(days: readonly DailyReads[], top: number): string {
  return days
    .map((_, i) => {
      const week = days.slice(Math.max(0, i - 3), i + 4);
      const mean = week.reduce((sum, { total }) => sum + total, 0) / week.length;
      return `${i * (BAR + GAP) + BAR / 2},${+(HEIGHT * (1 - mean / top)).toFixed(1)}`;
    })
    .join(" ");
}

function DailyTable({ days, label }: { days: readonly DailyReads[]; label: string }) {
  return (
    <details className="days-table">
      <summary>Daily numbers</summary>
      <DataTable
        label={`${label}, daily`}
        rows={days.toReversed()}
        keyOf={({ day }) => day}
        columns={[
          { label: "Day (UTC)", kind: "figures", render: ({ day }) => formatDay(day) },
          ...listSeries().map(({ name, teams }) => ({
            label: name,
            kind: "number",
            render: (day: DailyReads) => sumReads(teams, day),
          })),
          { label: "All", kind: "number", render: ({ total }) => total },
        ]}
      />
    </details>
  );
}

/** `previous` are as many days before `days`, for comparison. */
export function ReadsChart({
  days,
  previous,
  label,
}: {
  days: readonly DailyReads[];
  previous: readonly DailyReads[];
  label: string;
}) {
  const top = niceMaximum(Math.max(...[...days, ...previous].map(({ total }) => total)));
  const total = days.reduce((sum, { total }) => sum + total, 0);
  const best = days.reduce((best, day) => (day.total > best.total ? day : best), days[0]!);
  const width = days.length * (BAR + GAP) - GAP;
  const titles = days.map((day, i) => describeDay(day, previous[i]));
  const summary =
    total === 0
      ? `${label}: none in ${days.length} days.`
      : `${label}: ${total} in ${days.length} days, most on ${formatDay(best.day)} (${best.total}). The table below has all numbers.`;
  return (
    <figure className="desk-section">
      <figcaption>
        <Legend previousLabel={`Previous ${days.length} days, 7-day average`} />
      </figcaption>
      <div className="days">
        <div className="days-ticks" aria-hidden="true">
          {Array.from({ length: TICKS + 1 }, (_, i) => (
            <span key={i}>{(top / TICKS) * (TICKS - i)}</span>
          ))}
        </div>
        <DayInspector days={titles}>
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
            {days.map((day, i) => (
              <DayBars key={day.day} day={day} i={i} title={titles[i]!} top={top} />
            ))}
            <polyline className="days-previous" points={drawWeeklyAverage(previous, top)} />
          </svg>
        </DayInspector>
        <div className="days-axis" aria-hidden="true">
          {listMonthTicks(days).map(({ label, place }) => (
            <span
              key={label}
              className={place > 0.8 ? "days-axis-end" : undefined}
              style={
                place > 0.8
                  ? { insetInlineEnd: `${(1 - place) * 100}%` }
                  : { insetInlineStart: `${place * 100}%` }
              }
            >
              {label.slice(0, 3)}
            </span>
          ))}
        </div>
      </div>
      <DailyTable days={days} label={label} />
    </figure>
  );
}
