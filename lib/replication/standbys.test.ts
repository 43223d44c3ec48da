import { rmSync } from "node:fs";
import { type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { env } from "#lib/core/env.ts";
import { resetSingleton } from "#lib/core/singleton.ts";
import { read, write } from "#lib/db/database.ts";
import { monotonicMs, setLeaseConfirmer, setLeaseExpiry } from "./lease.ts";
import {
  listStandbys,
  recordCommit,
  startWatchingStandbys,
  stopWatchingStandbys,
  waitForStandby,
} from "./standbys.ts";
import type { Position } from "./litefs-node-state.ts";
import { type FakeLitefs, checksumOf, startFakeLitefs } from "#tests/support/fake-litefs.ts";

/** A fake LiteFS of a candidate in the primary's region, with its open streams. */
interface Candidate {
  position: Position;
  readonly streams: Set<ServerResponse>;
  tell(position: Position): void;
  stop(): Promise<void>;
}

let here: FakeLitefs | undefined;
let other: Candidate | undefined;
afterEach(async () => {
  resetSingleton("lease");
  stopWatchingStandbys();
  await here?.stop();
  await other?.stop();
  overrideEnv({ PRIMARY_REGION: undefined, CLUSTER_NODES: undefined, LITEFS_PORT: undefined });
});

/** The position of this primary after its transaction `txid`. */
const at = (txid: number): Position => ({ txid, checksum: checksumOf(txid) });
/** Another primary's transaction with the same number. */
const otherAt = (txid: number): Position => ({ txid, checksum: "8000000000000bad" });

async function startCandidate(start: Position): Promise<Candidate> {
  const hex = (number: number) => number.toString(16).padStart(16, "0");
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    if (request.url === "/debug/vars")
      return void response.end(
        JSON.stringify({
          store: {
            isPrimary: false,
            candidate: true,
            dbs: {
              "lectern.db": {
                txid: hex(candidate.position.txid),
                checksum: candidate.position.checksum,
              },
            },
          },
        }),
      );
    streams.add(response);
    response.on("close", () => streams.delete(response));
    response.writeHead(200, { "content-type": "application/json" });
    response.write(
      `${JSON.stringify({ type: "init", data: { isPrimary: false, hostname: "here" } })}\n`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const candidate: Candidate = {
    position: start,
    streams,
    tell(position) {
      candidate.position = position;
      const data = {
        txID: hex(position.txid),
        postApplyChecksum: position.checksum,
        timestamp: new Date().toISOString(),
      };
      for (const stream of streams)
        stream.write(`${JSON.stringify({ type: "tx", db: "lectern.db", data })}\n`);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  here = await startFakeLitefs(null);
  overrideEnv({
    FLY_REGION: "dfw",
    PRIMARY_REGION: "dfw",
    CLUSTER_NODES: "here@dfw=127.0.0.1,other@dfw=127.0.0.1",
    LITEFS_PORT: String((server.address() as AddressInfo).port),
  });
  startWatchingStandbys();
  // Its position arrives after its connection. If it arrived later, it would end a test's stall.
  await vi.waitFor(() => expect(listStandbys()).toMatchObject([{ txid: start.txid }]), 10_000);
  return candidate;
}

test("the standby's position when it connects counts, even though no event reports it", async () => {
  other = await startCandidate(at(7));
  expect(await waitForStandby(at(7), 20_000)).toBe("replicated");
});

test("a transaction is replicated once the standby reports it", async () => {
  other = await startCandidate(at(7));
  const waiting = waitForStandby(at(8), 20_000);
  other.tell(at(8));
  expect(await waiting).toBe("replicated");
});

test("a transaction is not replicated while the standby has another primary's transactions with the same or higher numbers", async () => {
  other = await startCandidate(otherAt(9));
  for (const txid of [8, 9]) {
    recordCommit(at(txid));
    const waiting = waitForStandby(at(txid), 20_000);
    let isOver = false;
    void waiting.finally(() => (isOver = true));
    other.tell(otherAt(9));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isOver).toBe(false);
    // LiteFS has discarded the other primary's transactions.
    other.tell(at(txid));
    expect(await waiting).toBe("replicated");
  }
});

test("a standby that is ahead has the transaction, no matter which process committed the newer one", async () => {
  other = await startCandidate(at(7));
  recordCommit(at(9));
  other.tell(at(9));
  expect(await waitForStandby(at(8), 20_000)).toBe("replicated");
  // As after a migration, which bypasses the write queue.
  here!.setPosition(10);
  other.tell(at(10));
  expect(await waitForStandby(at(8), 20_000)).toBe("replicated");
});

test("commits from an earlier term as the primary confirm nothing", async () => {
  other = await startCandidate(at(7));
  // Only this instance and the standby had transaction 9. The next primary lacked it.
  for (const txid of [8, 9]) recordCommit(at(txid));
  other.tell(at(9));
  const newer = otherAt(8);
  recordCommit(newer);
  expect(await waitForStandby(newer, 200)).toBe("timed_out");
});

test("a write is not acknowledged if the position can't be read afterwards, because LiteFS exits if it can't store a transaction", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  other = await startCandidate(at(7));
  for (const isDurable of [true, false]) {
    here!.setPosition(8);
    const writing = write(
      (tx) => {
        insertUser(tx);
        rmSync(`${env.DATABASE_FILE}-pos`);
      },
      { isDurable },
    );
    await expect(writing).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("can't confirm"),
    });
  }
});

test("a durable write is acknowledged if the standby reports it during the lease, but not after", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  other = await startCandidate(at(7));
  setLeaseConfirmer(() => Promise.resolve(false));
  for (const [count, isExpired] of [false, true].entries()) {
    setLeaseExpiry(monotonicMs() + 60_000);
    here!.setPosition(8 + count);
    const writing = write((tx) => insertUser(tx), { isDurable: true });
    await vi.waitFor(
      async () => expect(await read((tx) => tx.user.count())).toBe(count + 1),
      10_000,
    );
    // As after a freeze: the standby is the primary now, and reports its own transaction.
    if (isExpired) setLeaseExpiry(monotonicMs());
    other.tell(at(8 + count));
    if (isExpired) await expect(writing).rejects.toMatchObject({ code: "unavailable" });
    else await writing;
  }
});

test("a stalled standby is not awaited again until it reports", async () => {
  other = await startCandidate(at(7));
  expect(await waitForStandby(at(8), 50)).toBe("timed_out");
  const startedMs = performance.now();
  expect(await waitForStandby(at(9), 20_000)).toBe("timed_out");
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  other.tell(at(9));
  await vi.waitFor(
    () => expect(listStandbys()).toEqual([{ instance: "other", txid: 9, isStalled: false }]),
    { timeout: 10_000 },
  );
  expect(await waitForStandby(at(9), 20_000)).toBe("replicated");
});

test("the silent stream of a standby that advances is reopened, because a machine that lost power closes no connection", async () => {
  other = await startCandidate(at(7));
  const [deaf] = [...other.streams];
  expect(await waitForStandby(at(8), 50)).toBe("timed_out");
  other.position = at(8);
  await vi.waitFor(
    () => expect(listStandbys()).toEqual([{ instance: "other", txid: 8, isStalled: false }]),
    { timeout: 20_000 },
  );
  expect(other.streams.has(deaf!)).toBe(false);
  expect(await waitForStandby(at(8), 20_000)).toBe("replicated");
}, 60_000);

test("without a standby, writes don't wait", async () => {
  other = await startCandidate(at(7));
  await other.stop();
  await vi.waitFor(() => expect(listStandbys()).toEqual([]), { timeout: 10_000 });
  expect(await waitForStandby(at(8), 2_000)).toBe("no_standby");
  other = undefined;
});
