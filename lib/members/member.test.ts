import { expect, test } from "vitest";
import { MINUTE_MS, setClock } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin, assertRecentLogin, isRecentLogin } from "./member.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");
const member = (given: Partial<Member> = {}): Member => ({
  id: "m",
  firstName: "Ada",
  team: "RED",
  role: "MEMBER",
  sessionKey: "s",
  loggedInAtMs: NOW,
  ...given,
});
const thrown = (work: () => void) => {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
};

test("only the role ADMIN, to the letter, is an admin's", () => {
  expect(thrown(() => assertAdmin(member({ role: "ADMIN" })))).toBeNull();
  for (const role of ["MEMBER", "admin", "ADMIN ", "", "OWNER", "ADMIN,MEMBER"])
    expect(
      isAppError(
        thrown(() => assertAdmin(member({ role }))),
        "forbidden",
      ),
      role,
    ).toBe(true);
});

test("a log-in is new for fifteen minutes and not a moment longer", () => {
  for (const [afterMs, isNew] of [
    [0, true],
    [15 * MINUTE_MS - 2_000, true],
    [15 * MINUTE_MS, false],
    [365 * 24 * 60 * MINUTE_MS, false],
  ] as const) {
    setClock(NOW + afterMs);
    expect(isRecentLogin(member())).toBe(isNew);
    const error = thrown(() => assertRecentLogin(member({ role: "ADMIN" })));
    expect(isNew ? error : (error as { code?: string; field?: string }).field).toBe(
      isNew ? null : "login",
    );
    if (!isNew) expect(isAppError(error, "unauthorized")).toBe(true);
  }
});
