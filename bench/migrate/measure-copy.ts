// One measurement of ours, in a process of its own so that its memory can be told: prints one line of JSON.
// Usage: node bench/migrate/measure-copy.ts --url URL --file FILE [--reads-alone]

import { parseArgs } from "node:util";
import { copyTables } from "#cli/migrate-postgres/copy-tables.ts";
import { DEFAULT_OPTIONS, KNOWN_TABLES } from "#cli/migrate-postgres/table-mapping.ts";
import { connectSource, readRows } from "#cli/migrate-postgres/source-connection.ts";
import { finishLoad, createStagingDatabase } from "#cli/migrate-postgres/staging-database.ts";
import { verifyCopy } from "#cli/migrate-postgres/verify-copy.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.ts";

/** Milliseconds, one after the other, and MB. */
export interface CopyMeasurement {
  /** From connecting until all rows are in the file. */
  readonly copyMs: number;
  /** Indexes, counters, foreign keys, until the file is on the disk. */
  readonly indexesMs: number;
  /** The counters among it. */
  readonly countersMs: number;
  readonly integrityMs: number;
  /** The checksums of both sides; with the samples. 0 where reads alone were copied. */
  readonly sumMs: number;
  readonly verifyMs: number;
  /** Until the file was whole; after the comparison. */
  readonly peakMb: number;
  readonly peakWithVerifyMb: number;
  /** Processor time of this process until the file was whole. */
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
/** Since it was asked last. */
const readLapMs = () => {
  const ms = performance.now() - startedMs;
  startedMs += ms;
  return ms;
};
const peakMb = () => process.resourceUsage().maxRSS / 1024;

let source = await openSource();
await createStagingDatabase(file, { id: "bench", tables: KNOWN_TABLES });
if (isAlone) {
  // Whom reads point at must be there; what is timed begins after them.
  await copyTables({
    source,
    tables: KNOWN_TABLES.filter(({ target }) => target === "User"),
    choices: DEFAULT_OPTIONS,
    file,
  });
  await source.end();
  readLapMs();
  source = await openSource();
}
await copyTables({
  source,
  tables: isAlone ? reads : KNOWN_TABLES,
  choices: DEFAULT_OPTIONS,
  file,
});
const copyMs = readLapMs();
let countersMs = 0;
const { integrityMs } = finishLoad(file, {
  rebuild: (sql) => {
    if (isAlone) return;
    const beganMs = performance.now();
    rebuildCounters(sql);
    countersMs = performance.now() - beganMs;
  },
  position: "0/0",
});
const indexesMs = readLapMs() - integrityMs;
const { user, system } = process.cpuUsage();
const loaded = {
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
  if (!verification.equal) throw new Error("The copy and the source differ.");
  sums = { sumMs: verification.sumMs, verifyMs: readLapMs() };
}
await source.end();
console.log(
  JSON.stringify({ ...loaded, ...sums, peakWithVerifyMb: peakMb() } satisfies CopyMeasurement),
);

async function openSource() {
  const client = await connectSource(url, { readOnly: true });
  await readRows(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  return client;
}
