// Imports an export of Ghost, WordPress or Substack: npm run import -- ghost FILE.

import {
  exitUnlessDatabase,
  exitUnlessPrimary,
  exitWithUsage,
  parseCommandLine,
} from "#cli/command-line.ts";
import { stripControls } from "#cli/strip-controls.ts";
import { env } from "#lib/core/env.ts";
import { closeDatabase } from "#lib/db/database.ts";
import { stopWatchingLitefs } from "#lib/replication/role.ts";
import { ExportError, type ExportedMember, type ExportedSite } from "./exported-site.ts";
import { readGhostExport } from "./ghost.ts";
import { formatReport } from "./format-report.ts";
import { importMembersOf } from "./import-members.ts";
import { importSite } from "./import-site.ts";
import { decodeExport, readExport } from "./read-export.ts";
import { readMembersCsv, readSubstackExport } from "./substack.ts";
import { readWordPressExport } from "./wordpress.ts";

process.env.LOG_LEVEL ??= "error"; // keeps the output free of log lines

const usage = `Usage: npm run import -- PLATFORM FILE [--to DIR] [--url URL]
         [--members FILE.csv | --export-members] [--dry-run]
       npm run import -- members FILE.csv [--dry-run]

Writes the posts and pages of another site's export into the content folder, with their images.
  ghost FILE.json|FILE.zip   Settings → Import/Export → Export content; a ZIP may contain its images
  wordpress FILE.xml         Tools → Export → All content
  substack FILE.zip          Settings → Exports
  members FILE.csv           adds only members, for example on a server
  --to DIR        the content folder (default: ${env.CONTENT_DIR})
  --url URL       the old site, from which images are downloaded. Ghost exports don't name it.
  --members FILE.csv  also adds the people in this file as members of this site. They log in with
                  the code that is emailed to them, like everyone else.
  --export-members  the same, with the subscribers in the export (Substack)
  --dry-run       only prints what would be done
The import can be repeated: files that you edited or deleted since the last time are left alone.
Exit codes: 0 success, 1 the export can't be read or the folder can't be written, 2 unknown option.`;

const { flags, words } = parseCommandLine(
  usage,
  {
    to: { type: "string" },
    url: { type: "string" },
    members: { type: "string" },
    "export-members": { type: "boolean" },
    "dry-run": { type: "boolean" },
  },
  { words: true },
);
const [platform, file, ...rest] = words;
if (file === undefined) exitWithUsage("Name the platform and the exported file.", usage);
if (rest.length > 0) exitWithUsage(`Unexpected argument: "${rest[0]}".`, usage);
if (flags["export-members"] && flags.members !== undefined)
  exitWithUsage("Use either --members or --export-members.", usage);
if (flags["export-members"] && platform !== "substack")
  exitWithUsage("Only Substack exports contain members. Use --members FILE.csv.", usage);
if (
  platform === "members" &&
  [flags.to, flags.url, flags.members].some((flag) => flag !== undefined)
)
  exitWithUsage('"members FILE.csv" takes no option except --dry-run.', usage);
if (flags.to === "") exitWithUsage("--to must be a folder.", usage);
const url = flags.url === undefined ? "" : readOrigin(flags.url);

try {
  const site = platform === "members" ? null : readExportOf(platform!, file);
  const members = readMembers(site);
  const isDryRun = flags["dry-run"] ?? false;
  // Check before any file is written.
  if (members !== null && !isDryRun) {
    exitUnlessDatabase();
    await exitUnlessPrimary();
  }
  if (site !== null) {
    const report = await importSite(site, { root: flags.to ?? env.CONTENT_DIR, isDryRun });
    printLines(formatReport(report, { isDryRun }));
  }
  if (members !== null && isDryRun) console.log(`${members.length} members would be added.`);
  else if (members !== null) printLines(await importMembersOf(members));
} catch (error) {
  const message = describeError(error);
  if (message === null) throw error;
  console.error(stripControls(message));
  process.exitCode = 1;
} finally {
  stopWatchingLitefs();
  await closeDatabase();
}

/** Returns what the owner can fix: the export, or a folder that can't be written. Else null. */
function describeError(error: unknown): string | null {
  if (error instanceof ExportError) return error.message;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  return syscall && path ? `${path} can't be written (${code}).` : null;
}

/** Prints the lines, which contain text from the export. */
function printLines(lines: readonly string[]): void {
  for (const line of lines) console.log(stripControls(line));
}

function readExportOf(name: string, path: string): ExportedSite {
  if (name === "ghost") return readGhostExport(path, { url });
  if (name === "wordpress") return readWordPressExport(path);
  if (name === "substack") return readSubstackExport(path, { url });
  return exitWithUsage(
    `Unknown platform: "${name}". Use ghost, wordpress, substack or members.`,
    usage,
  );
}

/** Returns the members to add, or null if only posts are imported. */
function readMembers(site: ExportedSite | null): readonly ExportedMember[] | null {
  const csv = site === null ? file : flags.members;
  if (csv !== undefined) return readMembersCsv(csv, decodeExport(csv, readExport(csv)));
  return site !== null && flags["export-members"] ? site.members : null;
}

function readOrigin(value: string): string {
  if (/^https?:\/\//.test(value) && URL.canParse(value)) return value.replace(/\/+$/, "");
  return exitWithUsage(`--url must be the old site's address, such as https://example.com.`, usage);
}
