import { expect, test } from "vitest";
import { formatAuditDetail } from "./format-audit-detail.ts";

test("details are formatted as text", () => {
  expect(formatAuditDetail({ durationMs: 5_000, bytes: 441_078 })).toBe("0:05 long, 441.1 kB");
  expect(formatAuditDetail({ number: 2, isJoined: true })).toBe("episode 2, in one file");
  expect(formatAuditDetail({ role: { from: "MEMBER", to: "ADMIN" }, sessions: 1 })).toBe(
    "role member → admin, 1 session ended",
  );
  expect(formatAuditDetail({ name: "changed", team: { from: "BLUE", to: "YELLOW" } })).toBe(
    "name changed, team Blue → Yellow",
  );
  expect(formatAuditDetail({ kind: "MAIL", tries: 7 })).toBe("email, tried 7 times");
});

test("unknown details are shown as stored, and empty ones are omitted", () => {
  expect(formatAuditDetail({ instance: "b", constructor: 1, more: [1] })).toBe(
    "instance: b, constructor: 1, more: [1]",
  );
  expect([formatAuditDetail({}), formatAuditDetail({ number: null })]).toEqual(["", ""]);
});
