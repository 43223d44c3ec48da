import { afterEach, expect, test } from "vitest";
import sharp from "sharp";
import { closeImageProcess, runImageJob } from "./run-image-job.ts";

afterEach(closeImageProcess);

const png = await sharp({ create: { width: 20, height: 10, channels: 3, background: "#123" } })
  .png()
  .toBuffer();

test("a broken image fails its own job only", async () => {
  const broken = runImageJob({ kind: "measure", bytes: Buffer.from("text") }, 20_000);
  const good = runImageJob({ kind: "measure", bytes: png }, 20_000);
  await expect(broken).rejects.toMatchObject({ code: "invalid" });
  expect(await good).toMatchObject({ measurement: { width: 20, height: 10 } });
});

test("a job whose process is killed fails, and the next job gets a new process", async () => {
  const running = runImageJob({ kind: "measure", bytes: png }, 20_000);
  await new Promise(setImmediate); // it has started
  closeImageProcess();
  await expect(running).rejects.toMatchObject({ code: "timeout" });
  expect(await runImageJob({ kind: "measure", bytes: png }, 20_000)).toMatchObject({ ok: true });
});

test("an image is read when its turn comes", async () => {
  let isFirstDone = false;
  const first = runImageJob({ kind: "measure", bytes: png }, 20_000).finally(
    () => (isFirstDone = true),
  );
  const second = runImageJob(async () => {
    expect(isFirstDone).toBe(true);
    return { kind: "encode", bytes: png, width: 10, format: "webp" };
  }, 20_000);
  await first;
  expect(await second).toMatchObject({ ok: true });
});
