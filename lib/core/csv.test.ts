import { expect, test } from "vitest";
import { formatCsvRow } from "./csv.ts";

test("text is quoted, numbers are not", () => {
  expect(formatCsvRow(["a", 'The "Reds", really', 12, ""])).toBe(
    '"a","The ""Reds"", really",12,""\r\n',
  );
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])(
  "a spreadsheet does not run %j as a formula",
  (text) => {
    expect(formatCsvRow([text])).toBe(`"'${text}"\r\n`);
  },
);
