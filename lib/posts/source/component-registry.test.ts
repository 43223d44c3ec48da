import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type LocalComponentFiles,
  listLocalComponents,
  renderRegistryModule,
} from "./component-registry.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lectern-components-"));
  for (const file of [
    "blog/a/index.mdx",
    "blog/a/counter.tsx",
    "blog/a/clock.tsx",
    "blog/a/clock.test.tsx",
    "blog/a/measure.ts",
    "blog/a/.x.tsx",
    "blog/b/index.mdx",
    "blog/c/lonely.tsx",
    "blog/flat.mdx",
  ]) {
    mkdirSync(join(dir, file, ".."), { recursive: true });
    writeFileSync(join(dir, file), "");
  }
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("the components beside folder posts are listed, without tests, other files and folders without a post", () => {
  expect(listLocalComponents(dir)).toEqual({ a: ["./clock.tsx", "./counter.tsx"] });
  expect(listLocalComponents(join(dir, "nowhere"))).toEqual({});
});

test("the registry imports each component lazily", () => {
  const text = renderRegistryModule({ "a-post": ["./counter.tsx"] });
  expect(text).toContain(
    '  "a-post": {\n    "./counter.tsx": () => import("./blog/a-post/counter.tsx"),\n  },',
  );
});

test("the module loads, even without any components", async () => {
  for (const files of [{}, { a: ["./clock.tsx"] }] as LocalComponentFiles[]) {
    const file = join(dir, `registry-${Object.keys(files).length}.ts`);
    writeFileSync(file, renderRegistryModule(files));
    const { localComponents } = (await import(/* @vite-ignore */ file)) as {
      localComponents: object;
    };
    expect(Object.keys(localComponents)).toEqual(Object.keys(files));
  }
});
