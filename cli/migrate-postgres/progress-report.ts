// Reports a migration's progress as JSON lines, as bars on a terminal, or as plain lines.

import { formatBytes, formatDuration } from "#lib/core/format.ts";
import { describeVerification } from "./describe-verification.ts";
import type { MigrationEvent, MigrationStep } from "./migration.ts";
import { stripControls } from "#cli/strip-controls.ts";
import { pluralize } from "./plan-text.ts";

export interface ProgressReport {
  reportEvent(event: MigrationEvent): void;
  /** Reports a command's result: `value` as JSON, `lines` as text. */
  reportResult(value: object, lines: readonly string[]): void;
  reportFailure(message: string): void;
  /** Leaves the live lines on the screen. */
  finish(): void;
}

export interface ProgressReportOptions {
  readonly json: boolean;
  readonly isTerminal: boolean;
  readonly write?: (text: string) => void;
  /** A monotonic clock. */
  readonly nowMs?: () => number;
  /** The terminal's width. */
  readonly columns?: () => number;
}

const REDRAW_INTERVAL_MS = 100;
/** The interval of progress lines without a terminal. */
const LINE_INTERVAL_MS = 3_000;
/** Longest and shortest bar, in characters. */
const BAR_WIDTH = 24;
const MIN_BAR_WIDTH = 6;
/** A rate over a shorter time is noise. */
const MIN_RATE_MS = 200;

const STEP_LABELS: Record<MigrationStep, string> = {
  plan: "Plan",
  slot: "Slot and publication",
  copy: "Copy",
  indexes: "Indexes, counters, checks",
  verify: "Verify",
  follow: "Follow",
  check: "Integrity check",
  "block-writes": "Block the source's writes",
  drain: "Last changes",
  finish: "Finish the database",
  "swap-in": "Swap in",
  ready: "Wait for this site",
  "clean-up": "Clean up",
};

interface TableProgress {
  readonly table: string;
  readonly startedMs: number;
  rows: number;
  total: number;
  /** When the table was completed; null before that. */
  endedMs: number | null;
}

/** Creates a report, which prints only what the events contain: never the connection string. */
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
  /** Prints the live lines permanently. */
  const settle = () => {
    screen.printLines([...bars.map(describe), ...(lag === null ? [] : [lag])]);
    bars = [];
    lag = null;
  };
  const print = (lines: readonly string[]) => {
    settle();
    screen.printLines(lines.map(stripControls));
  };

  function onRows(
    { table, rows, total }: MigrationEvent & { kind: "rows" },
    step: MigrationStep,
  ): void {
    let bar = bars.find((one) => one.table === table);
    if (!bar) {
      // A copy processes one table at a time.
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
      // Completed bars at the top are printed permanently.
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
          // Without a terminal, the verification's result repeats these lines.
          if (event.step === "verify" && !isTerminal) bars = [];
          settle();
          open.pop();
          screen.printLines([
            `${STEP_LABELS[event.step]}: ${formatDuration(event.ms ?? 0, "short")}${event.note === undefined ? "" : `. ${stripControls(event.note)}`}`,
          ]);
          return;
        }
        case "rows":
          return onRows(event, event.step);
        case "lag":
          lag = describeLag(event);
          return draw();
        case "resync":
          return print([
            `Resync: ${pluralize(event.repaired, "row")} repaired, ${formatDuration(event.ms, "short")}`,
          ]);
        case "verified":
          return print(describeVerification(event.verification));
        case "note":
          return print([event.text]);
      }
    },
    reportResult: (_, lines) => print(lines),
    reportFailure: (message) => print(message.split("\n")),
    finish: settle,
  };
}

interface ProgressOutput {
  /** Draws lines at the bottom that the next call replaces. */
  drawLive(lines: readonly string[], isNow: boolean): void;
  /** Replaces the live lines with permanent ones. */
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
      // A wrapped line would take two rows, and one of them would not be cleared.
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

/** `width` is the terminal's width; null for no bar. */
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
      ? formatDuration(ms, "short")
      : rate
        ? `${formatDuration(((total - rows) / rate) * 1000, "short")} left`
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
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const barWidth = Math.min(BAR_WIDTH, width - 1 - name.length - text.length - percent.length - 3);
  const filled = Math.floor(share * barWidth);
  return `${name}${barWidth < MIN_BAR_WIDTH ? "" : `${"#".repeat(filled)}${"-".repeat(barWidth - filled)} `}${percent}  ${text}`;
}

function describeLag({
  lagBytes,
  lagSeconds,
  changes,
  waiting,
}: MigrationEvent & { kind: "lag" }): string {
  const behind =
    lagBytes === 0 ? "up to date" : `${formatBytes(lagBytes)}, ${lagSeconds.toFixed(1)} s behind`;
  return `  ${pluralize(changes, "change")} applied, ${waiting === undefined ? behind : `waiting: ${stripControls(waiting)}`}`;
}
