import { afterEach, expect, test, vi } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { type FakeLitefs, startFakeLitefs } from "#tests/support/fake-litefs.ts";
import { resetSingleton } from "#lib/core/singleton.ts";
import { write } from "#lib/db/database.ts";
import { confirmLease, monotonicMs, setLeaseConfirmer, setLeaseExpiry } from "./lease.ts";
import { currentRole, findPrimaryInstance } from "./role.ts";

let litefs: FakeLitefs | undefined;
afterEach(async () => {
  resetSingleton("lease");
  await litefs?.stop();
  litefs = undefined;
});

test("a primary takes writes only while its lease is confirmed", async () => {
  litefs = await startFakeLitefs(null);
  setLeaseExpiry(0);
  expect(currentRole()).toBe("unknown");
  expect(findPrimaryInstance()).toBeNull();
  await expect(write((tx) => insertUser(tx))).rejects.toMatchObject({ code: "unavailable" });
  setLeaseExpiry(monotonicMs() + 60_000);
  expect(currentRole()).toBe("primary");
  // Writes remember the role for a few milliseconds.
  await vi.waitFor(() => write((tx) => insertUser(tx)), 5_000);
});

test("a confirmed lease doesn't make a replica the primary", async () => {
  litefs = await startFakeLitefs("dfw-1");
  setLeaseExpiry(monotonicMs() + 60_000);
  expect(currentRole()).toBe("replica");
});

test("a lease expires by itself, even without a message", async () => {
  litefs = await startFakeLitefs(null);
  setLeaseExpiry(monotonicMs() + 60_000);
  expect(currentRole()).toBe("primary");
  setLeaseExpiry(monotonicMs() + 50);
  await vi.waitFor(() => expect(currentRole()).toBe("unknown"), 5_000);
});

test("a commit during which the lease expires is not acknowledged", async () => {
  litefs = await startFakeLitefs(null);
  setLeaseExpiry(monotonicMs() + 60_000);
  await expect(
    write((tx) => {
      insertUser(tx);
      setLeaseExpiry(monotonicMs());
    }),
  ).rejects.toMatchObject({ code: "unavailable" });
});

test("a durable write without a standby is acknowledged only if the lease service knows of it", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  litefs = await startFakeLitefs(null);
  setLeaseExpiry(monotonicMs() + 60_000);
  const asked: number[] = [];
  let isReachable = true;
  setLeaseConfirmer(({ txid }) => {
    asked.push(txid);
    return Promise.resolve(isReachable);
  });
  litefs.setPosition(7);
  await write((tx) => insertUser(tx), { isDurable: true });
  expect(asked).toEqual([7]);
  isReachable = false;
  await expect(write((tx) => insertUser(tx), { isDurable: true })).rejects.toMatchObject({
    code: "unavailable",
  });
  await write((tx) => insertUser(tx));
  expect(asked).toEqual([7, 7]);
});

test("without a launcher, LiteFS alone decides", async () => {
  litefs = await startFakeLitefs(null);
  expect(currentRole()).toBe("primary");
  expect(await confirmLease({ txid: 1, checksum: "" })).toBe(true);
});
