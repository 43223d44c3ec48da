import { expect, test } from "vitest";
import { snapshotSql, writeSql } from "../db/database.ts";
import { findLiveVersion, setLiveVersion } from "./live-version.ts";

test("before the first version there is none", async () => {
  expect(await snapshotSql(findLiveVersion)).toBeNull();
});

test("a new version keeps the one before as previous, in one row", async () => {
  expect(await writeSql((sql) => setLiveVersion(sql, "a"))).toBe(true);
  expect(await snapshotSql(findLiveVersion)).toMatchObject({ version: "a", previous: null });
  expect(await writeSql((sql) => setLiveVersion(sql, "b"))).toBe(true);
  expect(await snapshotSql(findLiveVersion)).toMatchObject({
    version: "b",
    previous: "a",
    updatedAtMs: expect.any(Number),
  });
  expect(await snapshotSql((sql) => sql.all(`SELECT * FROM "ContentVersion"`))).toHaveLength(1);
});

test("setting what is live already writes nothing", async () => {
  await writeSql((sql) => setLiveVersion(sql, "a"));
  await writeSql((sql) => setLiveVersion(sql, "b"));
  expect(await writeSql((sql) => setLiveVersion(sql, "b"))).toBe(false);
  expect(await snapshotSql(findLiveVersion)).toMatchObject({ version: "b", previous: "a" });
});

test("two that arrive together leave a version and the other as previous", async () => {
  await Promise.all(
    ["a", "b", "b", "c"].map((version) => writeSql((sql) => setLiveVersion(sql, version))),
  );
  expect(await snapshotSql(findLiveVersion)).toMatchObject({ version: "c", previous: "b" });
});
