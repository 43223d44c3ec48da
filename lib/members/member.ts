// Describes a logged-in member and asserts the admin role and a recent login.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Role, Team } from "#lib/db/column-values.ts";

export interface Member {
  readonly id: string;
  readonly firstName: string;
  readonly team: Team;
  readonly role: Role;
  /** Primary key of the session: the SHA-256 of the ID in the cookie. */
  readonly sessionKey: string;
  /** When the member last logged in, or NOT_A_LOGIN. Renewing the session does not change it. */
  readonly loggedInAtMs: number;
}

export type Admin = Member & { readonly role: "ADMIN" };

/** Irreversible actions and privilege changes require a login younger than this. */
export const RECENT_LOGIN_MS = 15 * MINUTE_MS;

/**
 * Throws AppError(forbidden) unless the member is an admin. Every admin function calls it first.
 */
export function assertAdmin(member: Member): asserts member is Admin {
  if (member.role !== "ADMIN") throw new AppError("forbidden", "Only admins can do this.");
}

/**
 * Marks a session that is not from a login, such as one from a device link. It is never recent,
 * even if the clock is wrong.
 */
export const NOT_A_LOGIN = new Date(0);

/**
 * Returns true if the member logged in within RECENT_LOGIN_MS. If the clock was set back, a login
 * in the future is not recent.
 */
export function isRecentLogin({ loggedInAtMs }: Member): boolean {
  return (
    loggedInAtMs !== NOT_A_LOGIN.getTime() && Math.abs(nowMs() - loggedInAtMs) < RECENT_LOGIN_MS
  );
}

/**
 * Throws AppError(unauthorized), field "login", unless the member logged in within RECENT_LOGIN_MS.
 */
export function assertRecentLogin(member: Member): void {
  if (!isRecentLogin(member))
    throw new AppError("unauthorized", "For your security, log in again first.", {
      field: "login",
    });
}
