// Rebuilds or checks all read counters from the reads themselves: npm run reads:rebuild [--
// --check]

import { parseCommandLine, exitUnlessDatabase, exitUnlessPrimary } from "#cli/command-line.ts";
import { env } from "#lib/core/env.ts";
import { closeDatabase, read, write } from "#lib/db/database.ts";
import { stopWatchingLitefs } from "#lib/replication/role.ts";
import { findCounterMismatches, rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";

const usage = `Usage: npm run reads:rebuild [-- --check]

Rebuilds the totals, readers and daily counts from the reads in ${env.DATABASE_FILE}.
Takes a second or two per million reads. During that time, the site refuses writes and asks readers to retry.
  --check   print the counters that differ and change nothing (the site can keep writing)
Exit codes: 0 counters are correct, 1 --check found differences, 2 no database.`;

const { flags } = parseCommandLine(usage, { check: { type: "boolean" } });
exitUnlessDatabase();

const startedMs = performance.now();
const formatElapsed = () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
try {
  if (flags.check) {
    const differences = await read(findCounterMismatches);
    for (const { table, key, stored, computed } of differences)
      console.log(
        `${table} ${key}: stored ${stored ?? "nothing"}, computed ${computed ?? "nothing"}`,
      );
    console.log(
      differences.length === 0
        ? `Every counter is correct (${formatElapsed()}).`
        : `Some counters differ (${formatElapsed()}; at most ten per table are shown). Run without --check to rebuild them.`,
    );
    process.exitCode = differences.length === 0 ? 0 : 1;
  } else {
    await exitUnlessPrimary();
    const { reads, readers } = await write(rebuildCounters);
    console.log(`Counted ${reads} reads by ${readers} readers (${formatElapsed()}).`);
  }
} finally {
  stopWatchingLitefs();
  await closeDatabase();
}
