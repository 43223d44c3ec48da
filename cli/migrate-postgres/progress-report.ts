// Says how a move goes: as JSON, one object a line; on a terminal with bars that are redrawn in place; elsewhere in plain lines.

import { pluralize, stripControls } from "./plan-issue.ts";
import type { MigrationEvent, MigrationStep } from "./migration.ts";
import type { Verification } from "./verify-copy.ts";

export interface ProgressReport {
  reportEvent(event: MigrationEvent): void;
  /** What a command gives: `value` as JSON, `lines` for a person. */
  reportResult(value: object, lines: readonly string[]): void;
  reportFailure(message: string): void;
  /** Leaves what stands on the screen there. */
  finish(): void;
}

export interface ProgressReportOptions {
  readonly json: boolean;
  readonly isTerminal: boolean;
  readonly write?: (text: string) => void;
  /** Milliseconds from any moment on. */
  readonly nowMs?: () => number;
  /** The terminal's width. */
  readonly columns?: () => number;
}

/** At most ten times a second. */
const REDRAW_INTERVAL_MS = 100;
/** Where nothing can be redrawn. */
const LINE_INTERVAL_MS = 3_000;
/** Its longest and shortest bar, in characters. */
const BAR_WIDTH = 24;
const MIN_BAR_WIDTH = 6;
/** Before that a rate is chance. */
const MIN_RATE_MS = 200;

const STEP_LABELS: Record<MigrationStep, string> = {
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
interface TableProgress {
  readonly table: string;
  readonly startedMs: number;
  rows: number;
  total: number;
  /** When the last row was there. */
  endedMs: number | null;
}

/** Who reports. Tells what the events hold, and nothing else: no connection string is among it. */
export function createProgressReport({
  json,
  isTerminal,
  write = (text) => void process.stdout.write(text),
  nowMs = () => performance.now(),
  columns = () => process.stdout.columns || 80,
}: ProgressReportOptions): ProgressReport {
  if (json) {
    const line = (object: object) => write(`${JSON.stringify(object)}\n`);
    return {
      reportEvent: ({ kind, ...event }) => line({ event: kind, ...event }),
      reportResult: (value) => line({ event: "result", ...value }),
      reportFailure: (message) => line({ event: "failed", message }),
      finish: () => {},
    };
  }
  const screen = isTerminal
    ? createTerminalOutput(write, nowMs, columns)
    : createLineOutput(write, nowMs);
  const describe = (bar: TableProgress) => describeBar(bar, nowMs(), isTerminal ? columns() : null);
  const open: { step: MigrationStep; startedMs: number }[] = [];
  let bars: TableProgress[] = [];
  let lag: string | null = null;

  const draw = (isLast = false) => {
    const step = open.at(-1)?.step;
    const live = [...bars.map(describe), ...(lag === null ? [] : [lag])];
    screen.drawLive(
      live.length > 0 || step === undefined ? live : [`${STEP_LABELS[step]} …`],
      isLast,
    );
  };
  /** What is said of rows so far stays. */
  const settle = () => {
    screen.printLines([...bars.map(describe), ...(lag === null ? [] : [lag])]);
    bars = [];
    lag = null;
  };
  const say = (lines: readonly string[]) => {
    settle();
    screen.printLines(lines.map(stripControls));
  };

  function onRows(
    { table, rows, total }: MigrationEvent & { kind: "rows" },
    step: MigrationStep,
  ): void {
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
        screen.printLines([describe(bars.shift()!)]);
      bars.push(bar);
    }
    bar.rows = rows;
    bar.total = Math.max(total, rows);
    if (step === "verify" && rows >= total) bar.endedMs ??= nowMs();
    draw();
  }

  return {
    reportEvent(event) {
      switch (event.kind) {
        case "begin":
          settle();
          open.push({ step: event.step, startedMs: nowMs() });
          if (!isTerminal) screen.printLines([`${STEP_LABELS[event.step]} …`]);
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
          screen.printLines([
            `${STEP_LABELS[event.step]}: ${formatDuration(event.ms ?? 0)}${event.note === undefined ? "" : `. ${stripControls(event.note)}`}`,
          ]);
          return;
        }
        case "rows":
          return onRows(event, event.step);
        case "lag":
          lag = describeLag(event);
          return draw();
        case "pass":
          return say([
            `Pass: ${pluralize(event.mended, "row")} mended, ${formatDuration(event.ms)}`,
          ]);
        case "verified":
          return say(describeVerification(event.verification));
        case "note":
          return say([event.text]);
      }
    },
    reportResult: (_, lines) => say(lines),
    reportFailure: (message) => say(message.split("\n")),
    finish: settle,
  };
}

interface ProgressOutput {
  /** Stand below everything else, until they are changed or kept. */
  drawLive(lines: readonly string[], isNow: boolean): void;
  /** Takes the live lines away and leaves these for good. */
  printLines(lines: readonly string[]): void;
}

function createTerminalOutput(
  write: (text: string) => void,
  nowMs: () => number,
  columns: () => number,
): ProgressOutput {
  let shown = 0;
  let drawnMs = -Infinity;
  const clear = () => (shown === 0 ? "" : `\x1b[${shown}A\r\x1b[J`);
  return {
    drawLive(lines, isNow) {
      if (!isNow && nowMs() - drawnMs < REDRAW_INTERVAL_MS) return;
      drawnMs = nowMs();
      // A line that wraps would be two, and one of them would stay.
      const cut = lines.map((line) => [...line].slice(0, Math.max(1, columns() - 1)).join(""));
      write(`${clear()}${cut.map((line) => `${line}\n`).join("")}`);
      shown = cut.length;
    },
    printLines(lines) {
      if (shown === 0 && lines.length === 0) return;
      write(`${clear()}${lines.map((line) => `${line}\n`).join("")}`);
      shown = 0;
      drawnMs = -Infinity;
    },
  };
}

function createLineOutput(write: (text: string) => void, nowMs: () => number): ProgressOutput {
  let writtenMs = nowMs();
  const print = (lines: readonly string[]) => {
    for (const line of lines) write(`${line}\n`);
    writtenMs = nowMs();
  };
  return {
    drawLive(lines, isNow) {
      if (isNow || nowMs() - writtenMs >= LINE_INTERVAL_MS) print(lines.slice(-1));
    },
    printLines: (lines) => {
      if (lines.length > 0) print(lines);
    },
  };
}

/** `width`: of the terminal; null where no bar is drawn. */
function describeBar(
  { table, rows, total, startedMs, endedMs }: TableProgress,
  nowMs: number,
  width: number | null,
): string {
  const ms = (endedMs ?? nowMs) - startedMs;
  const rate = ms < MIN_RATE_MS ? null : rows / (ms / 1000);
  const count =
    endedMs === null
      ? `${rows.toLocaleString("en-US")} of ${total.toLocaleString("en-US")}`
      : pluralize(rows, "row");
  const time =
    endedMs !== null
      ? formatDuration(ms)
      : rate
        ? `${formatDuration(((total - rows) / rate) * 1000)} left`
        : null;
  const text = [
    count,
    rate === null ? null : `${Math.round(rate).toLocaleString("en-US")} rows/s`,
    time,
  ]
    .filter((part) => part !== null)
    .join(", ");
  const name = `  ${stripControls(table).padEnd(12)}  `;
  if (width === null) return name + text;
  const share = endedMs !== null || total === 0 ? 1 : Math.min(1, rows / total);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const room = Math.min(BAR_WIDTH, width - 1 - name.length - text.length - percent.length - 3);
  const filled = Math.floor(share * room);
  return `${name}${room < MIN_BAR_WIDTH ? "" : `${"#".repeat(filled)}${"-".repeat(room - filled)} `}${percent}  ${text}`;
}

function describeLag({
  lagBytes,
  lagSeconds,
  changes,
  waiting,
}: MigrationEvent & { kind: "lag" }): string {
  const behind =
    lagBytes === 0
      ? "up to date"
      : `behind by ${formatBytes(lagBytes)}, ${lagSeconds.toFixed(1)} s`;
  return `  ${pluralize(changes, "change")} applied, ${waiting === undefined ? behind : `waiting: ${stripControls(waiting)}`}`;
}

const DIFFERENCE_LABELS = {
  missing: "is missing in the copy",
  extra: "is in the copy alone",
  different: "is not the same",
} as const;

function describeVerification({ tables, problems, equal }: Verification): string[] {
  const width = Math.max(0, ...tables.map(({ target }) => stripControls(target).length));
  const lines = tables.flatMap(
    ({ target, source, file, aside, equal: isSame, differing, differences }) => {
      const name = `  ${stripControls(target).padEnd(width)}  `;
      if (isSame)
        return [
          `${name}${pluralize(source.rows, "row")}, equal${aside > 0 ? `; ${aside.toLocaleString("en-US")} of them are kept aside (Moved_aside)` : ""}`,
        ];
      const rows =
        source.rows === file.rows
          ? `${pluralize(source.rows, "row")} on both sides`
          : `${pluralize(source.rows, "row")} in Postgres, ${file.rows.toLocaleString("en-US")} here`;
      const named = differences.map(
        ({ key, kind, columns }) =>
          `    ${key} ${DIFFERENCE_LABELS[kind]}${columns.length > 0 ? `: ${columns.join(", ")}` : ""}`,
      );
      const more = (differing ?? 0) - differences.length;
      return [
        `${name}${rows}, DIFFERENT${differing === null ? ": which rows can't be told, it has no key" : `: ${pluralize(differing, "row")}`}`,
        ...named,
        ...(more > 0 ? [`    and ${pluralize(more, "other")}`] : []),
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
function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function formatBytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  return count < 1_000_000
    ? `${(count / 1_000).toFixed(1)} kB`
    : `${(count / 1_000_000).toFixed(1)} MB`;
}
