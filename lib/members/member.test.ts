import { expect, test } from "vitest";
import { MINUTE_MS, setClock } from "#lib/core/clock.ts";
import type { Role } from "#lib/db/column-values.ts";
import { isAppError } from "#lib/core/errors.ts";
import {
  type Member,
  NOT_A_LOGIN,
  assertAdmin,
  assertRecentLogin,
  isRecentLogin,
} from "./member.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");
const member = (overrides: Partial<Member> = {}): Member => ({
  id: "m",
  firstName: "Ada",
  team: "RED",
  role: "MEMBER",
  sessionKey: "s",
  loggedInAtMs: NOW,
  ...overrides,
});
const thrown = (work: () => void) => {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
};

test("only the exact role ADMIN is an admin", () => {
  expect(thrown(() => assertAdmin(member({ role: "ADMIN" })))).toBeNull();
  for (const role of ["MEMBER", "admin", "ADMIN ", "", "OWNER", "ADMIN,MEMBER"])
    expect(
      isAppError(
        thrown(() => assertAdmin(member({ role: role as Role }))),
        "forbidden",
      ),
      role,
    ).toBe(true);
});

test("a login is recent for fifteen minutes", () => {
  for (const [afterMs, isRecent] of [
    [0, true],
    [14 * MINUTE_MS, true],
    [15 * MINUTE_MS, false],
    [365 * 24 * 60 * MINUTE_MS, false],
  ] as const) {
    setClock(NOW + afterMs);
    expect(isRecentLogin(member())).toBe(isRecent);
    const error = thrown(() => assertRecentLogin(member({ role: "ADMIN" })));
    expect(isRecent ? error : (error as { code?: string; field?: string }).field).toBe(
      isRecent ? null : "login",
    );
    if (!isRecent) expect(isAppError(error, "unauthorized")).toBe(true);
  }
});

test("setting the clock back does not make an old login recent", () => {
  setClock(NOW - 16 * MINUTE_MS);
  expect(isRecentLogin(member())).toBe(false);
  setClock(NOW - 1_000); // another machine's clock
  expect(isRecentLogin(member())).toBe(true);
  for (const ms of [NOW, 0, 1, -1]) {
    setClock(ms);
    expect(isRecentLogin(member({ loggedInAtMs: NOT_A_LOGIN.getTime() }))).toBe(false);
  }
});
