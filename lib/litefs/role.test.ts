import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { overrideEnv } from "#tests/database.ts";
import { insertUser } from "#tests/factories.ts";
import { env } from "../base/env.ts";
import { snapshotSql, writeSql } from "../db/database.ts";
import { readPosition, silenceMs, waitForTxid } from "./position.ts";
import { primaryInstance, role, settledRole } from "./role.ts";
import { type TestLitefs, startTestLitefs } from "./test-litefs.ts";

let litefs: TestLitefs | undefined;
afterEach(async () => {
  await litefs?.stop();
  litefs = undefined;
});

test("without replication this process is the primary, and reads nothing to know it", () => {
  overrideEnv({ FLY_LITEFS_DIR: "/nowhere", INSTANCE: "alone" });
  expect(role()).toBe("primary");
  expect(primaryInstance()).toBe("alone");
  expect(readPosition()).toBeNull();
  expect(silenceMs()).toBeNull();
  overrideEnv({ FLY_LITEFS_DIR: undefined, INSTANCE: undefined });
});

test("a node is primary when LiteFS says so and no file names another", async () => {
  litefs = await startTestLitefs(null);
  expect(role()).toBe("primary");
  expect(primaryInstance()).toBe("here");
});

test("a node that knows the primary is a replica", async () => {
  litefs = await startTestLitefs("dfw-1");
  expect(role()).toBe("replica");
  expect(primaryInstance()).toBe("dfw-1");
  await litefs.setPrimary("dfw-2");
  expect(primaryInstance()).toBe("dfw-2");
});

test("a node that lost its primary does not take the missing file for its own lease", async () => {
  litefs = await startTestLitefs("dfw-1");
  await litefs.setPrimary("");
  expect(role()).toBe("unknown");
  expect(primaryInstance()).toBeNull();
});

test("while the file and the event disagree, nobody knows", async () => {
  litefs = await startTestLitefs(null);
  litefs.setFile("dfw-1");
  expect(role()).toBe("unknown");
  await litefs.setPrimary("dfw-2");
  litefs.setFile("dfw-1");
  expect(role()).toBe("unknown");
  litefs.setFile(null);
  expect(role()).toBe("unknown");
});

test("a file that can't be read makes nobody primary", async () => {
  litefs = await startTestLitefs(null);
  const file = join(dirname(env.DATABASE_FILE), ".primary");
  mkdirSync(file);
  expect(role()).toBe("unknown");
  rmSync(file, { recursive: true });
  expect(role()).toBe("primary");
});

test("when LiteFS falls silent nobody knows, and who wrote is refused", async () => {
  litefs = await startTestLitefs(null);
  expect(await writeSql((sql) => insertUser(sql).id)).toBeTruthy();
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  litefs.fall();
  await vi.waitFor(() => expect(role()).toBe("unknown"), 10_000);
  await expect(writeSql((sql) => insertUser(sql))).rejects.toMatchObject({ code: "unavailable" });
  // Reads go on.
  expect(await snapshotSql((sql) => sql.get(`SELECT count(*) AS "n" FROM "User"`))).toEqual({
    n: 1,
  });
});

test("a hand-over is waited for, and an absence only so long", async () => {
  litefs = await startTestLitefs("");
  const settled = settledRole(5_000);
  await litefs.setPrimary("dfw-2");
  expect(await settled).toBe("replica");
  await litefs.setPrimary("");
  expect(await settledRole(30)).toBe("unknown");
});

test("a transaction is waited for until it arrives, and only so long", async () => {
  litefs = await startTestLitefs("dfw-1");
  litefs.setPosition(7);
  expect(await waitForTxid(7, 0)).toBe(true);
  expect(await waitForTxid(8, 20)).toBe(false);
  const waited = waitForTxid(255, 5_000);
  litefs.setPosition(255);
  litefs.tell({
    type: "tx",
    db: "lectern.db",
    data: { txID: "00000000000000ff", timestamp: new Date().toISOString() },
  });
  expect(await waited).toBe(true);
  expect(readPosition()).toEqual({ txid: 255, checksum: "8000000000000000" });
});
