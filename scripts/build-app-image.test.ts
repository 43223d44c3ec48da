// Checks that the script replaces no folder of other files, and that every change is built.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
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

test("a change to any file that the site imports causes a new build", async () => {
  const { BUILD_INPUTS } = (await import(pathToFileURL("scripts/tasks/setup.mjs").href)) as {
    BUILD_INPUTS: string[];
  };
  const inputs = [...BUILD_INPUTS, "prisma/generated"];
  const sources = ["app", "components", "lib"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
      .map((file) => join(folder, file)),
  );
  const imports = [...sources, "middleware.ts", "instrumentation.ts"].flatMap((file) =>
    Array.from(
      readFileSync(file, "utf8").matchAll(/^(?:import|export) [^;"]*from "([.#][^"]+)"/gm),
      ([, target]) => (target!.startsWith("#") ? target!.slice(1) : join(dirname(file), target!)),
    ),
  );
  expect(imports.length).toBeGreaterThan(1_000);
  const missing = imports.filter(
    (path) => !inputs.some((input) => path === input || path.startsWith(`${input}/`)),
  );
  expect(missing).toEqual([]);
});
