import { expect, test } from "vitest";
import { parseWrkOutput } from "./wrk.ts";

/** What wrk 4.1.0 printed. Its table has a percentage that a loose pattern takes for the median. */
const PRINTED = `Running 1s test @ http://127.0.0.1:8911/slow
  1 threads and 2 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    96.50ms   61.64ms 181.15ms   55.00%
    Req/Sec    17.50      5.98    28.00     62.50%
  Latency Distribution
     50%  100.44ms
     75%  164.33ms
     90%  180.28ms
     99%  181.15ms
  20 requests in 1.05s, 2.40KB read
Requests/sec:     19.00
Transfer/sec:      2.28KB
`;

/** The lines that wrk adds before Requests/sec when requests fail. */
const FAILURES = `  Socket errors: connect 0, read 2, write 1, timeout 4
  Non-2xx or 3xx responses: 11279
`;

test("the percentiles are those of the distribution, not of the Stdev column", () => {
  expect(parseWrkOutput(PRINTED)).toEqual({
    perSecond: 19.0,
    p50Ms: 100.44,
    p99Ms: 181.15,
    failed: 0,
  });
});

test("bad statuses and socket errors are counted as failed", () => {
  const printed = PRINTED.replace("Requests/sec", `${FAILURES}Requests/sec`);
  expect(parseWrkOutput(printed).failed).toBe(11_286);
});

test("a missing or unreadable figure is an error and not zero", () => {
  expect(() => parseWrkOutput(PRINTED.replace(/^ +99%.*\n/m, ""))).toThrow("wrk printed");
  expect(() => parseWrkOutput(PRINTED.replace(/50% +\S+$/m, "50% -nan"))).toThrow("-nan");
  expect(() => parseWrkOutput("unable to connect")).toThrow("unable to connect");
});
