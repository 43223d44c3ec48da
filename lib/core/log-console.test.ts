import { expect, test, vi } from "vitest";
import { logConsole } from "./log-console.ts";

test("an error on the console is one line of JSON", () => {
  const lines: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  const { error, warn } = console;
  try {
    logConsole();
    console.error("⨯", new TypeError("first\nsecond", { cause: new Error("why") }));
    console.error("%s is %d", "a\nb", 1);
    console.error({ a: { b: 1 } });
    console.error();
  } finally {
    Object.assign(console, { error, warn });
  }
  expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    {
      level: "error",
      event: "console",
      text: "⨯",
      error: { name: "TypeError", message: "first\nsecond", cause: { message: "why" } },
    },
    { level: "error", text: "a\nb is 1" },
    { level: "error", text: "{ a: { b: 1 } }" },
    { level: "error", event: "console" },
  ]);
});
