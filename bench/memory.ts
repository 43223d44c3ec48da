// Measures the server's memory in two fresh processes: while 28,000 clients each request a different
// URL, none of which a cache may keep, and over 20,000 requests of guests and members for posts:
// npm run bench -- memory

import { rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { writeArticles } from "./support/articles.ts";
import { createBenchDatabase } from "./support/bench-database.ts";
import { BENCH_SESSION_SECRET, type BenchSite, startBenchSite } from "./support/bench-site.ts";
import { printReport, readOption } from "./support/measurements.ts";

const DIR = join(".data", "bench", "memory");
const PORT = 3133;
const ADDRESSES = readOption("addresses", 28_000);
const REQUESTS = readOption("requests", 20_000);
const READS = readOption("reads", 500_000);
const CONNECTIONS = 16;
const SAMPLE_EVERY = 2_000;

/**
 * Each function returns the path of request `n`: a page, file or search that was not requested
 * before.
 */
const PATHS: readonly ((n: number) => string)[] = [
  (n) => `/blog/missing-${n}`,
  (n) => `/blog/missing-${n}.md`,
  (n) => `/blog?q=word${n}`,
  (n) => `/calls/missing-${n}`,
  (n) => `/missing/${n}`,
  (n) => `/content-file/blog/missing/${n}.png`,
  (n) => `/?utm=${n}`,
];

const contentDir = join(DIR, "content");
const dataDir = join(DIR, "data");
const slugs = writeArticles(contentDir).map(({ slug }) => slug);
const member = await createBenchDatabase(join(dataDir, "lectern.db"), { reads: READS, slugs });
const db = new Database(join(dataDir, "lectern.db"));
const session = await insertMemberSession(db, member, BENCH_SESSION_SECRET);
db.close();
const memberCookie = `${session.name}=${session.value}`;

/** Sends `count` requests in a fresh process. Returns its memory in MB every 2,000 requests. */
async function measureMemory(
  count: number,
  send: (site: BenchSite, n: number) => Promise<Response>,
): Promise<number[]> {
  for (const suffix of ["", "-wal", "-shm"])
    rmSync(join(dataDir, `cache.db${suffix}`), { force: true });
  const site = await startBenchSite({
    port: PORT,
    dataDir,
    contentDir,
    env: { TRUST_PROXY: "1", COMPILE_WORKERS: "1" },
  });
  const memoryMb = [site.rssMb()];
  let next = 0;
  let failedCount = 0;
  const sendMany = async () => {
    for (let n = next++; n < count; n = next++) {
      const response = await send(site, n);
      await response.arrayBuffer();
      if (response.status >= 500) failedCount += 1;
      if ((n + 1) % SAMPLE_EVERY === 0) memoryMb.push(site.rssMb());
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, sendMany));
  } finally {
    await site.stop();
  }
  if (failedCount > 0) throw new Error(`${failedCount} responses were 5xx.`);
  return memoryMb;
}

const clientOf = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

const addresses = await measureMemory(ADDRESSES, (site, n) =>
  fetch(site.url + PATHS[n % PATHS.length]!(n), { headers: { "x-forwarded-for": clientOf(n) } }),
);
console.log(`${ADDRESSES} addresses, every ${SAMPLE_EVERY}: ${addresses.join(", ")} MB.`);

const posts = await measureMemory(REQUESTS, (site, n) =>
  fetch(`${site.url}/blog/${slugs[(n >> 1) % slugs.length]}`, {
    headers: n % 2 ? { cookie: memberCookie } : {},
  }),
);
console.log(`${REQUESTS} requests for posts, every ${SAMPLE_EVERY}: ${posts.join(", ")} MB.\n`);

printReport(
  "memory",
  {},
  {
    addresses: { startMb: addresses[0], maxMb: Math.max(...addresses), endMb: addresses.at(-1) },
    posts: { startMb: posts[0], maxMb: Math.max(...posts), endMb: posts.at(-1) },
  },
);
