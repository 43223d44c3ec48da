import { afterEach, expect, test } from "vitest";
import { measureCpu } from "#tests/support/measure-cpu.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { describeDevice } from "#lib/members/describe-device.ts";

afterEach(() => overrideEnv({ TRUST_PROXY: undefined }));
const of = (headers: Record<string, string>) => describeDevice({ headers: new Headers(headers) });

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Safari on iOS",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0",
    "Microsoft Edge on Windows",
  ],
])("a browser has its common name: %s", (agent, device) => {
  expect(of({ "user-agent": agent }).device.startsWith(device)).toBe(true);
});

test("a missing, malformed or huge User-Agent gives a short generic name", () => {
  expect(of({}).device).toBe("Unknown browser");
  for (const agent of [
    "",
    " ",
    "(",
    "<script>alert(1)</script>",
    "x".repeat(60_000),
    `Firefox/${"9".repeat(20_000)}`,
    "\\".repeat(1_000),
  ]) {
    const { device } = of({ "user-agent": agent });
    expect(device.length).toBeGreaterThan(0);
    expect(device.length).toBeLessThanOrEqual(120);
    expect(measureCpu(() => of({ "user-agent": agent }))).toBeLessThan(2_000_000);
  }
});

test("the region header is used only from a trusted proxy", () => {
  expect(of({ "fly-region": "ams" }).place).toBeNull();
  overrideEnv({ TRUST_PROXY: "fly" });
  expect(of({ "fly-region": "ams" }).place).toBe("ams");
  for (const region of ["", "AMS", "amsterdam", "a<b", "am"])
    expect(of({ "fly-region": region }).place).toBeNull();
});
