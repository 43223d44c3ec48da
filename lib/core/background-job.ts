// Runs a job in the background, one run at a time, on request and at intervals.

import { runOutsideRequest } from "./request-context.ts";
import { singleton } from "./singleton.ts";

interface JobState {
  running: Promise<void> | null;
  rerunRequested: boolean;
  timer: NodeJS.Timeout | null;
}

export interface BackgroundJob {
  /** Runs the job. Concurrent calls share one run, which then repeats the job once. */
  run(): Promise<void>;
  /** Starts a run outside the current request. Call it after the commit that created the work. */
  trigger(): void;
  /** Triggers a run every `intervalMs`. Idempotent. */
  startPolling(intervalMs: number): void;
}

/** Defines the job `name`, which is unique in the process. `onError` gets the error of a triggered run. */
export function defineBackgroundJob(
  name: string,
  job: () => Promise<void>,
  onError: (error: unknown) => void,
): BackgroundJob {
  const jobState = () =>
    singleton<JobState>(name, () => ({ running: null, rerunRequested: false, timer: null }));

  async function run(): Promise<void> {
    const state = jobState();
    if (state.running) {
      state.rerunRequested = true;
      return state.running;
    }
    state.running = (async () => {
      try {
        do {
          state.rerunRequested = false;
          // Asynchronous even if the job throws immediately, so that `running` is set before it is reset.
          await Promise.resolve().then(job);
        } while (state.rerunRequested);
      } finally {
        state.running = null;
        // Work that was added during a failed run must not wait for the next poll.
        if (state.rerunRequested) trigger();
      }
    })();
    return state.running;
  }

  function trigger(): void {
    runOutsideRequest(() => setImmediate(() => void run().catch(onError)));
  }

  return {
    run,
    trigger,
    startPolling(intervalMs) {
      const state = jobState();
      state.timer ??= setInterval(trigger, intervalMs);
      state.timer.unref();
    },
  };
}
