// Checks that the script replaces no folder of other files.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("a folder with other files is refused, and keeps them", () => {
  const folder = join(process.env.DATA_DIR!, "photos");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "a.jpg"), "a");
  const { status, stderr } = spawnSync(
    process.execPath,
    ["scripts/build-app-image.ts", "--out", folder],
    { encoding: "utf8" },
  );
  expect(status).toBe(1);
  expect(stderr).toContain(`${folder} contains other files`);
  expect(readdirSync(folder)).toEqual(["a.jpg"]);
});
