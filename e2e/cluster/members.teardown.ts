// Checks after the browser tests that the replica in ams served them and replayed their writes.

import { expect, test } from "@playwright/test";
import { fetchJson } from "#tests/support/fetch-json.ts";
import { CONTROL_PORT } from "#tests/support/e2e/site-under-test.ts";

test("the replica in ams answered the requests and replayed the writes", async () => {
  const counts = await fetchJson<Record<string, number>>(`http://127.0.0.1:${CONTROL_PORT}/counts`);
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
