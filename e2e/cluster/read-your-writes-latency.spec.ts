// The same as read-your-writes.spec.ts where regions are as far from one another as they are.

import { assertInvariant } from "#tests/support/invariants.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { runReadYourWritesLoad } from "#tests/support/cluster/read-your-writes-load.ts";

const PAIRS = 200;
const AT_ONCE = 10;

test.use({ latency: true });

test("every one of 200 writes is seen by the read that follows it, over real distances", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  const result = await runReadYourWritesLoad(cluster, PAIRS, AT_ONCE);
  console.log("read your writes over distances:", JSON.stringify(result));
  assertInvariant("who wrote reads their write", result.failures);
  expect(result.pairCount).toBe(PAIRS);
});
