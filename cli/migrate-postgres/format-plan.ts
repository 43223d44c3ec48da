// A plan as lines for a person.

import { type PlanIssue, stripControls } from "./plan-issue.ts";
import { DEFAULT_OPTIONS } from "./table-mapping.ts";
import { formatMegabytes } from "./plan-cost.ts";
import type { Plan } from "./plan.ts";

/** Sentences are broken here; statements for Postgres and commands never are. */
const LINE_WIDTH = 100;
const LABEL_WIDTH = 10;

/** What the source is, what moves, what is converted, what stands against it with the choice there is, and what to do next. */
export function formatPlan(plan: Plan): string[] {
  const of = (...levels: PlanIssue["level"][]) =>
    plan.findings.filter(({ level }) => levels.includes(level));
  const notes = of("note");
  return [
    ...formatLabelled("Source", [describeSource(plan), ...describeMode(plan)]),
    ...plan.source.whyPasses.flatMap((why) => indentText(why, LABEL_WIDTH)),
    ...formatLabelled("Target", [
      `${plan.to}. The move wants about ${formatMegabytes(plan.room.neededBytes)}; ${formatMegabytes(plan.room.freeBytes)} are free in ${plan.room.folder}.`,
    ]),
    "",
    ...formatTables(plan),
    ...formatSection(
      "Converted on the way",
      notes.filter(({ about }) => about === "values"),
    ),
    ...formatSection(
      "Members",
      notes.filter(({ about }) => about === "members"),
    ),
    ...formatSection(
      "Good to know",
      notes.filter(({ about }) => about !== "values" && about !== "members"),
    ),
    ...formatSection("To be decided", of("choice")),
    ...formatSection("In the way", of("stop")),
    "",
    ...wrapText(`Next: ${describeNextStep(plan)}`, ""),
  ].map(stripControls);
}

function describeSource({ source }: Plan): string {
  return `PostgreSQL ${source.version}, database ${source.database}, ${source.encoding}.`;
}

function describeMode({ source, time }: Plan): string[] {
  if (source.mode === "stream")
    return [
      "It can stream: what is written while the move goes on comes over as it happens, in its order, and writes pause only for the last of it.",
    ];
  return [
    `It can't stream what is written, so the move goes by passes: every row of both sides is compared, again and again, and what differs is mended; for the last time after writes stopped. Nothing is lost. But writes pause for as long as that takes, ${formatEstimate(time.passSeconds)} here, and what came and went between two passes is never seen. What would have to be changed for it to stream:`,
  ];
}

function formatTables({ tables, time }: Plan): string[] {
  if (tables.length === 0) return ["Nothing would move."];
  const rows = tables.map(({ table, rows: count, bytes, seconds: expected }) => [
    table.target,
    count.toLocaleString("en-US"),
    formatMegabytes(bytes),
    formatSeconds(expected),
    table.isSide ? `a side table, of ${table.source}` : "",
  ]);
  const grid = [["Moves", "rows", "about", "takes", ""], ...rows];
  const widths = grid[0]!.map((_, i) => Math.max(...grid.map((cells) => cells[i]!.length)));
  const lines = grid.map((cells) =>
    cells
      .map((cell, i) => (i === 0 || i === 4 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("   ")
      .trimEnd(),
  );
  return [
    ...lines,
    "",
    `In all ${formatEstimate(time.copySeconds)}, with indexes, counters, checks and the comparison of every row.`,
  ];
}

function formatSection(title: string, findings: readonly PlanIssue[]): string[] {
  if (findings.length === 0) return [];
  return [
    "",
    title,
    ...findings.flatMap(({ text, fix }) => [
      ...indentText(text, 2),
      ...(fix === null ? [] : [`    → ${fix}`]),
    ]),
  ];
}

function describeNextStep({ findings, choices, source }: Plan): string {
  const given = [
    ...(choices.unknown === "stop" ? [] : [`--unknown ${choices.unknown}`]),
    ...(choices.unfit === "stop" ? [] : [`--unfit ${choices.unfit}`]),
  ];
  if (findings.some(({ level }) => level === "stop"))
    return "change what is in the way, then run plan again.";
  const open = findings.filter(({ level }) => level === "choice");
  if (open.length > 0) {
    const flags = [
      ...(choices.unknown === DEFAULT_OPTIONS.unknown &&
      open.some(({ about }) => about === "tables")
        ? ["--unknown keep (or drop)"]
        : []),
      ...(choices.unfit === DEFAULT_OPTIONS.unfit && open.some(({ about }) => about === "rows")
        ? ["--unfit aside"]
        : []),
    ];
    return `decide, then run plan again with ${[...given, ...flags].join(" ")}.`;
  }
  const flags = given.length > 0 ? ` with ${given.join(" ")}` : "";
  return `copy${flags}; then follow as long as you like${source.mode === "stream" ? " (not for days: the source keeps for it what is written)" : ""}, and cutover. Or cutover at once, which does all three.`;
}

/** "under 1 s", "12 s", "4 min". */
function formatSeconds(expected: number): string {
  if (expected < 1) return "under 1 s";
  return expected < 100 ? `${Math.round(expected)} s` : `${Math.round(expected / 60)} min`;
}

/** "under 1 s", "about 12 s". */
const formatEstimate = (expected: number) =>
  expected < 1 ? formatSeconds(expected) : `about ${formatSeconds(expected)}`;

function formatLabelled(label: string, texts: readonly string[]): string[] {
  return texts.flatMap((text, i) =>
    wrapText(text, " ".repeat(LABEL_WIDTH)).map((line, j) =>
      i === 0 && j === 0 ? label.padEnd(LABEL_WIDTH) + line.trimStart() : line,
    ),
  );
}

/** A point of a list. */
function indentText(text: string, by: number): string[] {
  const pad = " ".repeat(by);
  return wrapText(text, `${pad}  `).map((line, i) =>
    i === 0 ? `${pad}- ${line.trimStart()}` : line,
  );
}

/** Broken at spaces; a word that is longer than a line stays whole. */
function wrapText(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > LINE_WIDTH) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
