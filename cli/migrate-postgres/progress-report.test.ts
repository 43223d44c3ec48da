import { expect, test } from "vitest";
import { createProgressReport } from "./progress-report.ts";
import type { MigrationEvent } from "./migration.ts";
import type { Verification } from "./verify-copy.ts";

const begin = (step: "copy" | "verify" | "follow" | "slot"): MigrationEvent => ({
  kind: "begin",
  step,
});
const end = (step: "copy" | "verify" | "follow" | "slot", ms: number): MigrationEvent => ({
  kind: "end",
  step,
  ms,
});
const rows = (
  table: string,
  count: number,
  total: number,
  step: "copy" | "verify" = "copy",
): MigrationEvent => ({ kind: "rows", step, table, rows: count, total });

/** Creates a report with its output and a manual clock. */
function create({ json = false, isTerminal = false, columns = 100 } = {}) {
  let written = "";
  let now = 0;
  const report = createProgressReport({
    json,
    isTerminal,
    write: (text) => (written += text),
    nowMs: () => now,
    columns: () => columns,
  });
  return {
    report,
    /** Reports events, each after a delay in milliseconds. */
    play: (...events: [number, MigrationEvent][]) => {
      for (const [ms, event] of events) {
        now += ms;
        report.reportEvent(event);
      }
    },
    written: () => written,
    lines: () => written.split("\n").slice(0, -1),
    screen: () => renderScreen(written),
  };
}

const UP = new RegExp(`${"\u001b"}\\[(\\d+)A\\r${"\u001b"}\\[J`);

/** Renders `text` like a terminal: cursor up, then clear to the end. */
function renderScreen(text: string): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest !== "") {
    const up = UP.exec(rest);
    const end = rest.indexOf("\n");
    if (up?.index === 0) lines.splice(lines.length - Number(up[1]));
    else lines.push(rest.slice(0, end));
    rest = rest.slice(up?.index === 0 ? up[0].length : end + 1);
  }
  return lines;
}

const WHOLE: Verification = {
  tables: [
    {
      target: "User",
      source: { rows: 60, sum: "1" },
      file: { rows: 60, sum: "1" },
      quarantined: 0,
      sampled: 60,
      isEqual: true,
      differingRows: 0,
      differences: [],
    },
  ],
  problems: [],
  isEqual: true,
  sumMs: 1,
  ms: 2,
};
const BROKEN: Verification = {
  ...WHOLE,
  tables: [
    WHOLE.tables[0]!,
    {
      target: "PostRead",
      source: { rows: 2_000, sum: "1" },
      file: { rows: 1_999, sum: "2" },
      quarantined: 0,
      sampled: 9,
      isEqual: false,
      differingRows: 3,
      differences: [
        { key: "a", kind: "missing", columns: [] },
        { key: "b\u001b[2J", kind: "different", columns: ["createdAt"] },
      ],
    },
    {
      target: "_source_Log",
      source: { rows: 3, sum: "1" },
      file: { rows: 3, sum: "2" },
      quarantined: 0,
      sampled: 0,
      isEqual: false,
      differingRows: null,
      differences: [],
    },
  ],
  problems: ["2 rows of Call refer to a User that does not exist."],
  isEqual: false,
};

test("prints events, results and failures as JSON lines", () => {
  const { report, play, lines } = create({ json: true, isTerminal: true });
  play(
    [0, begin("copy")],
    [5, rows("User", 1, 2)],
    [0, end("copy", 7)],
    [0, { kind: "verified", verification: WHOLE }],
  );
  report.reportResult({ pauseMs: 3 }, ["as text"]);
  report.reportFailure("Two\nlines.");
  report.finish();
  expect(lines().map((line) => JSON.parse(line) as object)).toEqual([
    { event: "begin", step: "copy" },
    { event: "rows", step: "copy", table: "User", rows: 1, total: 2 },
    { event: "end", step: "copy", ms: 7 },
    { event: "verified", verification: WHOLE },
    { event: "result", pauseMs: 3 },
    { event: "failed", message: "Two\nlines." },
  ]);
});

test("prints plain lines for steps, and progress every three seconds", () => {
  const { play, lines } = create();
  play(
    [0, begin("copy")],
    ...Array.from({ length: 70 }, (_, i): [number, MigrationEvent] => [
      100,
      rows("PostRead", (i + 1) * 1_000, 100_000),
    ]),
    [0, end("copy", 7_000)],
  );
  expect(lines()).toEqual([
    "Copy …",
    "  PostRead      30,000 of 100,000, 10,000 rows/s, 7 s left",
    "  PostRead      60,000 of 100,000, 10,000 rows/s, 4 s left",
    "  PostRead      70,000 rows, 10,000 rows/s, 7 s",
    "Copy: 7 s",
  ]);
  expect(lines().join("")).not.toContain("\u001b");
});

test("redraws bars on a terminal at most ten times a second, and leaves them complete", () => {
  const { play, screen, written } = create({ isTerminal: true });
  play([0, begin("copy")]);
  expect(screen()).toEqual(["Copy …"]);
  play(
    ...Array.from({ length: 50 }, (_, i): [number, MigrationEvent] => [
      10,
      rows("User", (i + 1) * 10, 1_000),
    ]),
  );
  expect(screen()).toEqual([
    "  User          ############------------  50%  500 of 1,000, 1,000 rows/s, 500 ms left",
  ]);
  expect(written().split("\u001b[J").length).toBeLessThan(9);
  play(
    [500, rows("User", 1_000, 1_000)],
    [0, rows("PostRead", 0, 0)],
    [200, rows("PostRead", 40, 20)],
    [0, end("copy", 1_200)],
  );
  expect(screen()).toEqual([
    "  User          ######################## 100%  1,000 rows, 1,000 rows/s, 1 s",
    "  PostRead      ######################## 100%  40 rows, 200 rows/s, 200 ms",
    "Copy: 1.2 s",
  ]);
});

test("draws one bar for each table that is compared in parallel", () => {
  const { play, screen } = create({ isTerminal: true });
  play(
    [0, begin("verify")],
    [100, rows("User", 50, 100, "verify")],
    [100, rows("PostRead", 10, 100, "verify")],
    [100, rows("User", 100, 100, "verify")],
    [100, rows("PostRead", 40, 100, "verify")],
  );
  expect(screen()).toEqual([
    expect.stringMatching(/^ {2}User .* 100% .*100 rows, .*300 ms$/),
    expect.stringMatching(/^ {2}PostRead .* 40% .*40 of 100, /),
  ]);
  play([100, end("verify", 500)], [0, { kind: "verified", verification: WHOLE }]);
  expect(screen().slice(-3)).toEqual([
    "Verify: 500 ms",
    "  User  60 rows, equal",
    "Both sides are equal: every row by its hash, a sample field by field.",
  ]);
});

test("fits lines into the terminal's width by shortening the bar", () => {
  for (const [columns, line] of [
    [80, "  PostRead      ###############-------  70%  70 of 100, 175 rows/s, 171 ms left"],
    [60, "  PostRead       70%  70 of 100, 175 rows/s, 171 ms left"],
    [30, "  PostRead       70%  70 of 1"],
  ] as const) {
    const { play, screen } = create({ isTerminal: true, columns });
    play([0, begin("copy")], [400, rows("PostRead", 70, 100)]);
    expect(screen()).toEqual([line]);
  }
});

test("omits meaningless rates, and repeated rows of a verification", () => {
  const { play, lines } = create();
  play(
    [0, begin("verify")],
    [100, rows("User", 60, 60, "verify")],
    [0, end("verify", 100)],
    [0, { kind: "verified", verification: WHOLE }],
  );
  expect(lines().slice(0, 3)).toEqual(["Verify …", "Verify: 100 ms", "  User  60 rows, equal"]);
  const copied = create();
  copied.play([0, begin("copy")], [100, rows("User", 60, 60)], [0, end("copy", 100)]);
  expect(copied.lines()[1]).toBe("  User          60 rows, 100 ms");
});

test("shows the lag and wait reason of follow on one line", () => {
  const { report, play, screen } = create({ isTerminal: true });
  play(
    [0, begin("follow")],
    [200, { kind: "lag", lagBytes: 1_234_567, lagSeconds: 1.24, changes: 900 }],
  );
  expect(screen()).toEqual(["  900 changes applied, 1.2 MB, 1.2 s behind"]);
  play([
    200,
    {
      kind: "lag",
      lagBytes: 0,
      lagSeconds: 0,
      changes: 1,
      waiting: "PostgreSQL cannot be reached (ECONNREFUSED).",
    },
  ]);
  expect(screen()).toEqual([
    "  1 change applied, waiting: PostgreSQL cannot be reached (ECONNREFUSED).",
  ]);
  play([200, { kind: "lag", lagBytes: 0, lagSeconds: 0, changes: 1_000 }]);
  report.reportResult({ stopped: true }, ["Stopped."]);
  report.finish();
  expect(screen()).toEqual(["  1,000 changes applied, up to date", "Stopped."]);
});

test("prints resyncs and notes", () => {
  const { play, lines } = create();
  play(
    [0, { kind: "resync", repaired: 12, ms: 1_200 }],
    [0, { kind: "note", text: "The copy begins\u001b[2J again." }],
    [0, { kind: "end", step: "swap-in", ms: 3, note: "renamed" }],
  );
  expect(lines()).toEqual([
    "Resync: 12 rows repaired, 1.2 s",
    "The copy begins?[2J again.",
    "Swap in: 3 ms. renamed",
  ]);
});

test("lists every difference of a verification", () => {
  const { play, lines } = create();
  play([0, { kind: "verified", verification: BROKEN }]);
  expect(lines()).toEqual([
    "  User         60 rows, equal",
    "  PostRead     2,000 rows in PostgreSQL, 1,999 here, DIFFERENT: 3 rows",
    "    a is missing from the copy",
    "    b?[2J differs: createdAt",
    "    and 1 other",
    "  _source_Log  3 rows on both sides, DIFFERENT; the table has no key, so the rows cannot be listed",
    "  2 rows of Call refer to a User that does not exist.",
    "Both sides are not equal.",
  ]);
});

test("keeps the bars and prints the error below them", () => {
  const { report, play, screen } = create({ isTerminal: true });
  play([0, begin("copy")], [100, rows("User", 10, 100)]);
  report.reportFailure("The connection to PostgreSQL broke.");
  report.finish();
  expect(screen()).toEqual([
    expect.stringMatching(/^ {2}User .* 10%/),
    "The connection to PostgreSQL broke.",
  ]);
});
