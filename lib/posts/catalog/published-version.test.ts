import { expect, test } from "vitest";
import { readSql, writeSql } from "#lib/db/database.ts";
import { findPublishedVersion, setPublishedVersion } from "./published-version.ts";

test("before the first publish, no version is found", async () => {
  expect(await readSql(findPublishedVersion)).toBeNull();
});

test("a new version keeps the previous one, in one row", async () => {
  expect(await writeSql((sql) => setPublishedVersion(sql, "a"))).toBe(true);
  expect(await readSql(findPublishedVersion)).toMatchObject({ version: "a", previous: null });
  expect(await writeSql((sql) => setPublishedVersion(sql, "b"))).toBe(true);
  expect(await readSql(findPublishedVersion)).toMatchObject({
    version: "b",
    previous: "a",
    updatedAtMs: expect.any(Number),
  });
  expect(await readSql((sql) => sql.all(`SELECT * FROM "ContentVersion"`))).toHaveLength(1);
});

test("publishing the published version writes nothing", async () => {
  await writeSql((sql) => setPublishedVersion(sql, "a"));
  await writeSql((sql) => setPublishedVersion(sql, "b"));
  expect(await writeSql((sql) => setPublishedVersion(sql, "b"))).toBe(false);
  expect(await readSql(findPublishedVersion)).toMatchObject({ version: "b", previous: "a" });
});

test("concurrent publishes leave the last version and the one before it", async () => {
  await Promise.all(
    ["a", "b", "b", "c"].map((version) => writeSql((sql) => setPublishedVersion(sql, version))),
  );
  expect(await readSql(findPublishedVersion)).toMatchObject({ version: "c", previous: "b" });
});
