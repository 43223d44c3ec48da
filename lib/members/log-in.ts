// Completes every kind of login: creates the session, claims the browser's anonymous reads, sets
// the cookie.

import { nowMs } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { setResponseCookie } from "#lib/http/cookies.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { claimReads } from "#lib/reading/claim-reads.ts";
import { type LeadChange, logLeadChanges, recordLeadChanges } from "#lib/reading/lead-changes.ts";
import { sealSessionCookie } from "./cookies.ts";
import { describeDevice } from "#lib/members/describe-device.ts";
import { enqueueNewDeviceEmail } from "./new-device-email.ts";
import { createSession } from "./sessions.ts";
import { findMemberId, startSignup } from "./sign-up.ts";
import type { SessionIds } from "./viewer.ts";

interface LoginRequest {
  readonly sessionIds: SessionIds;
  readonly request: { readonly headers: Headers };
}

export interface NewSession {
  readonly id: string;
  readonly expiresAtMs: number;
  readonly isAdmin: boolean;
  readonly leadChanges: readonly LeadChange[];
}

export type LoginResult = { readonly session: NewSession } | { readonly signupBrowserId: string };

/**
 * Replaces this browser's session with a new one, to prevent session fixation, and claims its
 * anonymous reads. A new device is announced to the member by email. Pass the result to
 * setSessionCookie() after the commit.
 */
export async function logInAndClaimReads(
  tx: Tx,
  { userId, sessionIds, request }: LoginRequest & { userId: string },
): Promise<NewSession> {
  const device = describeDevice(request);
  await enqueueNewDeviceEmail(tx, userId, device);
  if (sessionIds.sessionKey) await tx.session.deleteMany({ where: { id: sessionIds.sessionKey } });
  const session = await createSession(tx, userId, device);
  const { slugs } = await claimReads(tx, { clientId: sessionIds.clientId, userId });
  const { role } = await tx.user.findUniqueOrThrow({
    where: { id: userId },
    select: { role: true },
  });
  const isAdmin = role === "ADMIN";
  return { ...session, isAdmin, leadChanges: recordLeadChanges(tx, { slugs, nowMs: nowMs() }) };
}

/**
 * Logs in the member with this verified email address, or starts a sign-up. Call it in the
 * transaction that consumed the link or code.
 */
export async function completeLogin(
  tx: Tx,
  { email, ...loginRequest }: LoginRequest & { email: string },
): Promise<LoginResult> {
  const userId = findMemberId(tx, email);
  return userId
    ? { session: await logInAndClaimReads(tx, { userId, ...loginRequest }) }
    : { signupBrowserId: (await startSignup(tx, { email })).browserId };
}

/**
 * Sets the session cookie, sends the login's email and logs lead changes. Call it after the commit,
 * in a server action or route handler.
 */
export async function setSessionCookie({ leadChanges, ...session }: NewSession): Promise<void> {
  logLeadChanges(leadChanges);
  triggerDeliveries();
  await setResponseCookie(await sealSessionCookie(session));
}

/**
 * Returns the URL that ends a login or logout with a full page load, because member pages have a
 * different CSP.
 */
export function loginRedirectUrl(next: string): string {
  return `/login/go?to=${encodeURIComponent(next)}`;
}
