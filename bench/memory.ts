// Measures the server's memory while 28,000 clients each request a different URL, none of which a
// cache may keep: npm run bench -- memory

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startBuiltSite } from "#tests/support/built-site.ts";
import { printReport, readOption, round } from "./support/measurements.ts";

const COUNT = readOption("count", 28_000);
const CONNECTIONS = 16;
const DIR = join(".data", "bench", "memory");

/** Returns the path of request `n`: a page, file or search that was not requested before. */
const PATHS: readonly ((n: number) => string)[] = [
  (n) => `/blog/missing-${n}`,
  (n) => `/blog/missing-${n}.md`,
  (n) => `/blog?q=word${n}`,
  (n) => `/calls/missing-${n}`,
  (n) => `/missing/${n}`,
  (n) => `/content-file/blog/missing/${n}.png`,
  (n) => `/?utm=${n}`,
];

rmSync(DIR, { recursive: true, force: true });
const site = await startBuiltSite({ folder: DIR, env: { TRUST_PROXY: "1", LOG_LEVEL: "error" } });

function residentMb(): number {
  const status = readFileSync(`/proc/${site.child.pid}/status`, "utf8");
  return round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024, 0);
}

const memoryMb = [residentMb()];
let next = 0;
let failed = 0;
async function requestMany(): Promise<void> {
  for (let n = next++; n < COUNT; n = next++) {
    const client = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
    const response = await fetch(site.url + PATHS[n % PATHS.length]!(n), {
      headers: { "x-forwarded-for": client },
    });
    await response.arrayBuffer();
    if (response.status >= 500) failed += 1;
    if (n % 2_000 === 1_999) memoryMb.push(residentMb());
  }
}
try {
  await Promise.all(Array.from({ length: CONNECTIONS }, requestMany));
} finally {
  await site.stop();
}
if (failed > 0) throw new Error(`${failed} responses were 5xx.`);
console.log(`Memory every 2,000 requests: ${memoryMb.join(", ")} MB.`);
printReport("memory", {}, { requests: COUNT, startMb: memoryMb[0], maxMb: Math.max(...memoryMb) });
