// Renders the first table of docs/benchmarks.md: every result that has a goal.

import { type Report, type Reports, formatGoal, resultsOf, withUnit } from "./goals.ts";
import { markdownTable } from "./markdown-table.ts";

export const formatBench = (bench: string): string =>
  bench === "migrate-large" ? "migrate, 5,000,000 reads" : bench;

export const measuredOn = ({ at }: Report): string => at.slice(0, 10);

/** Returns the benchmark with the options of its run, as they follow `npm run bench --`. */
function commandOf(bench: string, { options = [] }: Report): string {
  return ["`", [bench.replace("-large", ""), ...options].join(" "), "`"].join("");
}

/** Returns the table of all results that have a goal, the plot, and why goals were missed. */
export function summary(reports: Reports): string {
  const all = Object.entries(reports).flatMap(([bench, report]) =>
    resultsOf(bench, report).map((result, index) => ({ ...result, bench, report, index })),
  );
  const missed = all.filter(({ isMet }) => !isMet);
  const table = markdownTable(
    ["`npm run bench --`", "", "goal", "result", "", "date"],
    all.map((result) => [
      result.index ? "" : commandOf(result.bench, result.report),
      result.name,
      formatGoal(result),
      withUnit(result.value, result.unit),
      result.isMet ? "met" : "**missed**",
      measuredOn(result.report),
    ]),
    2,
  );
  const byReason = Map.groupBy(missed, ({ bench, reason }) => `${bench}: ${reason}`);
  const reasons = [...byReason.values()].map((results) => {
    const { bench, reason = "no reason is known" } = results[0]!;
    return `- **${formatBench(bench)}**: ${results.map(({ name }) => name).join("; ")}: ${reason}`;
  });
  const count = `${all.length - missed.length} of ${all.length} goals are met`;
  return `${count}.

![${count}; the table below lists every result and goal](benchmarks.svg)

${table}

Why some goals are missed:

${reasons.join("\n")}`;
}
