import { expect, test } from "vitest";
import { freeDiskBytes, readFreeBytes, assertDiskSpace } from "./disk-space.ts";

test("room is what the file system says, and a folder that is not there says nothing", () => {
  expect(readFreeBytes(".")).toBeGreaterThan(0);
  expect(readFreeBytes("./not/there")).toBeNull();
  expect(freeDiskBytes()).toBeGreaterThan(0);
});

test("a write is refused where there is less room than it needs, and the refusal says why and when to try again", () => {
  expect(() => assertDiskSpace(1)).not.toThrow();
  expect(() => assertDiskSpace(Number.MAX_SAFE_INTEGER)).toThrow(
    expect.objectContaining({
      code: "unavailable",
      retryAfterSeconds: 60,
      message: expect.stringContaining("no room on the disk"),
    }),
  );
});
