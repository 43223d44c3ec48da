// Formats the result of a verification as lines of text.

import { stripControls } from "#cli/strip-controls.ts";
import { pluralize } from "./plan-text.ts";
import { QUARANTINE_TABLE } from "./quarantine.ts";
import type { Verification, VerifiedTable } from "./verify-copy.ts";

const DIFFERENCE_LABELS = {
  missing: "is missing from the copy",
  extra: "is only in the copy",
  different: "differs",
} as const;

/** Returns a line per table, its differing rows, other problems, and the conclusion. */
export function describeVerification({ tables, problems, isEqual }: Verification): string[] {
  const width = Math.max(0, ...tables.map(({ target }) => stripControls(target).length));
  return [
    ...tables.flatMap((table) => {
      const [first, ...rest] = describeTable(table);
      return [`  ${stripControls(table.target).padEnd(width)}  ${first}`, ...rest];
    }),
    ...problems.map((problem) => `  ${problem}`),
    isEqual
      ? "Both sides are equal: every row by its hash, a sample field by field."
      : "Both sides are not equal.",
  ];
}

function describeTable({
  source,
  file,
  quarantined,
  isEqual,
  differingRows,
  differences,
}: VerifiedTable): string[] {
  const sourceRows = pluralize(source.rows, "row");
  if (isEqual) {
    const hint =
      quarantined > 0
        ? `; ${quarantined.toLocaleString("en-US")} of them in quarantine (${QUARANTINE_TABLE})`
        : "";
    return [`${sourceRows}, equal${hint}`];
  }
  const rows =
    source.rows === file.rows
      ? `${sourceRows} on both sides`
      : `${sourceRows} in PostgreSQL, ${file.rows.toLocaleString("en-US")} here`;
  const count =
    differingRows === null
      ? "; the table has no key, so the rows cannot be listed"
      : `: ${pluralize(differingRows, "row")}`;
  const unlisted = (differingRows ?? 0) - differences.length;
  return [
    `${rows}, DIFFERENT${count}`,
    ...differences.map(
      ({ key, kind, columns }) =>
        `    ${key} ${DIFFERENCE_LABELS[kind]}${columns.length > 0 ? `: ${columns.join(", ")}` : ""}`,
    ),
    ...(unlisted > 0 ? [`    and ${pluralize(unlisted, "other")}`] : []),
  ];
}
