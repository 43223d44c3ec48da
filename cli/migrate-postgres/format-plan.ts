// Formats a plan as lines of text.

import { formatBytes } from "#lib/core/format.ts";
import { DEFAULT_OPTIONS } from "./options.ts";
import type { PlanIssue } from "./plan-issue.ts";
import { stripControls } from "#cli/strip-controls.ts";
import type { Plan } from "./plan.ts";

/** Width at which sentences wrap. Statements and commands never wrap. */
const LINE_WIDTH = 100;
const LABEL_WIDTH = 10;

/** Lists the source, tables, conversions, blockers, open choices and the next step. */
export function formatPlan(plan: Plan): string[] {
  const issuesOf = (wanted: PlanIssue["level"]) =>
    plan.issues.filter(({ level }) => level === wanted);
  const notes = issuesOf("note");
  return [
    ...formatLabelled("Source", [describeSource(plan), ...describeMode(plan)]),
    ...plan.source.streamObstacles.flatMap((text) => indentText(text, LABEL_WIDTH)),
    ...formatLabelled("Target", [
      `${plan.targetFile}. The migration needs about ${formatBytes(plan.diskSpace.neededBytes)}; ${formatBytes(plan.diskSpace.freeBytes)} are free in ${plan.diskSpace.folder}.`,
    ]),
    "",
    ...formatTables(plan),
    ...formatSection(
      "Conversions",
      notes.filter(({ topic }) => topic === "values"),
    ),
    ...formatSection(
      "Members",
      notes.filter(({ topic }) => topic === "members"),
    ),
    ...formatSection(
      "Notes",
      notes.filter(({ topic }) => topic !== "values" && topic !== "members"),
    ),
    ...formatSection("Choices to make", issuesOf("choice")),
    ...formatSection("Blockers", issuesOf("stop")),
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
      "It can stream: changes are applied in order as they happen, and writes pause only while the last ones are applied.",
    ];
  return [
    `It cannot stream changes. Instead, full resyncs compare every row of both sides and repair differences, the last one while writes are blocked. Nothing is lost, but writes pause for as long as a resync takes, ${formatEstimate(time.resyncSeconds)} here, and rows that are added and deleted between two resyncs are never seen. To make it stream:`,
  ];
}

function formatTables({ tables, time }: Plan): string[] {
  if (tables.length === 0) return ["There is nothing to migrate."];
  const rows = tables.map(({ table, rows: count, bytes, seconds }) => [
    table.target,
    count.toLocaleString("en-US"),
    formatBytes(bytes),
    formatSeconds(seconds),
    table.isSide ? `side table of ${table.source}` : "",
  ]);
  const grid = [["Table", "rows", "size", "time", ""], ...rows];
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
    `Total: ${formatEstimate(time.copySeconds)}, including indexes, counters, checks and verification.`,
  ];
}

function formatSection(title: string, issues: readonly PlanIssue[]): string[] {
  if (issues.length === 0) return [];
  return [
    "",
    title,
    ...issues.flatMap(({ text, fix }) => [
      ...indentText(text, 2),
      ...(fix === null ? [] : [`    → ${fix}`]),
    ]),
  ];
}

function describeNextStep({ issues, options, source }: Plan): string {
  const currentFlags = [
    ...(options.unknown === "stop" ? [] : [`--unknown ${options.unknown}`]),
    ...(options.invalidRows === "stop" ? [] : [`--invalid-rows ${options.invalidRows}`]),
  ];
  if (issues.some(({ level }) => level === "stop"))
    return "resolve the blockers, then run plan again.";
  const openChoices = issues.filter(({ level }) => level === "choice");
  if (openChoices.length > 0) {
    const flags = [
      ...(options.unknown === DEFAULT_OPTIONS.unknown &&
      openChoices.some(({ topic }) => topic === "tables")
        ? ["--unknown keep (or drop)"]
        : []),
      ...(options.invalidRows === DEFAULT_OPTIONS.invalidRows &&
      openChoices.some(({ topic }) => topic === "rows")
        ? ["--invalid-rows quarantine"]
        : []),
    ];
    return `make the choices, then run plan again with ${[...currentFlags, ...flags].join(" ")}.`;
  }
  const flags = currentFlags.length > 0 ? ` with ${currentFlags.join(" ")}` : "";
  return `copy${flags}, then follow, then cutover${source.mode === "stream" ? " (within days: the source retains all changes until then)" : ""}. Or run cutover, which does all three.`;
}

/** "under 1 s", "12 s", "4 min". */
function formatSeconds(seconds: number): string {
  if (seconds < 1) return "under 1 s";
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** "under 1 s", "about 12 s". */
const formatEstimate = (seconds: number) =>
  seconds < 1 ? formatSeconds(seconds) : `about ${formatSeconds(seconds)}`;

function formatLabelled(label: string, texts: readonly string[]): string[] {
  return texts.flatMap((text, i) =>
    wrapText(text, " ".repeat(LABEL_WIDTH)).map((line, j) =>
      i === 0 && j === 0 ? label.padEnd(LABEL_WIDTH) + line.trimStart() : line,
    ),
  );
}

/** Formats a list item. */
function indentText(text: string, by: number): string[] {
  const pad = " ".repeat(by);
  return wrapText(text, `${pad}  `).map((line, i) =>
    i === 0 ? `${pad}- ${line.trimStart()}` : line,
  );
}

/** Wraps at spaces; a word longer than a line stays whole. */
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
