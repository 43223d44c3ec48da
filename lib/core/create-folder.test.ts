import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFolder } from "./create-folder.ts";
import { env } from "./env.ts";

test("a folder is created with its parents, and an existing one keeps its mode", () => {
  const folder = join(env.DATA_DIR, "a", "b", "c");
  createFolder(folder, 0o700);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  createFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test.skipIf(process.platform !== "linux")(
  "a folder that can't exist is an error, not an endless loop",
  () => {
    expect(() => createFolder("/proc/nope/data")).toThrow("ENOENT");
    createFolder(env.DATA_DIR);
    writeFileSync(join(env.DATA_DIR, "file"), "");
    expect(() => createFolder(join(env.DATA_DIR, "file"))).toThrow("EEXIST");
    expect(() => createFolder(join(env.DATA_DIR, "file", "a"))).toThrow();
  },
);
