// A pool of worker threads with a deadline and a memory limit that end the worker, not just the wait.

import type { Worker } from "node:worker_threads";

export interface WorkerPoolOptions {
  /** The worker's file. It posts "ready" once, then one message per job. */
  readonly file: string;
  /** Workers at the same time; started when first needed. */
  readonly size: number;
  /** A job that has run this long is stopped, by ending its worker. */
  readonly timeoutMs: number;
  /** A worker that holds more than this, in its heap or in buffers, is ended. */
  readonly memoryMb: number;
  /** Jobs that may wait; more are refused. */
  readonly maxQueue: number;
  /** A worker without work for this long is ended, which gives its memory back. */
  readonly idleMs: number;
  /** A worker is replaced after this many jobs, so that nothing can grow for ever in it. */
  readonly maxJobs: number;
}

export type WorkerPoolErrorReason = "timeout" | "memory" | "crash" | "full" | "closed" | "input";

/** Why a job has no answer: the worker took too long, held too much or died; the pool is full or closed; or the job can't be sent. */
export class WorkerPoolError extends Error {
  readonly reason: WorkerPoolErrorReason;

  constructor(reason: WorkerPoolErrorReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "PoolError";
    this.reason = reason;
  }
}

export interface WorkerPool<In, Out> {
  /** The worker's answer. Rejects with a PoolError. A failed job never takes another one with it. */
  run(input: In): Promise<Out>;
  /** Ends all workers; jobs that run or wait reject. */
  close(): Promise<void>;
  /** Counts since the start, and what is going on now. */
  getStats(): { workers: number; running: number; waiting: number; started: number; ended: number };
}

interface Job<In, Out> {
  readonly input: In;
  resolve(value: Out): void;
  reject(error: WorkerPoolError): void;
}

interface WorkerSlot<In, Out> {
  readonly worker: Worker;
  isReady: boolean;
  job: Job<In, Out> | null;
  jobsDone: number;
  timer: NodeJS.Timeout | undefined;
  isTerminated: boolean;
}

/** A worker that is not up after this long counts as crashed. Loading the compiler takes about 1 s on two busy cores. */
const START_TIMEOUT_MS = 30_000;
const MEMORY_CHECK_INTERVAL_MS = 200;
const MB = 1024 * 1024;

/** A pool; no worker runs before the first job, and an idle pool doesn't keep the process alive. */
export function createWorkerPool<In, Out>(options: WorkerPoolOptions): WorkerPool<In, Out> {
  const slots = new Set<WorkerSlot<In, Out>>();
  const queue: Job<In, Out>[] = [];
  let started = 0;
  let ended = 0;
  let closed = false;
  let watch: NodeJS.Timeout | undefined;

  function end(slot: WorkerSlot<In, Out>, error: WorkerPoolError | null): void {
    if (slot.isTerminated) return;
    slot.isTerminated = true;
    slots.delete(slot);
    ended += 1;
    clearTimeout(slot.timer);
    const { job } = slot;
    slot.job = null;
    // The answer doesn't wait for the thread to be gone.
    void slot.worker.terminate().catch(() => undefined);
    if (job) job.reject(error ?? new WorkerPoolError("crash", "its worker was ended"));
    next();
  }

  function start(): WorkerSlot<In, Out> {
    started += 1;
    // Through process, because bundlers follow `new Worker(…)` from an import and would pack the file for themselves.
    const threads = process.getBuiltinModule("node:worker_threads");
    const worker = new threads.Worker(options.file, {
      name: "mdx",
      execArgv: [],
      // Nothing of the site's configuration: what runs in here has no business with secrets.
      env: { NODE_ENV: "production" },
      resourceLimits: {
        maxOldGenerationSizeMb: options.memoryMb,
        maxYoungGenerationSizeMb: 16,
        stackSizeMb: 4,
      },
    });
    const slot: WorkerSlot<In, Out> = {
      worker,
      isReady: false,
      job: null,
      jobsDone: 0,
      timer: undefined,
      isTerminated: false,
    };
    slots.add(slot);
    slot.timer = setTimeout(
      () => end(slot, new WorkerPoolError("crash", "its worker did not start")),
      START_TIMEOUT_MS,
    );
    worker.on("message", (message: Out | "ready") => {
      if (slot.isTerminated) return;
      if (message === "ready") {
        slot.isReady = true;
        deadline(slot);
        if (slot.job && !hand(slot, slot.job)) next();
        return;
      }
      const { job } = slot;
      slot.job = null;
      slot.jobsDone += 1;
      job?.resolve(message as Out);
      if (slot.jobsDone >= options.maxJobs) end(slot, null);
      else rest(slot);
      next();
    });
    worker.on("error", (error: NodeJS.ErrnoException) => {
      const outOfMemory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      end(
        slot,
        outOfMemory
          ? new WorkerPoolError("memory", `more than ${options.memoryMb} MB`, { cause: error })
          : new WorkerPoolError("crash", error.message, { cause: error }),
      );
    });
    worker.on("exit", (code) =>
      end(slot, new WorkerPoolError("crash", `its worker stopped with exit code ${code}`)),
    );
    return slot;
  }

  /** The deadline counts from when the worker has the job in hand, not from when it began to load. */
  function deadline(slot: WorkerSlot<In, Out>): void {
    clearTimeout(slot.timer);
    slot.timer = setTimeout(
      () => end(slot, new WorkerPoolError("timeout", `longer than ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
  }

  /** False when the job can't be sent (a function in it, for one): then it alone is refused, and the worker is free again. */
  function hand(slot: WorkerSlot<In, Out>, job: Job<In, Out>): boolean {
    try {
      slot.worker.postMessage(job.input);
      return true;
    } catch (error) {
      slot.job = null;
      job.reject(
        new WorkerPoolError(
          "input",
          `the job can't be sent to a worker: ${(error as Error).message}`,
          {
            cause: error,
          },
        ),
      );
      rest(slot);
      return false;
    }
  }

  function rest(slot: WorkerSlot<In, Out>): void {
    clearTimeout(slot.timer);
    slot.worker.unref();
    slot.timer = setTimeout(() => end(slot, null), options.idleMs);
    slot.timer.unref();
  }

  function next(): void {
    while (queue.length > 0 && !closed) {
      const free =
        [...slots].find((slot) => slot.job === null) ??
        (slots.size < options.size ? start() : null);
      if (!free) break;
      free.job = queue.shift()!;
      free.worker.ref();
      if (free.isReady) {
        deadline(free);
        hand(free, free.job);
      }
    }
    const busy = [...slots].some((slot) => slot.job !== null);
    if (busy && !watch) watch = setInterval(watchMemory, MEMORY_CHECK_INTERVAL_MS).unref();
    if (!busy) {
      clearInterval(watch);
      watch = undefined;
    }
  }

  /** V8's own limit sees the heap only; buffers live outside it. Answers also while the thread is in an endless loop. */
  function watchMemory(): void {
    for (const slot of slots) {
      if (!slot.job || !slot.isReady) continue;
      slot.worker.getHeapStatistics().then(
        ({ used_heap_size: heap, external_memory: external }) => {
          if (heap + external > options.memoryMb * MB && slot.job)
            end(slot, new WorkerPoolError("memory", `more than ${options.memoryMb} MB`));
        },
        () => undefined, // ended meanwhile
      );
    }
  }

  return {
    run(input) {
      return new Promise<Out>((resolve, reject) => {
        if (closed) return reject(new WorkerPoolError("closed", "the pool is closed"));
        if (queue.length >= options.maxQueue)
          return reject(new WorkerPoolError("full", `${queue.length} jobs wait already`));
        queue.push({ input, resolve, reject });
        next();
      });
    },
    async close() {
      closed = true;
      for (const job of queue.splice(0))
        job.reject(new WorkerPoolError("closed", "the pool is closed"));
      const workers = [...slots].map((slot) => slot.worker);
      for (const slot of slots) end(slot, new WorkerPoolError("closed", "the pool is closed"));
      await Promise.all(workers.map((worker) => worker.terminate()));
      clearInterval(watch);
    },
    getStats: () => ({
      workers: slots.size,
      running: [...slots].filter((slot) => slot.job !== null).length,
      waiting: queue.length,
      started,
      ended,
    }),
  };
}
