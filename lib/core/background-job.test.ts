import { expect, test, vi } from "vitest";
import { defineBackgroundJob } from "./background-job.ts";

test("work that is added during a run gets a run, even if that run fails", async () => {
  const errors: unknown[] = [];
  let runs = 0;
  let failRun = (_: Error) => {};
  const job = defineBackgroundJob(
    "job-that-fails-once",
    () => {
      runs += 1;
      if (runs > 1) return Promise.resolve();
      return new Promise((_, reject) => (failRun = reject));
    },
    (error) => errors.push(error),
  );
  job.trigger();
  await vi.waitFor(() => expect(runs).toBe(1));
  job.trigger();
  await new Promise((resolve) => setImmediate(resolve));
  failRun(new Error("failed"));
  await vi.waitFor(() => expect(runs).toBe(2));
  expect(errors).toContainEqual(new Error("failed"));
});

test("a run that is requested just before another ends is not lost", async () => {
  let runs = 0;
  const job = defineBackgroundJob(
    "job-that-ends",
    async () => void (runs += 1),
    (error) => expect.unreachable(String(error)),
  );
  const first = job.run();
  // The job has ended at some of these moments, and its promise has not settled yet.
  for (let tick = 0; tick < 6; tick += 1) {
    await Promise.resolve();
    const before = runs;
    void job.run();
    await vi.waitFor(() => expect(runs).toBeGreaterThan(before));
  }
  await first;
});
