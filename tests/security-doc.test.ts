// Holds docs/security.md to what it says: each test that it names is there, and so is each file; and to the versions it asks for.

import { existsSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, test } from "vitest";

const doc = readFileSync("docs/security.md", "utf8");

/** Every “name” with the file that stands before it on its line. */
function namedTests(): { file: string; name: string }[] {
  return doc.split("\n").flatMap((line) => {
    let file = "";
    return [
      ...line.matchAll(/`((?:app|lib|tests|e2e|scripts)\/[^`]+\.(?:test|spec)\.tsx?)`|“([^”]+)”/g),
    ].flatMap(([, path, name]) => {
      if (path !== undefined) file = path;
      return name !== undefined ? [{ file, name }] : [];
    });
  });
}

test("each test that docs/security.md names is there", () => {
  const named = namedTests();
  expect(named.length).toBeGreaterThan(40);
  const missing = named
    .filter(({ file, name }) => !existsSync(file) || !readFileSync(file, "utf8").includes(name))
    .map(({ file, name }) => `${file}: ${name}`);
  expect(missing).toEqual([]);
});

test("each file that docs/security.md names is there", () => {
  const named = [
    ...new Set(
      [
        ...doc.matchAll(
          /`((?:app|lib|tests|e2e|scripts)\/[^`\s]+|middleware\.ts|next\.config\.mjs)`/g,
        ),
      ].map(([, path]) => path as string),
    ),
  ];
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});

test("Next, SQLite and what reads strangers’ bytes are not older than their last known holes", () => {
  const atLeast = (version: string, least: string) =>
    version.localeCompare(least, "en", { numeric: true }) >= 0;
  const installed = (name: string) =>
    (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string })
      .version;
  // Past the middleware by segment prefetch, by forms with "Origin: null", by a Host that leads inside (CVE-2026-44574, -45109, -27978, -64649, -64642).
  expect(atLeast(installed("next"), "16.2.11"), `next ${installed("next")}`).toBe(true);
  // One marker outside the seal's HMAC chose how an older one read a cookie.
  expect(
    atLeast(installed("iron-session"), "9.0.0"),
    `iron-session ${installed("iron-session")}`,
  ).toBe(true);
  // 3.51.3 mended a way to corrupt a database in WAL mode (sqlite.org/wal.html#the_wal_reset_bug).
  const sqlite = new Database(":memory:");
  const version = sqlite.prepare("SELECT sqlite_version()").pluck().get() as string;
  sqlite.close();
  expect(atLeast(version, "3.51.3"), `SQLite ${version}`).toBe(true);
});
