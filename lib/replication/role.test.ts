import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { insertUser } from "#tests/support/factories.ts";
import { env } from "#lib/core/env.ts";
import { read, write } from "#lib/db/database.ts";
import { readPosition, heartbeatAgeMs, waitForTxid } from "./position.ts";
import { findPrimaryInstance, currentRole, waitForKnownRole } from "./role.ts";
import { type FakeLitefs, checksumOf, startFakeLitefs } from "#tests/support/fake-litefs.ts";

let litefs: FakeLitefs | undefined;
afterEach(async () => {
  await litefs?.stop();
  litefs = undefined;
});

test("without replication this process is the primary and reads no file", () => {
  overrideEnv({ FLY_LITEFS_DIR: "/nowhere", INSTANCE: "alone" });
  expect(currentRole()).toBe("primary");
  expect(findPrimaryInstance()).toBe("alone");
  expect(readPosition()).toBeNull();
  expect(heartbeatAgeMs()).toBeNull();
  overrideEnv({ FLY_LITEFS_DIR: undefined, INSTANCE: undefined });
});

test("a node is primary if the event says so and `.primary` is absent", async () => {
  litefs = await startFakeLitefs(null);
  expect(currentRole()).toBe("primary");
  expect(findPrimaryInstance()).toBe("here");
});

test("a node that knows the primary is a replica", async () => {
  litefs = await startFakeLitefs("dfw-1");
  expect(currentRole()).toBe("replica");
  expect(findPrimaryInstance()).toBe("dfw-1");
  await litefs.setPrimary("dfw-2");
  expect(findPrimaryInstance()).toBe("dfw-2");
});

test("a node that lost its primary is unknown, despite the missing file", async () => {
  litefs = await startFakeLitefs("dfw-1");
  await litefs.setPrimary("");
  expect(currentRole()).toBe("unknown");
  expect(findPrimaryInstance()).toBeNull();
});

test("the role is unknown while file and event disagree", async () => {
  litefs = await startFakeLitefs(null);
  litefs.setPrimaryFile("dfw-1");
  expect(currentRole()).toBe("unknown");
  await litefs.setPrimary("dfw-2");
  litefs.setPrimaryFile("dfw-1");
  expect(currentRole()).toBe("unknown");
  litefs.setPrimaryFile(null);
  expect(currentRole()).toBe("unknown");
});

test("an unreadable file never makes a primary", async () => {
  litefs = await startFakeLitefs(null);
  const file = join(dirname(env.DATABASE_FILE), ".primary");
  mkdirSync(file);
  expect(currentRole()).toBe("unknown");
  rmSync(file, { recursive: true });
  expect(currentRole()).toBe("primary");
});

test("without LiteFS's events, the role is unknown and writes are refused", async () => {
  litefs = await startFakeLitefs(null);
  expect(await write((tx) => insertUser(tx).id)).toBeTruthy();
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  litefs.breakStream();
  await vi.waitFor(() => expect(currentRole()).toBe("unknown"), 10_000);
  await expect(write((tx) => insertUser(tx))).rejects.toMatchObject({ code: "unavailable" });
  // Reads still work.
  expect(await read((tx) => tx.user.count())).toBe(1);
});

test("a handover is awaited, up to a deadline", async () => {
  litefs = await startFakeLitefs("");
  const settled = waitForKnownRole(5_000);
  await litefs.setPrimary("dfw-2");
  expect(await settled).toBe("replica");
  await litefs.setPrimary("");
  expect(await waitForKnownRole(30)).toBe("unknown");
});

test("a transaction is awaited, up to a deadline", async () => {
  litefs = await startFakeLitefs("dfw-1");
  litefs.setPosition(7);
  expect(await waitForTxid(7, 0)).toBe(true);
  expect(await waitForTxid(8, 20)).toBe(false);
  const waited = waitForTxid(255, 5_000);
  litefs.setPosition(255);
  litefs.sendEvent({
    type: "tx",
    db: "lectern.db",
    data: { txID: "00000000000000ff", timestamp: new Date().toISOString() },
  });
  expect(await waited).toBe(true);
  expect(readPosition()).toEqual({ txid: 255, checksum: checksumOf(255) });
});
