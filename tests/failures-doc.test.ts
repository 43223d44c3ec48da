import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync("docs/failures.md", "utf8").replace(/[ \t]*\n[ \t]+/g, " ");
const sections = page.split(/^## /m).slice(1);

test("every failure says what readers and writers see, what is lost, what fixes it, and its tests", () => {
  expect(sections.length).toBeGreaterThan(12);
  for (const section of sections)
    for (const field of ["Readers", "Writers", "Lost at most", "Tests"])
      expect(section, section.split("\n")[0]).toMatch(new RegExp(`\\*\\*${field}\\*\\*`));
});

test("every test that the page names exists", () => {
  const missing: string[] = [];
  let count = 0;
  for (const section of sections) {
    let file = "";
    // A title belongs to the file before it.
    for (const [, path, title] of section.matchAll(/`([\w./-]+\.(?:test|spec)\.ts)`|“([^”]+)”/g)) {
      if (path) {
        file = path;
        if (!existsSync(path)) missing.push(path);
      } else if (file) {
        count += 1;
        if (!existsSync(file) || !readFileSync(file, "utf8").includes(title!.replace(/\s+/g, " ")))
          missing.push(`${file}: ${title}`);
      }
    }
  }
  expect(missing).toEqual([]);
  expect(count).toBeGreaterThan(20);
});
