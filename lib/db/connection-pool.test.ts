import { afterEach, expect, test, vi } from "vitest";
import {
  READ_TIMEOUT_MS,
  acquireReader,
  databaseState,
  releaseReader,
  reopenConnections,
} from "./connection-pool.ts";

afterEach(() => void vi.useRealTimers());

/** Acquires every reader of the pool. */
async function acquireAll() {
  const state = databaseState();
  return {
    state,
    readers: await Promise.all(Array.from({ length: 8 }, () => acquireReader(state))),
  };
}

test("if a waiter times out during a reopen, the next one gets its connection", async () => {
  const { state, readers } = await acquireAll();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const first = acquireReader(state).catch((error: Error) => error);
  await Promise.resolve();
  vi.advanceTimersByTime(READ_TIMEOUT_MS / 2);
  const second = acquireReader(state);
  await Promise.resolve();
  expect(state.readerWaiters).toHaveLength(2);
  const { generation } = state;
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  reopenConnections(state, state.generation);
  // Opens a connection for the first waiter, which times out before it is open.
  releaseReader(state, readers[0]!, generation);
  vi.advanceTimersByTime(READ_TIMEOUT_MS / 2);
  expect(await first).toMatchObject({ code: "unavailable" });
  const connection = await second;
  expect(state.readerWaiters).toHaveLength(0);
  releaseReader(state, connection, state.generation);
  for (const reader of readers.slice(1)) releaseReader(state, reader, generation);
  expect([state.readerCount, state.idleReaders.length]).toEqual([1, 1]);
});

test("waiters get connections in the order of their arrival", async () => {
  const { state, readers } = await acquireAll();
  const order: number[] = [];
  const waiting = [1, 2, 3].map((n) =>
    acquireReader(state).then((reader) => {
      order.push(n);
      releaseReader(state, reader, state.generation);
    }),
  );
  releaseReader(state, readers[0]!, state.generation);
  await Promise.all(waiting);
  for (const reader of readers.slice(1)) releaseReader(state, reader, state.generation);
  expect(order).toEqual([1, 2, 3]);
  expect(state.idleReaders).toHaveLength(8);
});
