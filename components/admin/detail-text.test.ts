import { expect, test } from "vitest";
import { detailText } from "./detail-text.ts";

test("the log says in words what was noted", () => {
  expect(detailText({ durationMs: 5_000, bytes: 441_078 })).toBe("0:05 long, 441.1 kB");
  expect(detailText({ number: 2, isJoined: true })).toBe("episode 2, in one file");
  expect(detailText({ role: { from: "MEMBER", to: "ADMIN" }, sessions: 1 })).toBe(
    "role member → admin, 1 session ended",
  );
  expect(detailText({ name: "changed", team: { from: "BLUE", to: "YELLOW" } })).toBe(
    "name changed, team Blue → Yellow",
  );
  expect(detailText({ kind: "MAIL", tries: 7 })).toBe("mail, tried 7 times");
});

test("what the log does not know is shown as it is, and nothing is nothing", () => {
  expect(detailText({ instance: "b", constructor: 1, more: [1] })).toBe(
    "instance: b, constructor: 1, more: [1]",
  );
  expect([detailText({}), detailText({ number: null })]).toEqual(["", ""]);
});
