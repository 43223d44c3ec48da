// A plan as lines for a person.

import { type Finding, plain } from "./finding.ts";
import { DEFAULT_CHOICES } from "./move.ts";
import { inMegabytes } from "./plan-cost.ts";
import type { Plan } from "./plan.ts";

/** Sentences are broken here; statements for Postgres and commands never are. */
const WIDTH = 100;
const LABEL = 10;

/** What the source is, what moves, what is converted, what stands against it with the choice there is, and what to do next. */
export function formatPlan(plan: Plan): string[] {
  const of = (...levels: Finding["level"][]) =>
    plan.findings.filter(({ level }) => levels.includes(level));
  const notes = of("note");
  return [
    ...labelled("Source", [aboutSource(plan), ...aboutMode(plan)]),
    ...plan.source.whyPasses.flatMap((why) => indented(why, LABEL)),
    ...labelled("Target", [
      `${plan.to}. The move wants about ${inMegabytes(plan.room.neededBytes)}; ${inMegabytes(plan.room.freeBytes)} are free in ${plan.room.folder}.`,
    ]),
    "",
    ...formatTables(plan),
    ...section(
      "Converted on the way",
      notes.filter(({ about }) => about === "values"),
    ),
    ...section(
      "Members",
      notes.filter(({ about }) => about === "members"),
    ),
    ...section(
      "Good to know",
      notes.filter(({ about }) => about !== "values" && about !== "members"),
    ),
    ...section("To be decided", of("choice")),
    ...section("In the way", of("stop")),
    "",
    ...wrapped(`Next: ${nextOf(plan)}`, ""),
  ].map(plain);
}

function aboutSource({ source }: Plan): string {
  return `PostgreSQL ${source.version}, database ${source.database}, ${source.encoding}.`;
}

function aboutMode({ source, time }: Plan): string[] {
  if (source.mode === "stream")
    return [
      "It can stream: what is written while the move goes on comes over as it happens, in its order, and writes pause only for the last of it.",
    ];
  return [
    `It can't stream what is written, so the move goes by passes: every row of both sides is compared, again and again, and what differs is mended; for the last time after writes stopped. Nothing is lost. But writes pause for as long as that takes, ${about(time.passSeconds)} here, and what came and went between two passes is never seen. What would have to be changed for it to stream:`,
  ];
}

function formatTables({ tables, time }: Plan): string[] {
  if (tables.length === 0) return ["Nothing would move."];
  const rows = tables.map(({ table, rows: count, bytes, seconds: expected }) => [
    table.target,
    count.toLocaleString("en-US"),
    inMegabytes(bytes),
    seconds(expected),
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
    `In all ${about(time.copySeconds)}, with indexes, counters, checks and the comparison of every row.`,
  ];
}

function section(title: string, findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  return [
    "",
    title,
    ...findings.flatMap(({ text, fix }) => [
      ...indented(text, 2),
      ...(fix === null ? [] : [`    → ${fix}`]),
    ]),
  ];
}

function nextOf({ findings, choices, source }: Plan): string {
  const given = [
    ...(choices.unknown === "stop" ? [] : [`--unknown ${choices.unknown}`]),
    ...(choices.unfit === "stop" ? [] : [`--unfit ${choices.unfit}`]),
  ];
  if (findings.some(({ level }) => level === "stop"))
    return "change what is in the way, then run plan again.";
  const open = findings.filter(({ level }) => level === "choice");
  if (open.length > 0) {
    const flags = [
      ...(choices.unknown === DEFAULT_CHOICES.unknown &&
      open.some(({ about }) => about === "tables")
        ? ["--unknown keep (or drop)"]
        : []),
      ...(choices.unfit === DEFAULT_CHOICES.unfit && open.some(({ about }) => about === "rows")
        ? ["--unfit aside"]
        : []),
    ];
    return `decide, then run plan again with ${[...given, ...flags].join(" ")}.`;
  }
  const flags = given.length > 0 ? ` with ${given.join(" ")}` : "";
  return `copy${flags}; then follow as long as you like${source.mode === "stream" ? " (not for days: the source keeps for it what is written)" : ""}, and cutover. Or cutover at once, which does all three.`;
}

/** "under 1 s", "12 s", "4 min". */
function seconds(expected: number): string {
  if (expected < 1) return "under 1 s";
  return expected < 100 ? `${Math.round(expected)} s` : `${Math.round(expected / 60)} min`;
}

/** "under 1 s", "about 12 s". */
const about = (expected: number) =>
  expected < 1 ? seconds(expected) : `about ${seconds(expected)}`;

function labelled(label: string, texts: readonly string[]): string[] {
  return texts.flatMap((text, i) =>
    wrapped(text, " ".repeat(LABEL)).map((line, j) =>
      i === 0 && j === 0 ? label.padEnd(LABEL) + line.trimStart() : line,
    ),
  );
}

/** A point of a list. */
function indented(text: string, by: number): string[] {
  const pad = " ".repeat(by);
  return wrapped(text, `${pad}  `).map((line, i) =>
    i === 0 ? `${pad}- ${line.trimStart()}` : line,
  );
}

/** Broken at spaces; a word that is longer than a line stays whole. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
