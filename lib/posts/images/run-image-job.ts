// Runs one image job at a time in a separate process with low priority and a deadline.

import type { ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import { join } from "node:path";
import { SECOND_MS } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { peekSingleton, resetSingleton, singleton } from "#lib/core/singleton.ts";
import type { ImageJob, ImageJobResult } from "./image-job.ts";

/** An 80-megapixel photo takes about 3 s on a busy core. The process is killed after this. */
const JOB_TIMEOUT_MS = 20 * SECOND_MS;
/** An idle process is stopped, which frees its memory. */
const IDLE_MS = 10 * SECOND_MS;
/** Below requests and compiles. */
const PRIORITY = 10;

interface ImageProcess {
  readonly turns: Semaphore;
  child: ChildProcess | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

const imageProcess = (): ImageProcess =>
  singleton("image-process", () => ({
    turns: new Semaphore(1),
    child: undefined,
    idleTimer: undefined,
  }));

/**
 * Returns the job's result. Throws AppError: invalid if the image can't be decoded, timeout if it
 * took too long or crashed the process, unavailable if the job waited `maxWaitMs` for its turn. A
 * function makes the job when its turn comes, so that waiting jobs hold no image in memory.
 */
export function runImageJob(
  job: ImageJob | (() => Promise<ImageJob>),
  maxWaitMs: number,
): Promise<Extract<ImageJobResult, { ok: true }>> {
  return imageProcess().turns.run(
    async () => {
      const result = await send(typeof job === "function" ? await job() : job);
      if (!result.ok) throw new AppError("invalid", result.reason);
      return result;
    },
    { maxWaitMs, message: "Too many images are being resized.", retryAfterSeconds: 5 },
  );
}

/** Stops the process; the next job starts a new one. */
export function closeImageProcess(): void {
  const state = peekSingleton<ImageProcess>("image-process");
  resetSingleton("image-process");
  clearTimeout(state?.idleTimer);
  state?.child?.kill("SIGKILL");
}

function send(job: ImageJob): Promise<ImageJobResult> {
  const state = imageProcess();
  clearTimeout(state.idleTimer);
  const child = (state.child ??= start(state));
  child.ref();
  child.channel?.ref();
  return new Promise((resolve, reject) => {
    const fail = (message: string) => {
      finish();
      state.child = undefined;
      child.kill("SIGKILL");
      reject(new AppError("timeout", message));
    };
    const onMessage = (result: ImageJobResult) => {
      finish();
      child.unref();
      child.channel?.unref();
      state.idleTimer = setTimeout(() => {
        state.child = undefined;
        child.kill("SIGKILL");
      }, IDLE_MS).unref();
      resolve(result);
    };
    const onEnd = (reason: unknown) => fail(`The image process ended (${String(reason)}).`);
    const timer = setTimeout(
      () => fail(`The image took longer than ${JOB_TIMEOUT_MS / SECOND_MS} s.`),
      JOB_TIMEOUT_MS,
    );
    const finish = () => {
      clearTimeout(timer);
      child.off("message", onMessage).off("exit", onEnd).off("error", onEnd);
    };
    child.on("message", onMessage).on("exit", onEnd).on("error", onEnd);
    child.send(job, (error) => error && onEnd(error.message));
  });
}

function start(state: ImageProcess): ChildProcess {
  // Not imported: bundlers would follow the path to the file.
  const { fork } = process.getBuiltinModule("node:child_process");
  const child = fork(
    join(/* turbopackIgnore: true */ process.cwd(), "lib/posts/images/image-process.ts"),
    {
      serialization: "advanced",
      execArgv: ["--disable-warning=ExperimentalWarning"],
      // No environment: the process must not see secrets.
      env: { NODE_ENV: "production" },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    },
  );
  child.once("exit", () => {
    if (state.child === child) state.child = undefined;
  });
  // Errors of a job are reported by its own listener.
  child.on("error", () => undefined);
  try {
    if (child.pid !== undefined) setPriority(child.pid, PRIORITY);
  } catch {
    // Without the permission, it runs with this process's priority.
  }
  return child;
}
