import { expect, test } from "vitest";
import { diskRoom, freeBytes, needRoom } from "./disk-room.ts";

test("room is what the file system says, and a folder that is not there says nothing", () => {
  expect(freeBytes(".")).toBeGreaterThan(0);
  expect(freeBytes("./not/there")).toBeNull();
  expect(diskRoom()).toBeGreaterThan(0);
});

test("a write is refused where there is less room than it needs, and the refusal says why and when to try again", () => {
  expect(() => needRoom(1)).not.toThrow();
  expect(() => needRoom(Number.MAX_SAFE_INTEGER)).toThrow(
    expect.objectContaining({
      code: "unavailable",
      retryAfterSeconds: 60,
      message: expect.stringContaining("no room on the disk"),
    }),
  );
});
