import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("only serialize.ts imports next-mdx-remote", () => {
  const importers = ["lib", "app", "components", "server", "cli", "scripts"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !file.endsWith(".test.ts"))
      .map((file) => join(folder, file))
      .filter((file) =>
        /from "(next-mdx-remote|@mdx-js)|import\("(next-mdx-remote|@mdx-js)/.test(
          readFileSync(file, "utf8"),
        ),
      ),
  );
  expect(importers).toEqual([join("lib", "posts", "mdx", "serialize.ts")]);
});
