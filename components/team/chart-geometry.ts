// The geometry of the chart of standings: where the lines, marks and labels of one size of it stand.

import { DAY_MS } from "#lib/core/clock.ts";
import type { StandingsSnapshot } from "#lib/reading/standings-history.ts";
import { TEAMS, type Team } from "#lib/reading/team.ts";

export interface ChartSize {
  /** In units of the drawing, which are about CSS pixels at the width it is shown at. */
  readonly width: number;
  readonly height: number;
  /** How many months apart those are that are named. */
  readonly monthStep: number;
}

export interface ChartGeometry {
  readonly lines: readonly {
    readonly team: Team;
    readonly ratio: number;
    /** "x,y x,y …" */
    readonly points: string;
    readonly marks: readonly { readonly x: number; readonly y: number }[];
    readonly label: { readonly x: number; readonly y: number };
  }[];
  readonly gridLines: readonly { readonly y: number; readonly text: string }[];
  readonly months: readonly { readonly x: number; readonly text: string }[];
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

const MARGIN = { top: 14, right: 96, bottom: 30, left: 34 };
const LABEL_GAP = 20;
const MARK_EVERY = 4;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const roundToTenth = (value: number) => Math.round(value * 10) / 10;

/** The distance of rules for a highest value: 1, 2 or 5 times a power of ten, so that three to six of them fit. */
function chooseTickStep(highest: number): number {
  const power = 10 ** Math.floor(Math.log10(highest / 3));
  return [1, 2, 5, 10].map((of) => of * power).find((step) => highest / step <= 5)!;
}

/** Heights for labels that want to stand at `wanted`, at least LABEL_GAP apart and within the drawing. */
function spreadLabels(wanted: readonly number[], lowest: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const result = [...wanted];
  for (const [at, i] of order.entries())
    if (at > 0) result[i] = Math.max(result[i]!, result[order[at - 1]!]! + LABEL_GAP);
  for (let at = order.length - 1, limit = lowest; at >= 0; at--, limit -= LABEL_GAP)
    result[order[at]!] = Math.min(result[order[at]!]!, limit);
  return result;
}

/** The first days of months from `from` to `to` (days since 1970), each with its short name. */
function listMonths(
  from: number,
  to: number,
  everyMonths: number,
): { day: number; text: string }[] {
  const first = new Date(from * DAY_MS);
  const months: { day: number; text: string }[] = [];
  for (let month = first.getUTCMonth() + 1; ; month += 1) {
    const at = new Date(Date.UTC(first.getUTCFullYear(), month, 1));
    const day = at.getTime() / DAY_MS;
    if (day > to) return months.filter((_, i) => (months.length - 1 - i) % everyMonths === 0);
    months.push({ day, text: MONTHS[at.getUTCMonth()]! });
  }
}

/** The chart of `history` (oldest first, at least two) in one size. */
export function computeChartGeometry(
  history: readonly StandingsSnapshot[],
  { width, height, monthStep }: ChartSize,
): ChartGeometry {
  const highest = Math.max(...history.flatMap(({ teams }) => teams.map(({ ratio }) => ratio)));
  const step = highest > 0 ? chooseTickStep(highest) : 1;
  const top = Math.max(1, Math.ceil(roundToTenth(highest / step))) * step;
  const [from, to] = [history[0]!.day, history.at(-1)!.day];
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const x = (day: number) =>
    roundToTenth(MARGIN.left + ((day - from) / (to - from)) * (right - MARGIN.left));
  const y = (ratio: number) => roundToTenth(bottom - (ratio / top) * (bottom - MARGIN.top));
  const of = (team: Team) =>
    history.map(({ day, teams }) => ({
      x: x(day),
      y: y(teams.find((standing) => standing.team === team)!.ratio),
    }));
  const last = history.at(-1)!;
  const ratios = TEAMS.map((team) => last.teams.find((standing) => standing.team === team)!.ratio);
  const heights = spreadLabels(ratios.map(y), bottom);
  return {
    lines: TEAMS.map((team, i) => {
      const points = of(team);
      return {
        team,
        ratio: ratios[i]!,
        points: points.map((point) => `${point.x},${point.y}`).join(" "),
        marks: points.filter((_, at) => (points.length - 1 - at) % MARK_EVERY === 0),
        label: { x: right + 12, y: heights[i]! },
      };
    }),
    gridLines: Array.from({ length: Math.round(top / step) + 1 }, (_, i) => ({
      y: y(i * step),
      text: (i * step).toFixed(step >= 1 ? 0 : step >= 0.1 ? 1 : 2),
    })),
    months: listMonths(from, to, monthStep).map(({ day, text }) => ({ x: x(day), text })),
    left: MARGIN.left,
    right,
    bottom,
  };
}
