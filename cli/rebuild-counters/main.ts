// npm run reads:rebuild [-- --check]: makes every counter of reads anew from the reads themselves, or only looks whether that is needed.

import { parseCommandLine, exitUnlessDatabase, exitUnlessPrimary } from "#cli/command-line.ts";
import { env } from "#lib/core/env.ts";
import { closeDatabase, readSql, writeSql } from "#lib/db/database.ts";
import { stopWatchingLitefs } from "#lib/replication/role.ts";
import { findCounterMismatches, rebuildCounters } from "#lib/reading/rebuild-counters.ts";

const usage = `Usage: npm run reads:rebuild [-- --check]

Makes totals, readers and the days behind the standings anew from the reads in ${env.DATABASE_FILE}.
A second or two per million reads; the site can't write meanwhile and asks its readers to try again.
  --check   change nothing; print where a counter differs (the site goes on as usual)
Exit code 0 when the counters are right (now), 1 when --check found differences, 2 when there is no database.`;

const { flags } = parseCommandLine(usage, { check: { type: "boolean" } });
exitUnlessDatabase();

const startedMs = performance.now();
const formatElapsed = () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
try {
  if (flags.check) {
    const differences = await readSql(findCounterMismatches);
    for (const { table, key, kept, counted } of differences)
      console.log(`${table} ${key}: kept ${kept ?? "nothing"}, counted ${counted ?? "nothing"}`);
    console.log(
      differences.length === 0
        ? `Every counter is right (${formatElapsed()}).`
        : `Some counters are wrong (${formatElapsed()}; at most ten of each table are shown). Without --check they are made anew.`,
    );
    process.exitCode = differences.length === 0 ? 0 : 1;
  } else {
    await exitUnlessPrimary();
    const { reads, readers } = await writeSql(rebuildCounters);
    console.log(`Counted ${reads} reads by ${readers} readers (${formatElapsed()}).`);
  }
} finally {
  stopWatchingLitefs();
  await closeDatabase();
}
