// Who is logged in, and the two rules about it that stand beside the data: what only admins do, and what wants a new log-in first.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";

export interface Member {
  readonly id: string;
  readonly firstName: string;
  readonly team: string;
  readonly role: string;
  /** The row of their session: SHA-256 of the id in the cookie. */
  readonly sessionKey: string;
  /** When this session was begun, so when they last proved who they are. Renewal does not change it. */
  readonly loggedInAtMs: number;
}

export type Admin = Member & { readonly role: "ADMIN" };

/** What can't be undone or gives power wants a log-in that is younger than this. */
export const RECENT_LOGIN_MS = 15 * MINUTE_MS;

/** Throws AppError(forbidden) for all but admins. Every function that only admins may call begins with it. */
export function assertAdmin(member: Member): asserts member is Admin {
  if (member.role !== "ADMIN") throw new AppError("forbidden", "This is for admins.");
}

/** Whether the member logged in within the last 15 minutes. */
export function isRecentLogin(member: Member): boolean {
  return nowMs() - member.loggedInAtMs < RECENT_LOGIN_MS;
}

/** Throws AppError(unauthorized) with the field "login" for a member whose log-in is older than 15 minutes. */
export function assertRecentLogin(member: Member): void {
  if (!isRecentLogin(member))
    throw new AppError(
      "unauthorized",
      "Log in again first: this can't be undone, so it wants a log-in of the last fifteen minutes.",
      { field: "login" },
    );
}
