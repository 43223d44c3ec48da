// Measures counted reads per second, compared with the same route without its database call and
// with one transaction per read:
// npm run bench -- beacon

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { overrideEnv } from "#tests/support/override-env.ts";
import { writeArticles } from "./support/articles.ts";
import { writeBeaconScript } from "./support/beacon-script.ts";
import { createBenchDatabase } from "./support/bench-database.ts";
import { runWrk, requireWrk } from "./support/wrk.ts";
import { median, readOption, printReport, round, printTable } from "./support/measurements.ts";
import { BENCH_SESSION_SECRET, startBenchSite } from "./support/bench-site.ts";

const DIR = ".data/bench-beacon";
const PORT = 3128;
const ROUNDS = readOption("rounds", 5);
const SECONDS = readOption("seconds", 4);
const CONNECTIONS = readOption("connections", 64);
/** More tokens than one round uses. */
const TOKENS = SECONDS * 8_000;

requireWrk();
rmSync(DIR, { recursive: true, force: true });
mkdirSync(DIR, { recursive: true });
writeArticles(join(DIR, "content"));
const file = join(DIR, "lectern.db");
await createBenchDatabase(file, { reads: 500_000, slugs: ["short", "medium", "long"] });
overrideEnv({ SESSION_SECRET: BENCH_SESSION_SECRET, DATA_DIR: DIR });

// Rate limits count by address, so each beacon comes from a different one.
const site = await startBenchSite({
  port: PORT,
  dataDir: DIR,
  contentDir: join(DIR, "content"),
  env: { TRUST_PROXY: "fly" },
});

const KINDS = {
  ours: "/reads",
  "no database call": "/reads?write=none",
  "one transaction each": "/reads?write=single",
} as const;
const rates = new Map(Object.keys(KINDS).map((name) => [name, [] as number[]]));
const countReads = () => {
  const db = new Database(file, { readonly: true });
  const { n } = db.prepare(`SELECT count(*) AS n FROM "PostRead"`).get() as { n: number };
  db.close();
  return n;
};
let acknowledged = 0;
let failed = 0;
const before = countReads();
for (let i = 0; i <= ROUNDS; i++) {
  for (const [name, path] of Object.entries(KINDS)) {
    const result = await runWrk(site.url + path, {
      seconds: i === 0 ? 1 : SECONDS,
      connections: CONNECTIONS,
      script: writeBeaconScript({ dir: DIR, slug: "short", tokens: TOKENS }),
    });
    failed += result.failed;
    if (name !== "no database call") acknowledged += result.perSecond * (i === 0 ? 1 : SECONDS);
    if (i > 0) rates.get(name)?.push(result.perSecond); // the first round warms up
  }
}
const stored = countReads() - before;
await site.stop();
if (failed > 0) throw new Error(`${failed} beacons were rejected`);
// wrk counts responses. Requests that are in flight at the end of a round are also stored.
if (stored < acknowledged * 0.99)
  throw new Error(`${stored} of ${Math.round(acknowledged)} acknowledged reads are stored`);

const medianRate = (name: string) => median(rates.get(name) as number[]);
printTable(
  ["", "reads/s"],
  [...rates.keys()].map((name) => [name, Math.round(medianRate(name))]),
);
console.log(
  `\nEvery acknowledged read is stored: ${stored} rows for about ${Math.round(acknowledged)} responses.\n`,
);
printReport(
  "beacon",
  {
    "÷ no database call": round(medianRate("ours") / medianRate("no database call")),
    "÷ one transaction each": round(medianRate("ours") / medianRate("one transaction each")),
  },
  Object.fromEntries([...rates.keys()].map((name) => [name, Math.round(medianRate(name))])),
);
