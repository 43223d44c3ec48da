// Checks what the tests and the local cluster need. A server needs none of this.

import { existsSync } from "node:fs";
import { POSTGRES_MISSING, findPostgres } from "../../../scripts/find-postgres.mjs";
import { findMissing } from "#cli/cluster/tools/find-tools.ts";
import { type Finding, note, ok } from "../finding.ts";

export function checkDeveloperTools(): Finding[] {
  const browser = [
    process.env.CHROMIUM_PATH,
    "/usr/bin/chromium-headless-shell",
    "/usr/bin/chromium",
    "/usr/bin/google-chrome",
  ].find((path) => path && existsSync(path));
  const postgres = findPostgres();
  const missing = findMissing();
  return [
    browser
      ? ok(`browser for e2e: ${browser}`)
      : note(
          "no system Chromium",
          "npm run e2e needs it.",
          "sudo apt install chromium-headless-shell",
        ),
    postgres
      ? ok(`PostgreSQL for the migration's tests and demo: ${postgres}`)
      : note("no PostgreSQL", "The migration's tests are skipped.", POSTGRES_MISSING),
    ...(missing.length === 0
      ? [ok("ready to run a cluster on this machine (npm run cluster)")]
      : missing.map((line) =>
          note("can't run a cluster on this machine", line, "npm run cluster"),
        )),
  ];
}
