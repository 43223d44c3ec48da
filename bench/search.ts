// Measures search over 2,000 posts: how long building the index blocks the event loop, and how long
// queries take. npm run bench -- search

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { closeCacheFile, withCacheDatabase } from "#lib/cache/cache-file.ts";
import { postSource } from "#lib/search/search-document.ts";
import { findMatches, indexSources } from "#lib/search/search-index.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { seededRandom } from "#tests/support/random.ts";
import { sampleIndex } from "#tests/support/sample-posts.ts";
import { percentile, printReport, printTable, readOption, round } from "./support/measurements.ts";

const POSTS = readOption("posts", 2_000);
const WORDS = readOption("words", 900);
const VOCABULARY = 40_000;
const ROUNDS = readOption("rounds", 20);

const dir = mkdtempSync(join(tmpdir(), "lectern-search-"));
overrideEnv({ CACHE_FILE: join(dir, "cache.db"), LOG_LEVEL: "error" });

const random = seededRandom(2_000);
const LETTERS = "eeeeaaaiioonnrrssttlldcumpgbfhvwyk";
const letter = () => LETTERS[Math.floor(random() * LETTERS.length)]!;
const vocabulary = Array.from({ length: VOCABULARY }, () =>
  Array.from({ length: 3 + Math.floor(random() * 8) }, letter).join(""),
);
/** A few words are in most documents, and most words in only a few, as in real text (Zipf's law). */
const word = () => vocabulary[Math.floor(VOCABULARY ** random()) - 1]!;
const text = (words: number) => Array.from({ length: words }, word).join(" ");

const index = sampleIndex(
  ...Array.from({ length: POSTS }, (_, i) => ({
    slug: `p${i}`,
    title: text(6),
    description: text(20),
    keywords: [text(1), text(1)],
    text: text(WORDS),
  })),
);

/** How long each turn of the event loop takes while the index is built, and its CPU time. */
const turnsMs: number[] = [];
const turnsCpuMs: number[] = [];
const cpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};
let turn = { ms: 0, cpuMs: 0 };
const startTurn = () => (turn = { ms: performance.now(), cpuMs: cpuMs() });
const endTurn = () => {
  turnsMs.push(performance.now() - turn.ms);
  turnsCpuMs.push(cpuMs() - turn.cpuMs);
};
withCacheDatabase(() => null); // opens the file before measuring, as on a running site
const startedMs = performance.now();
startTurn();
const source = postSource(index);
endTurn();
let isBuilt = false;
void indexSources([source]).then(() => (isBuilt = true));
while (!isBuilt) {
  startTurn();
  await setImmediate();
  endTurn();
}
const buildMs = performance.now() - startedMs;

const common = vocabulary[0]!;
const typo = (typed: string) => typed.slice(0, -2) + typed.at(-1) + typed.at(-2);
const rare = vocabulary.filter(({ length }) => length > 7);
const QUERIES: Readonly<Record<string, string>> = {
  "a rare word": rare[900]!,
  "the most common word": common,
  "three common words": vocabulary.slice(0, 3).join(" "),
  "one letter": "e",
  "two letters": "ea",
  "ten prefixes": vocabulary
    .slice(0, 10)
    .map((each) => each.slice(0, 3))
    .join(" "),
  "a typo": typo(rare[900]!),
  "ten common words and nonsense": [...vocabulary.slice(0, 9), "xqzxqzxqz"].join(" "),
  "no match": "xqzxqzxqz",
};
const rows: (string | number)[][] = [];
for (const [name, q] of Object.entries(QUERIES)) {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let found = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const [before, beforeCpu] = [performance.now(), cpuMs()];
    found = (await findMatches([source], q)).matches.length;
    times.push(performance.now() - before);
    cpuTimes.push(cpuMs() - beforeCpu);
  }
  const [median, p95] = [percentile(times, 50), percentile(times, 95)];
  rows.push([name, found, round(median), round(p95), round(percentile(cpuTimes, 50))]);
}
closeCacheFile();
rmSync(dir, { recursive: true });

printTable(["query", "results", "median ms", "p95 ms", "median CPU ms"], rows);
const longestMs = Math.max(...turnsMs);
console.log(
  `\n${POSTS} posts of ${WORDS} words indexed in ${round(buildMs / 1_000, 1)} s, in ${turnsMs.length} turns: median ${round(percentile(turnsMs, 50))} ms, p99 ${round(percentile(turnsMs, 99))} ms, longest ${round(longestMs)} ms (CPU: p99 ${round(percentile(turnsCpuMs, 99))} ms, longest ${round(Math.max(...turnsCpuMs))} ms).\n`,
);
printReport(
  "search",
  {},
  {
    buildSeconds: round(buildMs / 1_000),
    medianTurnMs: round(percentile(turnsMs, 50)),
    p99TurnMs: round(percentile(turnsMs, 99)),
    longestTurnMs: round(longestMs),
    longestTurnCpuMs: round(Math.max(...turnsCpuMs)),
    slowestQueryMs: Math.max(...rows.map(([, , median]) => median as number)),
  },
);
