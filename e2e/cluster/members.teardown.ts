// After the browser tests of members and calls: it was the replica in ams that answered them, and every write of it was replayed.

import { expect, test } from "@playwright/test";
import { CONTROL_PORT } from "#tests/support/e2e/site-under-test.ts";

test("the replica in ams answered, and replayed what it could not do", async () => {
  const counts = (await (await fetch(`http://127.0.0.1:${CONTROL_PORT}/counts`)).json()) as Record<
    string,
    number
  >;
  console.log(`ams: ${JSON.stringify(counts)}`);
  expect(counts.replay).toBeGreaterThan(0);
  expect(counts.requests).toBeGreaterThan(counts.replay!);
  expect({ ...counts, requests: 0, replay: 0 }).toMatchObject({
    requests: 0,
    replay: 0,
    "replay-failed": 0,
    "too-large": 0,
    retry: 0,
  });
});
