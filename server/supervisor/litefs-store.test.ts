import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeLtx } from "#server/backup/ltx.ts";
import { hasTransaction, quarantineStore, readStore } from "./litefs-store.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function fill(dir: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(dir, name, ".."), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
}

test("a store has data when it has a database with a transaction", () => {
  const dir = join(folder, "litefs");
  expect(readStore(dir, "a.db")).toEqual({ clusterId: null, hasData: false, txid: 0 });
  fill(dir, { clusterid: "LFSC1\n" });
  expect(readStore(dir, "a.db")).toEqual({ clusterId: "LFSC1", hasData: false, txid: 0 });
  fill(dir, {
    "dbs/a.db/database": "",
    "dbs/a.db/ltx/0000000000000001-000000000000000a.ltx.123.tmp": "x",
  });
  expect(readStore(dir, "a.db").hasData).toBe(false);
  fill(dir, {
    "dbs/a.db/database": "pages",
    "dbs/a.db/ltx/0000000000000001-000000000000000a.ltx": "x",
    "dbs/a.db/ltx/000000000000000b-000000000000000b.ltx": "x",
  });
  expect(readStore(dir, "a.db")).toEqual({ clusterId: "LFSC1", hasData: true, txid: 11 });
  expect(readStore(dir, "b.db").hasData).toBe(false);
});

test("a store has a transaction only if both number and checksum match", () => {
  const dir = join(folder, "litefs");
  const [own, other] = ["8000000000000abc", "8000000000000bad"];
  fill(dir, { "dbs/a.db/ltx/0000000000000001-000000000000000a.ltx": "a snapshot" });
  writeFileSync(
    join(dir, "dbs/a.db/ltx/000000000000000b-000000000000000b.ltx"),
    encodeLtx(
      {
        pageSize: 4_096,
        pageCount: 1,
        minTxid: 11,
        maxTxid: 11,
        timeMs: 0,
        checksumBefore: "0".repeat(16),
      },
      new Map(),
      own!,
    ),
  );
  const has = (txid: number, checksum: string, newest = 12) =>
    hasTransaction(dir, "a.db", newest, { txid, checksum });
  expect(has(11, own)).toBe(true);
  expect(has(11, other)).toBe(false);
  expect(has(13, own)).toBe(false);
  // Within a snapshot, or if an earlier version sends no checksum, only the number counts.
  expect(has(10, other)).toBe(true);
  expect(has(11, "")).toBe(true);
});

test("a transaction is missing if its LTX file is truncated, but not if the file has been deleted", () => {
  const dir = join(folder, "litefs");
  const ltx = "dbs/a.db/ltx/000000000000000b-000000000000000b.ltx";
  const has = () => hasTransaction(dir, "a.db", 12, { txid: 11, checksum: "0".repeat(16) });
  for (const text of ["", "x".repeat(15)]) {
    fill(dir, { [ltx]: text });
    expect(has()).toBe(false);
  }
  rmSync(join(dir, ltx));
  expect(has()).toBe(true);
});

test("a quarantined store keeps its contents, and only the two newest are kept", () => {
  const dir = join(folder, "litefs");
  const quarantined = [1, 2, 3].map((n) => {
    fill(dir, { clusterid: `LFSC${n}` });
    return quarantineStore(dir, new Date(Date.UTC(2026, 0, n)));
  });
  expect(existsSync(dir)).toBe(false);
  expect(readdirSync(folder).map((name) => join(folder, name))).toEqual(quarantined.slice(1));
  expect(readFileSync(join(quarantined[2]!, "clusterid"), "utf8")).toBe("LFSC3");
});
