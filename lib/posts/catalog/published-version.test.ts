import { expect, test } from "vitest";
import { read, write } from "#lib/db/database.ts";
import { findPublishedVersion, setPublishedVersion } from "./published-version.ts";

test("before the first publish, no version is found", async () => {
  expect(await read(findPublishedVersion)).toBeNull();
});

test("a new version keeps the previous one, in one row", async () => {
  expect(await write((tx) => setPublishedVersion(tx, "a"))).toBe(true);
  expect(await read(findPublishedVersion)).toMatchObject({ version: "a", previous: null });
  expect(await write((tx) => setPublishedVersion(tx, "b"))).toBe(true);
  expect(await read(findPublishedVersion)).toMatchObject({
    version: "b",
    previous: "a",
    updatedAtMs: expect.any(Number),
  });
  expect(await read((tx) => tx.contentVersion.count())).toBe(1);
});

test("publishing the published version writes nothing", async () => {
  await write((tx) => setPublishedVersion(tx, "a"));
  await write((tx) => setPublishedVersion(tx, "b"));
  expect(await write((tx) => setPublishedVersion(tx, "b"))).toBe(false);
  expect(await read(findPublishedVersion)).toMatchObject({ version: "b", previous: "a" });
});

test("concurrent publishes leave the last version and the one before it", async () => {
  await Promise.all(
    ["a", "b", "b", "c"].map((version) => write((tx) => setPublishedVersion(tx, version))),
  );
  expect(await read(findPublishedVersion)).toMatchObject({ version: "c", previous: "b" });
});
