// npm run bench -- beacon: counted reads acknowledged per second, beside the same route with its database call taken
// out, and with a transaction of its own for each read.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { overrideEnv } from "#tests/database.ts";
import { writeArticles } from "./support/articles.ts";
import { beaconScript } from "./support/beacons.ts";
import { benchDatabase } from "./support/database.ts";
import { load, requireWrk } from "./support/load.ts";
import { median, option, report, round, table } from "./support/machine.ts";
import { SECRET, startSite } from "./support/site.ts";

const DIR = ".data/bench-beacon";
const PORT = 3128;
const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 4);
const CONNECTIONS = option("connections", 64);
/** More than one round can use. */
const TOKENS = SECONDS * 8_000;

requireWrk();
rmSync(DIR, { recursive: true, force: true });
mkdirSync(DIR, { recursive: true });
writeArticles(join(DIR, "content"));
const file = join(DIR, "lectern.db");
await benchDatabase(file, { reads: 500_000, slugs: ["short", "medium", "long"] });
overrideEnv({ SESSION_SECRET: SECRET, DATA_DIR: DIR });

// Limits count by address: each beacon comes from another one, as they would on a busy day.
const site = await startSite({
  port: PORT,
  dataDir: DIR,
  contentDir: join(DIR, "content"),
  env: { TRUST_PROXY: "fly" },
});

const KINDS = {
  ours: "/reads",
  "no database call": "/api/bench-beacon/none",
  "one transaction each": "/api/bench-beacon/single",
} as const;
const rates = new Map(Object.keys(KINDS).map((name) => [name, [] as number[]]));
const readsIn = () => {
  const db = new Database(file, { readonly: true });
  const { n } = db.prepare(`SELECT count(*) AS n FROM "PostRead"`).get() as { n: number };
  db.close();
  return n;
};
let acknowledged = 0;
let failed = 0;
const before = readsIn();
for (let i = 0; i <= ROUNDS; i++) {
  for (const [name, path] of Object.entries(KINDS)) {
    const result = await load(site.url + path, {
      seconds: i === 0 ? 1 : SECONDS,
      connections: CONNECTIONS,
      script: beaconScript({ dir: DIR, slug: "short", tokens: TOKENS }),
    });
    failed += result.failed;
    if (name !== "no database call") acknowledged += result.perSecond * (i === 0 ? 1 : SECONDS);
    if (i > 0) rates.get(name)?.push(result.perSecond); // the first warms up
  }
}
const stored = readsIn() - before;
await site.stop();
if (failed > 0) throw new Error(`${failed} beacons were refused`);
// wrk counts answers; what it still waited for at the end of a round was stored too.
if (stored < acknowledged * 0.99)
  throw new Error(`${stored} reads are stored of ${Math.round(acknowledged)} acknowledged`);

const rate = (name: string) => median(rates.get(name) as number[]);
table(
  ["", "reads/s"],
  [...rates.keys()].map((name) => [name, Math.round(rate(name))]),
);
console.log(
  `\nEvery acknowledged read is stored: ${stored} rows for about ${Math.round(acknowledged)} answers.\n`,
);
report(
  "beacon",
  {
    "÷ no database call": round(rate("ours") / rate("no database call")),
    "÷ one transaction each": round(rate("ours") / rate("one transaction each")),
  },
  Object.fromEntries([...rates.keys()].map((name) => [name, Math.round(rate(name))])),
);
