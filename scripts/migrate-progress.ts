// Says how a move goes: as JSON, one object a line; on a terminal with bars that are redrawn in place; elsewhere in plain lines.

import { counted, plain } from "#lib/migrate/finding.ts";
import type { MoveEvent, Step } from "#lib/migrate/run.ts";
import type { Verification } from "#lib/migrate/verify.ts";

export interface Report {
  event(event: MoveEvent): void;
  /** What a command gives: `value` as JSON, `lines` for a person. */
  result(value: object, lines: readonly string[]): void;
  failed(message: string): void;
  /** Leaves what stands on the screen there. */
  end(): void;
}

export interface ReportOptions {
  readonly json: boolean;
  readonly isTerminal: boolean;
  readonly write?: (text: string) => void;
  /** Milliseconds from any moment on. */
  readonly nowMs?: () => number;
  /** The terminal's width. */
  readonly columns?: () => number;
}

/** At most ten times a second. */
const REDRAW_MS = 100;
/** Where nothing can be redrawn. */
const LINE_MS = 3_000;
/** Its longest and shortest bar, in characters. */
const BAR = 24;
const SHORTEST = 6;
/** Before that a rate is chance. */
const TELLING_MS = 200;

const LABELS: Record<Step, string> = {
  plan: "Plan",
  slot: "Slot and publication",
  copy: "Copy",
  indexes: "Indexes, counters, checks",
  verify: "Comparison",
  follow: "Follow",
  check: "Whole file checked",
  "stop writes": "Stop the old site's writes",
  drain: "The last changes",
  finish: "Finish the file",
  place: "Put in place",
  ready: "Wait for the new site",
  "clean up": "Clean up",
};

/** How a table's rows go. */
interface Bar {
  readonly table: string;
  readonly startedMs: number;
  rows: number;
  total: number;
  /** When the last row was there. */
  endedMs: number | null;
}

/** Who reports. Tells what the events hold, and nothing else: no connection string is among it. */
export function reportMove({
  json,
  isTerminal,
  write = (text) => void process.stdout.write(text),
  nowMs = () => performance.now(),
  columns = () => process.stdout.columns || 80,
}: ReportOptions): Report {
  if (json) {
    const line = (object: object) => write(`${JSON.stringify(object)}\n`);
    return {
      event: ({ kind, ...event }) => line({ event: kind, ...event }),
      result: (value) => line({ event: "result", ...value }),
      failed: (message) => line({ event: "failed", message }),
      end: () => {},
    };
  }
  const screen = isTerminal ? createScreen(write, nowMs, columns) : createLines(write, nowMs);
  const describe = (bar: Bar) => describeBar(bar, nowMs(), isTerminal ? columns() : null);
  const open: { step: Step; startedMs: number }[] = [];
  let bars: Bar[] = [];
  let lag: string | null = null;

  const draw = (isLast = false) => {
    const step = open.at(-1)?.step;
    const live = [...bars.map(describe), ...(lag === null ? [] : [lag])];
    screen.live(live.length > 0 || step === undefined ? live : [`${LABELS[step]} …`], isLast);
  };
  /** What is said of rows so far stays. */
  const settle = () => {
    screen.keep([...bars.map(describe), ...(lag === null ? [] : [lag])]);
    bars = [];
    lag = null;
  };
  const say = (lines: readonly string[]) => {
    settle();
    screen.keep(lines.map(plain));
  };

  function onRows({ table, rows, total }: MoveEvent & { kind: "rows" }, step: Step): void {
    let bar = bars.find((one) => one.table === table);
    if (!bar) {
      // A copy takes one table after the other.
      if (step === "copy") for (const other of bars) other.endedMs ??= nowMs();
      bar = {
        table,
        startedMs:
          bars.findLast(({ endedMs }) => endedMs !== null)?.endedMs ??
          open.at(-1)?.startedMs ??
          nowMs(),
        rows: 0,
        total,
        endedMs: null,
      };
      // What is complete and stands first is redrawn no more.
      while (bars[0]?.endedMs !== null && bars[0] !== undefined)
        screen.keep([describe(bars.shift()!)]);
      bars.push(bar);
    }
    bar.rows = rows;
    bar.total = Math.max(total, rows);
    if (step === "verify" && rows >= total) bar.endedMs ??= nowMs();
    draw();
  }

  return {
    event(event) {
      switch (event.kind) {
        case "begin":
          settle();
          open.push({ step: event.step, startedMs: nowMs() });
          if (!isTerminal) screen.keep([`${LABELS[event.step]} …`]);
          else draw(true);
          return;
        case "end": {
          for (const bar of bars) {
            bar.endedMs ??= nowMs();
            bar.total = bar.rows;
          }
          // Where nothing is redrawn, what a comparison found says the same once more.
          if (event.step === "verify" && !isTerminal) bars = [];
          settle();
          open.pop();
          screen.keep([
            `${LABELS[event.step]}: ${duration(event.ms ?? 0)}${event.note === undefined ? "" : `. ${plain(event.note)}`}`,
          ]);
          return;
        }
        case "rows":
          return onRows(event, event.step);
        case "lag":
          lag = describeLag(event);
          return draw();
        case "pass":
          return say([`Pass: ${counted(event.mended, "row")} mended, ${duration(event.ms)}`]);
        case "verified":
          return say(describeVerification(event.verification));
        case "note":
          return say([event.text]);
      }
    },
    result: (_, lines) => say(lines),
    failed: (message) => say(message.split("\n")),
    end: settle,
  };
}

interface Screen {
  /** Stand below everything else, until they are changed or kept. */
  live(lines: readonly string[], isNow: boolean): void;
  /** Takes the live lines away and leaves these for good. */
  keep(lines: readonly string[]): void;
}

function createScreen(
  write: (text: string) => void,
  nowMs: () => number,
  columns: () => number,
): Screen {
  let shown = 0;
  let drawnMs = -Infinity;
  const clear = () => (shown === 0 ? "" : `\x1b[${shown}A\r\x1b[J`);
  return {
    live(lines, isNow) {
      if (!isNow && nowMs() - drawnMs < REDRAW_MS) return;
      drawnMs = nowMs();
      // A line that wraps would be two, and one of them would stay.
      const cut = lines.map((line) => [...line].slice(0, Math.max(1, columns() - 1)).join(""));
      write(`${clear()}${cut.map((line) => `${line}\n`).join("")}`);
      shown = cut.length;
    },
    keep(lines) {
      if (shown === 0 && lines.length === 0) return;
      write(`${clear()}${lines.map((line) => `${line}\n`).join("")}`);
      shown = 0;
      drawnMs = -Infinity;
    },
  };
}

function createLines(write: (text: string) => void, nowMs: () => number): Screen {
  let writtenMs = nowMs();
  const print = (lines: readonly string[]) => {
    for (const line of lines) write(`${line}\n`);
    writtenMs = nowMs();
  };
  return {
    live(lines, isNow) {
      if (isNow || nowMs() - writtenMs >= LINE_MS) print(lines.slice(-1));
    },
    keep: (lines) => {
      if (lines.length > 0) print(lines);
    },
  };
}

/** `width`: of the terminal; null where no bar is drawn. */
function describeBar(
  { table, rows, total, startedMs, endedMs }: Bar,
  nowMs: number,
  width: number | null,
): string {
  const ms = (endedMs ?? nowMs) - startedMs;
  const rate = ms < TELLING_MS ? null : rows / (ms / 1000);
  const count =
    endedMs === null
      ? `${rows.toLocaleString("en-US")} of ${total.toLocaleString("en-US")}`
      : counted(rows, "row");
  const time =
    endedMs !== null
      ? duration(ms)
      : rate
        ? `${duration(((total - rows) / rate) * 1000)} left`
        : null;
  const text = [
    count,
    rate === null ? null : `${Math.round(rate).toLocaleString("en-US")} rows/s`,
    time,
  ]
    .filter((part) => part !== null)
    .join(", ");
  const name = `  ${plain(table).padEnd(12)}  `;
  if (width === null) return name + text;
  const share = endedMs !== null || total === 0 ? 1 : Math.min(1, rows / total);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const room = Math.min(BAR, width - 1 - name.length - text.length - percent.length - 3);
  const filled = Math.floor(share * room);
  return `${name}${room < SHORTEST ? "" : `${"#".repeat(filled)}${"-".repeat(room - filled)} `}${percent}  ${text}`;
}

function describeLag({
  lagBytes,
  lagSeconds,
  changes,
  waiting,
}: MoveEvent & { kind: "lag" }): string {
  const behind =
    lagBytes === 0 ? "up to date" : `behind by ${bytes(lagBytes)}, ${lagSeconds.toFixed(1)} s`;
  return `  ${counted(changes, "change")} applied, ${waiting === undefined ? behind : `waiting: ${plain(waiting)}`}`;
}

const HOW = {
  missing: "is missing in the copy",
  extra: "is in the copy alone",
  different: "is not the same",
} as const;

function describeVerification({ tables, problems, equal }: Verification): string[] {
  const width = Math.max(0, ...tables.map(({ target }) => plain(target).length));
  const lines = tables.flatMap(
    ({ target, source, file, aside, equal: isSame, differing, differences }) => {
      const name = `  ${plain(target).padEnd(width)}  `;
      if (isSame)
        return [
          `${name}${counted(source.rows, "row")}, equal${aside > 0 ? `; ${aside.toLocaleString("en-US")} of them are kept aside (Moved_aside)` : ""}`,
        ];
      const rows =
        source.rows === file.rows
          ? `${counted(source.rows, "row")} on both sides`
          : `${counted(source.rows, "row")} in Postgres, ${file.rows.toLocaleString("en-US")} here`;
      const named = differences.map(
        ({ key, kind, columns }) =>
          `    ${key} ${HOW[kind]}${columns.length > 0 ? `: ${columns.join(", ")}` : ""}`,
      );
      const more = (differing ?? 0) - differences.length;
      return [
        `${name}${rows}, DIFFERENT${differing === null ? ": which rows can't be told, it has no key" : `: ${counted(differing, "row")}`}`,
        ...named,
        ...(more > 0 ? [`    and ${counted(more, "other")}`] : []),
      ];
    },
  );
  return [
    ...lines,
    ...problems.map((problem) => `  ${problem}`),
    equal
      ? "Both sides are equal: every row by its hash, a sample field by field."
      : "Both sides are not equal.",
  ];
}

/** "340 ms", "1.9 s", "3 min 20 s". */
function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  return count < 1_000_000
    ? `${(count / 1_000).toFixed(1)} kB`
    : `${(count / 1_000_000).toFixed(1)} MB`;
}
