import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

let dir: string;
let pools: WorkerPool<string, string>[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "pool-"));
});
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  pools = [];
  rmSync(dir, { recursive: true });
});

// Does what its job says.
const worker = `
import { parentPort } from "node:worker_threads";
parentPort.on("message", async (job) => {
  if (job === "loop") for (;;);
  if (job === "wait") return;
  if (job === "block") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (job === "regex") /^(a+)+$/.test("a".repeat(60) + "b");
  if (job === "heap") { const all = []; for (;;) all.push({ a: [1, 2, 3] }); }
  if (job === "buffers") { const all = []; for (;;) all.push(Buffer.alloc(8e6, 1)); }
  if (job === "exit") process.exit(3);
  if (job === "throw") setTimeout(() => { throw new Error("later"); });
  else if (job === "env") parentPort.postMessage(JSON.stringify(process.env));
  else parentPort.postMessage("did " + job);
});
parentPort.postMessage("ready");
`;

function pool(options: Partial<WorkerPoolOptions> = {}): WorkerPool<string, string> {
  const file = join(dir, "worker.mjs");
  writeFileSync(file, worker);
  const created = createWorkerPool<string, string>({
    file,
    size: 1,
    timeoutMs: 20_000,
    memoryMb: 64,
    maxQueue: 10,
    idleMs: 60_000,
    maxJobs: 100,
    ...options,
  });
  pools.push(created);
  return created;
}

/** Repeats an attempt, because on a busy machine even a short job may miss a short deadline. */
const repeat = (attempt: () => Promise<void>) => vi.waitFor(attempt, 30_000);

test("the first job starts a worker, and jobs run in it one after the other", async () => {
  const one = pool();
  expect(one.getStats().workers).toBe(0);
  expect(await Promise.all(["a", "b", "c"].map((job) => one.run(job)))).toEqual([
    "did a",
    "did b",
    "did c",
  ]);
  expect(one.getStats()).toMatchObject({ started: 1, running: 0, waiting: 0 });
});

test.each(["loop", "wait", "block", "regex"])(
  "a job that never ends (%s) costs its worker and one error; the next job succeeds",
  (job) =>
    repeat(async () => {
      const one = pool({ timeoutMs: 300 });
      const [bad, good] = await Promise.allSettled([one.run(job), one.run("good")]);
      expect(bad).toMatchObject({
        status: "rejected",
        reason: { reason: "timeout", message: "longer than 300 ms" },
      });
      expect(good).toEqual({ status: "fulfilled", value: "did good" });
      expect(one.getStats()).toMatchObject({ started: 2, ended: 1 });
    }),
);

test.each(["heap", "buffers"])(
  "a job that exhausts memory (%s) is stopped, and the process survives",
  async (job) => {
    const one = pool();
    const [bad, good] = await Promise.allSettled([one.run(job), one.run("good")]);
    expect(bad).toMatchObject({
      status: "rejected",
      reason: { reason: "memory", message: "more than 64 MB" },
    });
    expect(good).toEqual({ status: "fulfilled", value: "did good" });
  },
);

test("a worker that exits or throws costs one error", async () => {
  const one = pool();
  const results = await Promise.allSettled([one.run("exit"), one.run("throw"), one.run("good")]);
  expect(results).toMatchObject([
    { reason: { reason: "crash", message: "the worker stopped with exit code 3" } },
    { reason: { reason: "crash", message: "later" } },
    { value: "did good" },
  ]);
});

test("a job that is not cloneable rejects, and the worker stays usable", async () => {
  const one = pool();
  const unsendable = (() => "a function") as unknown as string;
  const results = await Promise.allSettled([
    one.run(unsendable),
    one.run("a"),
    one.run(unsendable),
    one.run("b"),
  ]);
  const rejected = {
    reason: {
      name: "WorkerPoolError",
      reason: "input",
      message: expect.stringMatching(
        /^the job cannot be sent to a worker: .*could not be cloned/,
      ) as string,
    },
  };
  expect(results).toMatchObject([rejected, { value: "did a" }, rejected, { value: "did b" }]);
  expect(one.getStats()).toMatchObject({
    workers: 1,
    started: 1,
    ended: 0,
    running: 0,
    waiting: 0,
  });
  await expect(one.run(unsendable)).rejects.toMatchObject({ reason: "input" });
  expect(await one.run("c")).toBe("did c");
});

test("a worker whose file is missing fails its job", async () => {
  const one = pool({ file: join(dir, "gone.mjs") });
  await expect(one.run("a")).rejects.toMatchObject({ reason: "crash" });
});

test("a full queue rejects immediately", () =>
  repeat(async () => {
    const one = pool({ maxQueue: 1, timeoutMs: 300 });
    const results = await Promise.allSettled(["wait", "b", "c"].map((job) => one.run(job)));
    expect(results).toMatchObject([
      { reason: { reason: "timeout" } },
      { value: "did b" },
      { reason: { reason: "full" } },
    ]);
  }));

test("two workers run in parallel, and one that hangs does not block the other", async () => {
  const two = pool({ size: 2 });
  const hanging = expect(two.run("wait")).rejects.toMatchObject({ reason: "closed" });
  expect(await Promise.all(["a", "b", "c"].map((job) => two.run(job)))).toEqual([
    "did a",
    "did b",
    "did c",
  ]);
  expect(two.getStats().running).toBe(1);
  await two.close();
  await hanging;
});

test("a worker is replaced after maxJobs jobs", async () => {
  const one = pool({ maxJobs: 2 });
  for (const job of ["a", "b", "c", "d", "e"]) await one.run(job);
  expect(one.getStats()).toMatchObject({ started: 3, ended: 2 });
});

test("an idle worker is terminated", async () => {
  const one = pool({ idleMs: 20 });
  await one.run("a");
  await expect.poll(() => one.getStats().workers).toBe(0);
  expect(await one.run("b")).toBe("did b");
});

test("a worker does not see the environment", async () => {
  const { NODE_COMPILE_CACHE: _, ...env } = JSON.parse(await pool().run("env"));
  expect(env).toEqual({ NODE_ENV: "production" });
});

test("a closed pool rejects", async () => {
  const one = pool();
  await one.close();
  await expect(one.run("a")).rejects.toMatchObject({ reason: "closed" });
});
