import { expect, test, vi } from "vitest";
import { log } from "./log.ts";

test("an error that is its own cause is logged", () => {
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const error = new Error("outer", { cause: new Error("inner") });
  (error.cause as Error).cause = error;
  log("error", "test.failed", { error });
  const [line] = written.mock.calls[0]!;
  written.mockRestore();
  expect(JSON.parse(String(line))).toMatchObject({
    error: { message: "outer", cause: { message: "inner", cause: { message: "outer" } } },
  });
});
