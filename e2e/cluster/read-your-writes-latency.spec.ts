// Tests read-your-writes with real latency between regions.

import { assertInvariant } from "#tests/support/invariants.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { runReadYourWritesLoad } from "#tests/support/cluster/read-your-writes-load.ts";

const PAIRS = 200;
const AT_ONCE = 10;

test.use({ latency: true });

test("the read after each of 200 writes sees it, with real latency", async ({ cluster }) => {
  test.setTimeout(240_000);
  const result = await runReadYourWritesLoad(cluster, PAIRS, AT_ONCE);
  console.log("read your writes over distances:", JSON.stringify(result));
  assertInvariant("clients read their own writes", result.failures);
  expect(result.pairCount).toBe(PAIRS);
});
