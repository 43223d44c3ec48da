// Measures this post's numbers: node content/blog/a-deadline-that-ends-the-worker/measure.ts

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createCompiler } from "#lib/posts/mdx/compiler.ts";

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number;
const sinceMs = (startMs: number) => performance.now() - startMs;

// 1. What a timeout does to work that never yields the thread.
let startMs = performance.now();
const busy = async () => {
  const untilMs = performance.now() + 3_000;
  while (performance.now() < untilMs);
  return "the work";
};
const first = await Promise.race([
  busy(),
  new Promise((resolve) => setTimeout(resolve, 500, "the timeout")),
]);
console.log(
  `Promise.race, 3 s of work against a timeout of 0.5 s: won by ${String(first)} after ${(sinceMs(startMs) / 1_000).toFixed(2)} s`,
);

// 2. The cost of ending a thread that is in an endless loop.
const ends: number[] = [];
for (let n = 0; n < 9; n += 1) {
  const worker = new Worker(
    `require("node:worker_threads").parentPort.once("message", () => { for (;;); }).postMessage("up")`,
    { eval: true },
  );
  await new Promise((resolve) => worker.once("message", resolve));
  worker.postMessage("go");
  await new Promise((resolve) => setTimeout(resolve, 50));
  startMs = performance.now();
  await worker.terminate();
  ends.push(sinceMs(startMs));
}
console.log(
  `terminate() of a thread in an endless loop: ${median(ends).toFixed(2)} ms (median of 9)`,
);

// 3. The real compiler: a post that never ends, the one behind it, and how late the event loop ran.
const text = readFileSync(join(import.meta.dirname, "index.mdx"), "utf8");
const body = text.slice(text.indexOf("\n---\n", 4) + 5);
const post = {
  file: "blog/a-deadline-that-ends-the-worker/index.mdx",
  body,
  bodyLine: 1,
  imageHosts: [],
};
const endless = { ...post, extraPlugins: [join(import.meta.dirname, "endless.mjs")] };
const compiler = createCompiler({ workers: 1, timeoutMs: 2_000 });
startMs = performance.now();
await compiler.compile(post);
console.log(`first compile of this post, worker started for it: ${sinceMs(startMs).toFixed(0)} ms`);
const warm: number[] = [];
for (let n = 0; n < 9; n += 1) {
  startMs = performance.now();
  await compiler.compile(post);
  warm.push(sinceMs(startMs));
}
console.log(`compile of this post in a warm worker: ${median(warm).toFixed(0)} ms (median of 9)`);

let latestMs = 0;
let tickMs = performance.now();
const ticks = setInterval(() => {
  latestMs = Math.max(latestMs, sinceMs(tickMs) - 10);
  tickMs = performance.now();
}, 10);
startMs = performance.now();
const stuck = compiler
  .compile(endless)
  .catch((error: Error) => `${error.message} (after ${(sinceMs(startMs) / 1_000).toFixed(2)} s)`);
const behind = compiler
  .compile(post)
  .then(() => `the post behind it was compiled after ${(sinceMs(startMs) / 1_000).toFixed(2)} s`);
console.log(await stuck);
console.log(await behind);
clearInterval(ticks);
console.log(`meanwhile the event loop was at most ${latestMs.toFixed(1)} ms late`);
console.log(JSON.stringify(compiler.getStats()));
await compiler.close();
