// Checks that the tests, files and minimum versions named in docs/security.md exist.

import { existsSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, test } from "vitest";

const doc = readFileSync("docs/security.md", "utf8");

/** Returns every “name” with the file before it on its line. */
function namedTests(): { file: string; name: string }[] {
  return doc.split("\n").flatMap((line) => {
    let file = "";
    return [
      ...line.matchAll(
        /`((?:app|lib|server|cli|components|tests|e2e|scripts)\/[^`]+\.(?:test|spec)\.tsx?)`|“([^”]+)”/g,
      ),
    ].flatMap(([, path, name]) => {
      if (path !== undefined) file = path;
      return name !== undefined ? [{ file, name }] : [];
    });
  });
}

test("every test named in docs/security.md exists", () => {
  const named = namedTests();
  expect(named.length).toBeGreaterThan(40);
  const missing = named
    .filter(({ file, name }) => !existsSync(file) || !readFileSync(file, "utf8").includes(name))
    .map(({ file, name }) => `${file}: ${name}`);
  expect(missing).toEqual([]);
});

test("every file named in docs/security.md exists", () => {
  const named = [
    ...new Set(
      [
        ...doc.matchAll(
          /`((?:app|lib|server|cli|components|tests|e2e|scripts)\/[^`\s]+|middleware\.ts|next\.config\.mjs)`/g,
        ),
      ].map(([, path]) => path as string),
    ),
  ];
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});

test("Next, iron-session and SQLite are not older than their last known vulnerabilities", () => {
  const isAtLeast = (version: string, minimum: string) =>
    version.localeCompare(minimum, "en", { numeric: true }) >= 0;
  const installed = (name: string) =>
    (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string })
      .version;
  // Middleware bypass, CSRF with "Origin: null", SSRF by Host: CVE-2026-44574, -45109, -27978, -64649, -64642.
  expect(isAtLeast(installed("next"), "16.2.11"), `next ${installed("next")}`).toBe(true);
  // In older versions, a marker outside the seal's HMAC chose how a cookie was parsed.
  expect(
    isAtLeast(installed("iron-session"), "9.0.0"),
    `iron-session ${installed("iron-session")}`,
  ).toBe(true);
  // 3.51.3 fixed database corruption in WAL mode (https://sqlite.org/wal.html#the_wal_reset_bug).
  const sqlite = new Database(":memory:");
  const version = sqlite.prepare("SELECT sqlite_version()").pluck().get() as string;
  sqlite.close();
  expect(isAtLeast(version, "3.51.3"), `SQLite ${version}`).toBe(true);
});
