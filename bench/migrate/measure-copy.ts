// Measures one copy in a separate process, so that its memory can be measured. Prints one line of
// JSON.
// Usage: node bench/migrate/measure-copy.ts --url URL --file FILE [--reads-alone]

import { parseArgs } from "node:util";
import { copyTables } from "#cli/migrate-postgres/copy-tables.ts";
import { KNOWN_TABLES } from "#cli/migrate-postgres/table-mapping.ts";
import { connectSource, readRows } from "#cli/migrate-postgres/source-connection.ts";
import { finishLoad, createStagingDatabase } from "#cli/migrate-postgres/staging-database.ts";
import { verifyCopy } from "#cli/migrate-postgres/verify-copy.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";
import { DEFAULT_OPTIONS } from "#cli/migrate-postgres/options.ts";

export interface CopyMeasurement {
  /** From the connection until all rows are in the file. */
  readonly copyMs: number;
  /** Indexes, counters, foreign keys and the sync. */
  readonly indexesMs: number;
  /** The part of indexesMs that counters take. */
  readonly countersMs: number;
  readonly integrityMs: number;
  /** Checksums of both sides, without and with samples; 0 with --reads-alone. */
  readonly sumMs: number;
  readonly verifyMs: number;
  /** Peak memory until the copy is complete, and until after the verification. */
  readonly peakMb: number;
  readonly peakWithVerifyMb: number;
  /** CPU time until the copy was complete. */
  readonly cpuMs: number;
}

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    file: { type: "string" },
    "reads-alone": { type: "boolean" },
  },
});
const [url, file, isAlone] = [values.url!, values.file!, values["reads-alone"] === true];
const reads = KNOWN_TABLES.filter(({ target }) => target === "PostRead");

let startedMs = performance.now();
/** Returns the time since its last call. */
const readLapMs = () => {
  const ms = performance.now() - startedMs;
  startedMs += ms;
  return ms;
};
const peakMb = () => process.resourceUsage().maxRSS / 1024;

let source = await openSource();
await createStagingDatabase(file, { id: "bench", tables: KNOWN_TABLES });
if (isAlone) {
  // The reads' users must exist. Timing starts after they are copied.
  await copyTables({
    source,
    tables: KNOWN_TABLES.filter(({ target }) => target === "User"),
    options: DEFAULT_OPTIONS,
    file,
  });
  await source.end();
  readLapMs();
  source = await openSource();
}
await copyTables({
  source,
  tables: isAlone ? reads : KNOWN_TABLES,
  options: DEFAULT_OPTIONS,
  file,
});
const copyMs = readLapMs();
let countersMs = 0;
const { integrityMs } = finishLoad(file, {
  rebuildCounters: (sql) => {
    if (isAlone) return;
    const rebuildStartedMs = performance.now();
    rebuildCounters(sql);
    countersMs = performance.now() - rebuildStartedMs;
  },
  position: "0/0",
});
const indexesMs = readLapMs() - integrityMs;
const { user, system } = process.cpuUsage();
const copyResult = {
  copyMs,
  indexesMs,
  countersMs,
  integrityMs,
  peakMb: peakMb(),
  cpuMs: (user + system) / 1000,
};
let sums = { sumMs: 0, verifyMs: 0 };
if (!isAlone) {
  readLapMs();
  const verification = await verifyCopy({ source, tables: KNOWN_TABLES, file });
  if (!verification.isEqual) throw new Error("The copy and the source differ.");
  sums = { sumMs: verification.sumMs, verifyMs: readLapMs() };
}
await source.end();
console.log(
  JSON.stringify({ ...copyResult, ...sums, peakWithVerifyMb: peakMb() } satisfies CopyMeasurement),
);

async function openSource() {
  const client = await connectSource(url, { readOnly: true });
  await readRows(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  return client;
}
