import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { findTelemetry, withSpan } from "./telemetry.ts";

test("without an endpoint, no package of OpenTelemetry is loaded, and functions just run", async () => {
  expect(findTelemetry()).toBeUndefined();
  expect(await withSpan("x", {}, () => Promise.resolve(1))).toBe(1);
  const { stdout } = spawnSync(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--input-type=module",
      "--eval",
      `import { registerHooks } from "node:module";
       const loaded = [];
       registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
       await import("./lib/http/pipeline.ts");
       await import("./lib/db/database.ts");
       await import("./lib/outbound/fetch/guarded-fetch.ts");
       console.log(loaded.length > 50, loaded.filter((url) => url.includes("opentelemetry")).length);`,
    ],
    { encoding: "utf8" },
  );
  expect(stdout.trim()).toBe("true 0");
});
