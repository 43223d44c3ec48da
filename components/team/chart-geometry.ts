// Computes the positions of lines, marks and labels in the standings chart.

import { DAY_MS } from "#lib/core/clock.ts";
import type { StandingsSnapshot } from "#lib/reading/standings-history.ts";
import { TEAMS, type Team } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";

export interface ChartSize {
  /** In SVG units: about CSS pixels at the displayed width. */
  readonly width: number;
  readonly height: number;
  /** Labels every n-th month. */
  readonly monthStep: number;
}

export interface ChartGeometry {
  readonly lines: readonly {
    readonly team: Team;
    /** "x,y x,y …" */
    readonly points: string;
    readonly marks: readonly { readonly x: number; readonly y: number }[];
    readonly label: { readonly x: number; readonly y: number; readonly text: string };
  }[];
  readonly gridLines: readonly { readonly y: number; readonly text: string }[];
  readonly months: readonly { readonly x: number; readonly text: string }[];
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

const MARGIN = { top: 14, bottom: 30, left: 34 };
/** Between the last point and its label. */
const LABEL_OFFSET = 12;
/** About the width of a character of a label, in SVG units. */
const CHARACTER_WIDTH = 8;
/** Labels take at most this share of the width. */
const MAX_LABEL_SHARE = 0.45;
const LABEL_GAP = 20;
const MARK_EVERY = 4;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const roundToTenth = (value: number) => Math.round(value * 10) / 10;

/** Returns the step of the grid: 1, 2 or 5 times a power of ten, for three to six lines up to `highest`. */
function chooseTickStep(highest: number): number {
  const power = 10 ** Math.floor(Math.log10(highest / 3));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => highest / step <= 5)!;
}

/** Returns y positions close to `preferred`, at least LABEL_GAP apart and not below `lowest`. */
function spreadLabels(preferred: readonly number[], lowest: number): number[] {
  const order = preferred.map((_, i) => i).sort((a, b) => preferred[a]! - preferred[b]!);
  const result = [...preferred];
  for (const [rank, i] of order.entries())
    if (rank > 0) result[i] = Math.max(result[i]!, result[order[rank - 1]!]! + LABEL_GAP);
  for (let rank = order.length - 1, limit = lowest; rank >= 0; rank--, limit -= LABEL_GAP)
    result[order[rank]!] = Math.min(result[order[rank]!]!, limit);
  return result;
}

/** Returns the team's name with its reads per member, or only the name if both don't fit. */
function labelOf(name: string, readsPerMember: number, width: number): string {
  const label = `${name} ${readsPerMember.toFixed(2)}`;
  return label.length * CHARACTER_WIDTH > width * MAX_LABEL_SHARE ? name : label;
}

/** Returns the first days of months between the days `from` and `to` (since 1970), with short names. */
function listMonths(
  from: number,
  to: number,
  everyMonths: number,
): { day: number; text: string }[] {
  const first = new Date(from * DAY_MS);
  const months: { day: number; text: string }[] = [];
  for (let month = first.getUTCMonth() + 1; ; month += 1) {
    const date = new Date(Date.UTC(first.getUTCFullYear(), month, 1));
    const day = date.getTime() / DAY_MS;
    if (day > to) return months.filter((_, i) => (months.length - 1 - i) % everyMonths === 0);
    months.push({ day, text: MONTHS[date.getUTCMonth()]! });
  }
}

/** Computes the chart of `history`: oldest first, at least two snapshots. */
export function computeChartGeometry(
  history: readonly StandingsSnapshot[],
  { width, height, monthStep }: ChartSize,
): ChartGeometry {
  const highest = Math.max(
    ...history.flatMap(({ teams }) => teams.map(({ readsPerMember }) => readsPerMember)),
  );
  const step = highest > 0 ? chooseTickStep(highest) : 1;
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  const top = Math.max(1, Math.ceil(roundToTenth(highest / step))) * step;
  const [from, to] = [history[0]!.day, history.at(-1)!.day];
  const last = history.at(-1)!;
  const ratios = TEAMS.map(
    (team) => last.teams.find((standing) => standing.team === team)!.readsPerMember,
  );
  const labels = TEAMS.map((team, i) => labelOf(teamName(team), ratios[i]!, width));
  const labelWidth = Math.max(...labels.map(({ length }) => length)) * CHARACTER_WIDTH;
  const right = width - LABEL_OFFSET - labelWidth;
  const bottom = height - MARGIN.bottom;
  const x = (day: number) =>
    roundToTenth(MARGIN.left + ((day - from) / (to - from)) * (right - MARGIN.left));
  const y = (readsPerMember: number) =>
    roundToTenth(bottom - (readsPerMember / top) * (bottom - MARGIN.top));
  const pointsOf = (team: Team) =>
    history.map(({ day, teams }) => ({
      x: x(day),
      y: y(teams.find((standing) => standing.team === team)!.readsPerMember),
    }));
  const heights = spreadLabels(ratios.map(y), bottom);
  return {
    lines: TEAMS.map((team, i) => {
      const points = pointsOf(team);
      return {
        team,
        points: points.map((point) => `${point.x},${point.y}`).join(" "),
        marks: points.filter((_, j) => (points.length - 1 - j) % MARK_EVERY === 0),
        label: { x: right + LABEL_OFFSET, y: heights[i]!, text: labels[i]! },
      };
    }),
    gridLines: Array.from({ length: Math.round(top / step) + 1 }, (_, i) => ({
      y: y(i * step),
      text: (i * step).toFixed(decimals),
    })),
    months: listMonths(from, to, monthStep).map(({ day, text }) => ({ x: x(day), text })),
    left: MARGIN.left,
    right,
    bottom,
  };
}
