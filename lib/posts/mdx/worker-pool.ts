// Runs jobs in a pool of worker threads. A deadline and a memory limit terminate the worker, not
// just the wait.

import { getCompileCacheDir } from "node:module";
import type { Worker } from "node:worker_threads";

export interface WorkerPoolOptions {
  /** The worker's file. It posts "ready" once, then one message per job. */
  readonly file: string;
  /** Maximum number of workers; started on demand. */
  readonly size: number;
  /** A job that takes longer is stopped by terminating its worker. */
  readonly timeoutMs: number;
  /** A worker that uses more heap and buffers is terminated. */
  readonly memoryMb: number;
  /** Maximum number of waiting jobs; more are rejected (backpressure). */
  readonly maxQueue: number;
  /** A worker idle for this long is terminated, which frees its memory. */
  readonly idleMs: number;
  /** A worker is replaced after this many jobs, which bounds memory leaks. */
  readonly maxJobs: number;
}

export type WorkerPoolErrorReason = "timeout" | "memory" | "crash" | "full" | "closed" | "input";

/**
 * Thrown when a job fails: timeout, memory limit or crash of its worker; pool full or closed; input
 * not cloneable.
 */
export class WorkerPoolError extends Error {
  readonly reason: WorkerPoolErrorReason;

  constructor(reason: WorkerPoolErrorReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "WorkerPoolError";
    this.reason = reason;
  }
}

export interface WorkerPool<In, Out> {
  /**
   * Resolves with the worker's result. Rejects with a WorkerPoolError; other jobs are not affected.
   */
  run(input: In): Promise<Out>;
  /** Terminates all workers; running and waiting jobs reject. */
  close(): Promise<void>;
  /** Returns current counts, and totals since the start (`started`, `ended`). */
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

/**
 * A worker that is not ready by then counts as crashed. Loading the compiler takes about 1 s on two
 * busy cores.
 */
const START_TIMEOUT_MS = 30_000;
const MEMORY_CHECK_INTERVAL_MS = 200;
const MB = 1024 * 1024;

/**
 * Creates a pool. It starts no worker before the first job, and does not keep the process alive
 * when idle.
 */
export function createWorkerPool<In, Out>(options: WorkerPoolOptions): WorkerPool<In, Out> {
  const slots = new Set<WorkerSlot<In, Out>>();
  const queue: Job<In, Out>[] = [];
  let started = 0;
  let ended = 0;
  let isClosed = false;
  let memoryTimer: NodeJS.Timeout | undefined;

  function terminate(slot: WorkerSlot<In, Out>, error: WorkerPoolError | null): void {
    if (slot.isTerminated) return;
    slot.isTerminated = true;
    slots.delete(slot);
    ended += 1;
    clearTimeout(slot.timer);
    const { job } = slot;
    slot.job = null;
    // Not awaited, so that the job rejects before the thread has ended.
    void slot.worker.terminate().catch(() => undefined);
    if (job) job.reject(error ?? new WorkerPoolError("crash", "the worker was terminated"));
    assignJobs();
  }

  function start(): WorkerSlot<In, Out> {
    started += 1;
    // Not imported, because bundlers follow an imported `new Worker(…)` and would bundle the file.
    const threads = process.getBuiltinModule("node:worker_threads");
    const compileCache = getCompileCacheDir();
    const worker = new threads.Worker(options.file, {
      name: "mdx",
      execArgv: [],
      // No other variables, because the worker must not see secrets.
      env: {
        NODE_ENV: "production",
        ...(compileCache && { NODE_COMPILE_CACHE: compileCache }),
      },
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
      () => terminate(slot, new WorkerPoolError("crash", "the worker did not start")),
      START_TIMEOUT_MS,
    );
    worker.on("message", (message: Out | "ready") => {
      if (slot.isTerminated) return;
      if (message === "ready") {
        slot.isReady = true;
        startDeadline(slot);
        if (slot.job && !send(slot, slot.job)) assignJobs();
        return;
      }
      const { job } = slot;
      slot.job = null;
      slot.jobsDone += 1;
      job?.resolve(message as Out);
      if (slot.jobsDone >= options.maxJobs) terminate(slot, null);
      else startIdling(slot);
      assignJobs();
    });
    worker.on("error", (error: NodeJS.ErrnoException) => {
      const isOutOfMemory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      terminate(
        slot,
        isOutOfMemory
          ? new WorkerPoolError("memory", `more than ${options.memoryMb} MB`, { cause: error })
          : new WorkerPoolError("crash", error.message, { cause: error }),
      );
    });
    worker.on("exit", (code) =>
      terminate(slot, new WorkerPoolError("crash", `the worker stopped with exit code ${code}`)),
    );
    return slot;
  }

  /** Starts the deadline when the worker receives the job, not when it starts to load. */
  function startDeadline(slot: WorkerSlot<In, Out>): void {
    clearTimeout(slot.timer);
    slot.timer = setTimeout(
      () => terminate(slot, new WorkerPoolError("timeout", `longer than ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
  }

  /**
   * Sends the job. If it is not cloneable (contains a function, for example), rejects it, frees the
   * worker and returns false.
   */
  function send(slot: WorkerSlot<In, Out>, job: Job<In, Out>): boolean {
    try {
      slot.worker.postMessage(job.input);
      return true;
    } catch (error) {
      slot.job = null;
      job.reject(
        new WorkerPoolError(
          "input",
          `the job cannot be sent to a worker: ${(error as Error).message}`,
          { cause: error },
        ),
      );
      startIdling(slot);
      return false;
    }
  }

  function startIdling(slot: WorkerSlot<In, Out>): void {
    clearTimeout(slot.timer);
    slot.worker.unref();
    slot.timer = setTimeout(() => terminate(slot, null), options.idleMs);
    slot.timer.unref();
  }

  function assignJobs(): void {
    while (queue.length > 0 && !isClosed) {
      const free =
        [...slots].find((slot) => slot.job === null) ??
        (slots.size < options.size ? start() : null);
      if (!free) break;
      free.job = queue.shift()!;
      free.worker.ref();
      if (free.isReady) {
        startDeadline(free);
        send(free, free.job);
      }
    }
    const isBusy = [...slots].some((slot) => slot.job !== null);
    if (isBusy && !memoryTimer)
      memoryTimer = setInterval(checkMemory, MEMORY_CHECK_INTERVAL_MS).unref();
    if (!isBusy) {
      clearInterval(memoryTimer);
      memoryTimer = undefined;
    }
  }

  /**
   * Enforces the memory limit, since V8's limit covers only the heap, not buffers. Works even while
   * the thread is in an endless loop.
   */
  function checkMemory(): void {
    for (const slot of slots) {
      if (!slot.job || !slot.isReady) continue;
      slot.worker.getHeapStatistics().then(
        ({ used_heap_size: heap, external_memory: external }) => {
          if (heap + external > options.memoryMb * MB && slot.job)
            terminate(slot, new WorkerPoolError("memory", `more than ${options.memoryMb} MB`));
        },
        () => undefined, // terminated in the meantime
      );
    }
  }

  return {
    run(input) {
      return new Promise<Out>((resolve, reject) => {
        if (isClosed) return reject(new WorkerPoolError("closed", "the pool is closed"));
        if (queue.length >= options.maxQueue)
          return reject(new WorkerPoolError("full", `${queue.length} jobs are waiting`));
        queue.push({ input, resolve, reject });
        assignJobs();
      });
    },
    async close() {
      isClosed = true;
      for (const job of queue.splice(0))
        job.reject(new WorkerPoolError("closed", "the pool is closed"));
      const workers = [...slots].map((slot) => slot.worker);
      for (const slot of slots)
        terminate(slot, new WorkerPoolError("closed", "the pool is closed"));
      await Promise.all(workers.map((worker) => worker.terminate()));
      clearInterval(memoryTimer);
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
