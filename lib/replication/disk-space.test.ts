import { expect, test } from "vitest";
import { freeDiskBytes, readFreeBytes, assertDiskSpace } from "./disk-space.ts";

test("free bytes come from the file system and are null for a missing folder", () => {
  expect(readFreeBytes(".")).toBeGreaterThan(0);
  expect(readFreeBytes("./not/there")).toBeNull();
  expect(freeDiskBytes()).toBeGreaterThan(0);
});

test("a write is refused on a full disk, with a reason and Retry-After", () => {
  expect(() => assertDiskSpace(1)).not.toThrow();
  expect(() => assertDiskSpace(Number.MAX_SAFE_INTEGER)).toThrow(
    expect.objectContaining({
      code: "unavailable",
      retryAfterSeconds: 60,
      message: expect.stringContaining("the disk is full"),
    }),
  );
});
