// Formats what an import did, for the terminal.

import type { ImportReport } from "./import-site.ts";

const MAX_WARNINGS = 200;

/** Returns the lines: warnings first, then the counts. */
export function formatReport(report: ImportReport, { isDryRun }: { isDryRun: boolean }): string[] {
  const { warnings } = report;
  const shown = warnings
    .slice(0, MAX_WARNINGS)
    .map(({ subject, reason }) => `${subject}: ${reason}`);
  if (warnings.length > MAX_WARNINGS) shown.push(`… and ${warnings.length - MAX_WARNINGS} more`);
  const counts = [
    count(report.posts, "post"),
    count(report.pages, "page"),
    count(report.drafts, "draft"),
    count(report.images, "new image or file", "new images and files"),
    count(report.aliases, "alias", "aliases"),
    count(report.redirects, "new redirect"),
  ].join(", ");
  return [
    ...shown,
    ...(warnings.length > 0 ? [""] : []),
    `${isDryRun ? "Dry run: nothing was written. " : ""}${counts}.`,
    `${count(report.written, "file")} ${isDryRun ? "would be written" : "written"}, ${report.unchanged} unchanged, ${count(warnings.length, "warning")}.`,
    ...(isDryRun || report.written === 0 ? [] : ["Check the posts with: npm run content:check"]),
  ];
}

const count = (value: number, one: string, many = `${one}s`) =>
  `${value} ${value === 1 ? one : many}`;
