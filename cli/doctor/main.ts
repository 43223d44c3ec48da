// Reports what this machine has and what the commands would lack. Changes nothing.

import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { POSTGRES_MISSING, findPostgres } from "../../scripts/find-postgres.mjs";
import { env } from "#lib/core/env.ts";
import { canMergeAudio } from "#lib/calls/merge-audio.ts";
import { checkSiteConfig, siteConfig } from "#lib/core/site-config.ts";
import { findMissing } from "#cli/cluster/tools/find-tools.ts";
import { findMistypedValues } from "./mistyped-values.ts";

let problems = 0;
function reportLine(ok: boolean | "note", text: string, fix = ""): void {
  if (ok === false) problems += 1;
  console.log(
    `${ok === "note" ? "note" : ok ? " ok " : "FAIL"}  ${text}${ok === true || !fix ? "" : `\n      ${fix}`}`,
  );
}

reportLine(true, `Node ${process.versions.node} (${process.execPath})`);

try {
  reportLine(
    true,
    `configuration: site ${env.SITE_URL}, data in ${env.DATA_DIR}, posts from ${env.CONTENT_SOURCE}`,
  );
} catch (error) {
  reportLine(false, (error as Error).message);
  process.exit(1);
}

try {
  checkSiteConfig();
  reportLine(true, `${env.SITE_CONFIG}: ${siteConfig.name}, by ${siteConfig.author.name}`);
  if (siteConfig.features.calls && !siteConfig.podcast.owner)
    reportLine(
      "note",
      `${env.SITE_CONFIG}: the podcast has no owner`,
      "Podcast directories write to the owner. Set podcast.owner before you submit the feed.",
    );
} catch (error) {
  reportLine(false, (error as Error).message);
}

const memory = new Database(":memory:");
const { version } = memory.prepare("SELECT sqlite_version() AS version").get() as {
  version: string;
};
memory.close();
const [, minor = 0, patch = 0] = version.split(".").map(Number);
// sqlite.org/wal.html, "The WAL-reset bug": fixed in 3.51.3.
reportLine(
  minor > 51 || (minor === 51 && patch >= 3),
  `SQLite ${version}`,
  "SQLite before 3.51.3 can corrupt the file when two connections write and checkpoint.",
);

if (existsSync(env.DATABASE_FILE)) {
  const db = new Database(env.DATABASE_FILE, { readonly: true });
  const mode = db.pragma("journal_mode", { simple: true });
  const pageSize = db.pragma("page_size", { simple: true });
  reportLine(
    mode === "wal",
    `${env.DATABASE_FILE}: journal mode ${String(mode)}`,
    "The site creates its database in WAL mode. Start it once on a plain file; never change the mode on a LiteFS cluster.",
  );
  reportLine(
    pageSize === 4096,
    `${env.DATABASE_FILE}: page size ${String(pageSize)}`,
    "LiteFS requires a page size of 4096.",
  );
  reportLine(
    db.pragma("quick_check", { simple: true }) === "ok",
    `${env.DATABASE_FILE}: quick_check`,
    "The file is corrupt. Restore a backup.",
  );
  reportLine(
    (db.pragma("foreign_key_check") as unknown[]).length === 0,
    `${env.DATABASE_FILE}: foreign keys`,
    "Some rows reference missing rows. See PRAGMA foreign_key_check.",
  );
  const mistyped = findMistypedValues(db);
  if (mistyped.length === 0) reportLine(true, `${env.DATABASE_FILE}: value types`);
  for (const { table, column, expected, count } of mistyped)
    reportLine(
      false,
      `${env.DATABASE_FILE}: ${table}.${column}: ${count} ${count === 1 ? "value is" : "values are"} not stored as ${expected}`,
      `Find them: SELECT rowid, "${column}" FROM "${table}" WHERE typeof("${column}") NOT IN ('${expected}', 'null')`,
    );
  db.close();
} else {
  reportLine("note", `${env.DATABASE_FILE} does not exist yet`, "npm start creates it.");
}

const hasFfmpeg = await canMergeAudio();
reportLine(
  hasFfmpeg ? true : "note",
  hasFfmpeg ? `ffmpeg: ${env.FFMPEG_PATH}` : "no ffmpeg with an MP3 or AAC encoder",
  "Without it, the podcast feed has answers as recorded, which not all podcast apps play. Install ffmpeg, or set FFMPEG_PATH.",
);

const browserPath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);
reportLine(
  browserPath ? true : "note",
  browserPath ? `browser for e2e: ${browserPath}` : "no system Chromium",
  "npm run e2e installs one or reports what is missing.",
);

const postgresPath = findPostgres();
reportLine(
  postgresPath ? true : "note",
  postgresPath
    ? `PostgreSQL for the migration's tests and demo: ${postgresPath}`
    : "no PostgreSQL: the migration tests are skipped",
  POSTGRES_MISSING,
);

const missingTools = findMissing();
if (missingTools.length === 0)
  reportLine(true, "ready to run a cluster on this machine (npm run cluster)");
for (const problem of missingTools)
  reportLine("note", "can't run a cluster on this machine", problem);

console.log(
  problems ? `\n${problems} ${problems === 1 ? "problem" : "problems"}` : "\nno problems",
);
process.exitCode = problems ? 1 : 0;
