import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { logConsole } from "./log-console.ts";
import { type RequestContext, requestContextStorage } from "./request-context.ts";

let original: Pick<Console, "error" | "warn">;
const lines: string[] = [];

beforeEach(() => {
  lines.length = 0;
  vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  overrideEnv({ LOG_LEVEL: "info" });
  original = { error: console.error, warn: console.warn };
  logConsole();
});
afterEach(() => {
  Object.assign(console, original);
  overrideEnv({ LOG_LEVEL: "error" });
});

const readLines = () => lines.map((line) => JSON.parse(line) as object);

test("an error on the console is one line of JSON", () => {
  console.error("⨯", new TypeError("first\nsecond", { cause: new Error("why") }));
  console.error("%s is %d", "a\nb", 1);
  console.warn({ a: { b: 1 } });
  console.error("(node:12) Warning: something is old");
  console.error();
  expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  expect(readLines()).toMatchObject([
    {
      level: "error",
      event: "console",
      text: "⨯",
      error: { name: "TypeError", message: "first\nsecond", cause: { message: "why" } },
    },
    { level: "error", text: "a\nb is 1" },
    { level: "warn", text: "{ a: { b: 1 } }" },
    { level: "warn", text: "(node:12) Warning: something is old" },
    { level: "error", event: "console" },
  ]);
});

test("a form that Next can't read is logged as one warning, a failed action as an error", () => {
  const context = { isServerAction: true } as RequestContext;
  requestContextStorage().run(context, () => {
    console.error("⨯", new TypeError("no FormData"));
    console.error("⨯", new TypeError("no FormData"));
    context.hasActionStarted = true;
    console.error(new Error("a bug"));
  });
  expect(readLines()).toMatchObject([
    { level: "warn", event: "action.unreadable", reason: "no FormData" },
    { level: "error", event: "console", error: { message: "a bug" } },
  ]);
});

test("a replay is not logged as an error", () => {
  const context = { isReplayedElsewhere: true } as RequestContext;
  requestContextStorage().run(context, () => console.error("⨯", new Error("[object Response]")));
  expect(readLines()).toEqual([]);
});
